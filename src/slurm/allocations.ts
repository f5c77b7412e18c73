/**
 * The allocations of a run: when to ask Slurm for more, what became of those that were asked for, and which hosts they
 * are. Pure: the driver (`driver.ts`) gives the time, the answers and what the run needs, and carries out the commands.
 *
 * The rules it keeps: each submit has a name that was noted before; while it is not known what became of a submit,
 * nothing is submitted for its entry; never more than `allocations` at once; none for a job that could not start there;
 * what Slurm does not say is unknown, never ended.
 *
 * @module
 */

import { machineKey } from "../cluster/machine.ts";
import type { Demand } from "../scheduler/demand.ts";
import type { SlotHost } from "../scheduler/slot_host.ts";
import { type Allocation, Asked, idOf, isNamed, taskOf } from "./asked.ts";
import { type Entry, lengthOf, slotsOf, templateOf } from "./entry.ts";
import { type EntrySummary, Fleet, hostsOf, machinesOf } from "./fleet.ts";
import type { Command, What } from "./commands.ts";
import { Brakes, LEAST_MS } from "./brakes.ts";
import { LONGEST_LOOK_MS, LOOK_MS, Looks } from "./looks.ts";
import type { Sight, Submitted } from "./slurm.ts";

/** What the run has to say of itself; see `Demand`. */
export type Needs = Pick<
  Demand,
  "waiting" | "isBusy" | "isOpen" | "endOf" | "isClosing" | "whyDown" | "room" | "isEnding"
>;

/** What was asked for, and is not wanted any more, is taken back after so long. */
const UNWANTED_MS = 30_000;

/** What there is of one entry. */
interface EntryState {
  entry: Entry;
  readonly brakes: Brakes;
  /** Since when nothing waits for it. */
  unwantedSinceMs: number | null;
}

/** All of a run. */
export class Allocations {
  readonly #entries = new Map<string, EntryState>();
  readonly #fleet = new Fleet();
  readonly #makeName: () => string;
  #commands: Command[] = [];
  #nowMs = 0;
  /** Nothing is submitted before: the links to other hosts get a moment. */
  #notBeforeMs: number;
  readonly #looks = new Looks();
  #hosts: readonly SlotHost[] = [];
  /** Those that were closed when {@link Allocations.hosts} was last called. */
  #closed: readonly Allocation[] = [];
  #isChanged = true;

  constructor({ makeName, notBeforeMs }: { makeName: () => string; notBeforeMs: number }) {
    this.#makeName = makeName;
    this.#notBeforeMs = notBeforeMs;
  }

  /** The entries of the cluster, as they are now. */
  setEntries(entries: readonly Entry[]): void {
    const gone = new Set(this.#entries.keys());
    for (const entry of entries) {
      gone.delete(entry.id);
      const known = this.#entries.get(entry.id);
      if (known === undefined) this.#entries.set(entry.id, { entry, brakes: new Brakes(), unwantedSinceMs: null });
      else {
        // A person has looked at it since.
        if (entry.active && JSON.stringify(entry) !== JSON.stringify(known.entry)) known.brakes.release();
        known.entry = entry;
      }
    }
    for (const id of gone) this.#entries.delete(id);
    this.#isChanged = true;
  }

  /** A submit of an earlier run. `isKnown`: Slurm has confirmed it. `atMs`: when it was noted, by this run's clock. */
  recall(entry: Entry, note: { name: string; count: number; isKnown: boolean; atMs: number }): void {
    const asked = new Asked(entry, { ...note, isEarlier: true });
    asked.phase = note.isKnown ? "known" : "unknown";
    this.#fleet.asked.set(note.name, asked);
    this.#lookSoon(asked, 0);
  }

  /** The hosts: of each entry one to come, then those that are there. */
  hosts(): readonly SlotHost[] {
    if (this.#isChanged) {
      this.#isChanged = false;
      this.#hosts = [
        ...[...this.#entries.values()].map(({ entry, brakes }) => templateOf(entry, !brakes.isPaused)),
        ...this.#fleet.all().flatMap((one) => this.#hostsOf(one)),
      ];
    }
    this.#closed = this.#fleet.all().filter(({ closing }) => closing !== null);
    return this.#hosts;
  }

  /** True if {@link Allocations.hosts} are others than those that it gave last. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** The run decides by what {@link Allocations.hosts} gave last. */
  hostsTaken(): void {
    for (const one of this.#closed) one.isClosed = true;
  }

  /** Decides what is to be done now. */
  step(needs: Needs, nowMs: number): Command[] {
    this.#nowMs = nowMs;
    for (const one of this.#fleet.all()) this.#follow(one, needs);
    for (const state of this.#entries.values()) this.#want(state, needs);
    this.#look(needs);
    return this.#take();
  }

  /** The answer to a submit. */
  submitted(name: string, result: Submitted, nowMs: number): Command[] {
    this.#nowMs = nowMs;
    const asked = this.#fleet.asked.get(name);
    if (asked === undefined) return [];
    const { entry } = asked;
    if (result.type === "refused") this.#refused(asked, result.reason);
    else if (result.type === "submitted") {
      asked.know(result.job);
      this.#entries.get(entry.id)?.brakes.submitted();
      this.#report(entry, "asked", `${asked.count} allocation${asked.count === 1 ? "" : "s"} (job ${result.job})`);
      this.#lookSoon(asked, LOOK_MS[0]);
    } else {
      asked.phase = "unknown";
      this.#report(entry, "refused", `no answer: ${result.reason}; the submit is looked up`);
      this.#lookSoon(asked, LOOK_MS[0]);
    }
    return this.#take();
  }

  /** The answer to a look; null: nobody knows. */
  seen(login: string, names: readonly string[], sights: readonly Sight[] | null, nowMs: number): Command[] {
    this.#nowMs = nowMs;
    this.#looks.answered(login);
    if (sights === null) return [];
    for (const name of names) {
      const asked = this.#fleet.asked.get(name);
      if (asked !== undefined) this.#learn(asked, sights.filter((sight) => sight.name === name));
    }
    return this.#take();
  }

  /** How they stand, for people. */
  summary(): EntrySummary[] {
    return this.#fleet.summary([...this.#entries.values()].map(({ entry, brakes }) => [entry.id, brakes.reason]));
  }

  /** Submits to look up before {@link Allocations.rest}, by login host. */
  unseen(): Map<string, string[]> {
    return this.#fleet.unseen();
  }

  /** What to cancel at the end of the run, by login host: all but those on which something is in flight. */
  rest(needs: Pick<Needs, "isBusy">): Map<string, string[]> {
    return this.#fleet.idle((machine) => needs.isBusy(machine));
  }

  /** Submits of which nothing is left then. */
  restSubmits(needs: Pick<Needs, "isBusy">): string[] {
    return this.#fleet.idleSubmits((machine) => needs.isBusy(machine));
  }

  readonly #hostsOf = (one: Allocation) => hostsOf(one, this.#entries.get(one.asked.entry.id)?.entry.active === true);

  /** What becomes of one that is there. */
  #follow(one: Allocation, needs: Needs): void {
    if (one.state !== "running") return;
    const keys = machinesOf(one);
    const isOpen = keys.some((key) => needs.isOpen(key));
    const isBusy = keys.some((key) => needs.isBusy(key));
    if (isOpen && !one.wasLinked) {
      one.wasLinked = true;
      this.#entries.get(one.asked.entry.id)?.brakes.linked();
    }
    one.isOpen = isOpen;
    if (one.saidOver === null && keys.length > 0 && keys.every((key) => needs.endOf(key) !== null)) {
      one.saidOver = needs.endOf(keys[0]!);
      this.#lookSoon(one.asked, 0);
    }
    one.idleSinceMs = isBusy ? null : one.idleSinceMs ?? this.#nowMs;
    const { entry } = one.asked;
    if (one.closing === null) {
      const isNearEnd = this.#nowMs >= one.untilMs || keys.some((key) => needs.isClosing(key));
      const isIdle = one.wasLinked && one.idleSinceMs !== null && this.#nowMs - one.idleSinceMs >= entry.idleMs;
      const isSpent = one.wasLinked && !isBusy && this.#hostsOf(one).every((host) => needs.room(host) === 0);
      const isUseless = !one.wasLinked && !isBusy && this.#nowMs - one.sinceMs >= Math.max(entry.idleMs, LEAST_MS);
      if (isUseless) one.noLink = needs.whyDown(keys[0]!) ?? "no reason is known";
      if (isNearEnd || isIdle || isSpent || isUseless || one.isLeftOver || !this.#entries.has(entry.id)) {
        this.#close(one, isNearEnd ? "ending" : "unneeded");
        if (isNearEnd) this.#report(entry, "closing", `${idOf(one)} on ${one.nodes.join(", ")}`);
      }
    } else if (one.isClosed && !isBusy) this.#cancel(one);
  }

  #close(one: Allocation, closing: NonNullable<Allocation["closing"]>): void {
    one.closing = closing;
    this.#isChanged = true;
  }

  #cancel(one: Allocation): void {
    if (one.cancelledMs !== null && this.#nowMs - one.cancelledMs < LONGEST_LOOK_MS) return;
    one.cancelledMs = this.#nowMs;
    this.#commands.push({ type: "cancel", login: machineKey(one.asked.entry.login), allocations: [taskOf(one)] });
    this.#lookSoon(one.asked, LOOK_MS[0]);
  }

  /** Asks for more, or takes back what is not needed any more. */
  #want(state: EntryState, needs: Needs): void {
    const { entry } = state;
    const those = this.#fleet.of(entry.id);
    const asking = [...this.#fleet.asked.values()].filter(({ entry: { id }, phase }) =>
      id === entry.id && phase !== "known"
    );
    const template = templateOf(entry, true);
    const each = slotsOf(entry);
    const waiting = entry.active && !needs.isEnding ? needs.waiting(template, entry.fields.allocations * each) : 0;
    this.#takeBack(state, those, waiting);
    if (waiting === 0 || state.brakes.isPaused || asking.length > 0) return;
    if (this.#nowMs < Math.max(state.brakes.notBeforeMs, this.#notBeforeMs)) return;
    const have = this.#fleet.free((one) => this.#hostsOf(one).reduce((sum, host) => sum + needs.room(host), 0));
    const count = Math.min(Math.ceil((waiting - have) / each), entry.fields.allocations - those.length);
    if (count < 1) return;
    const asked = new Asked(entry, { name: this.#makeName(), count, atMs: this.#nowMs, isEarlier: false });
    this.#fleet.asked.set(asked.name, asked);
    this.#commands.push({ type: "submit", entry, name: asked.name, count });
  }

  /** Cancels what waits in Slurm's queue and nobody needs, and what is beyond the limit. */
  #takeBack(state: EntryState, those: readonly Allocation[], waiting: number): void {
    state.unwantedSinceMs = waiting > 0 ? null : state.unwantedSinceMs ?? this.#nowMs;
    const isUnwanted = state.unwantedSinceMs !== null && this.#nowMs - state.unwantedSinceMs >= UNWANTED_MS;
    const pending = those.filter((one) => one.state === "pending" && isNamed(one));
    const surplus = Math.max(0, those.length - state.entry.fields.allocations);
    const back = isUnwanted || !state.entry.active ? pending : surplus > 0 ? pending.slice(-surplus) : [];
    for (const one of back) {
      one.closing ??= "unneeded";
      this.#cancel(one);
    }
  }

  #refused(asked: Asked, reason: string): void {
    const { entry, name } = asked;
    this.#fleet.asked.delete(name);
    this.#commands.push({ type: "forget", name });
    const state = this.#entries.get(entry.id);
    if (state === undefined) return;
    if (state.brakes.refused(reason, this.#nowMs)) return this.#pause(state, reason);
    this.#report(entry, "refused", reason);
  }

  #pause(state: EntryState, reason: string): void {
    this.#isChanged = true;
    this.#commands.push({ type: "pause", entry: state.entry.id, reason });
  }

  #report({ id: entry }: Entry, what: What, text: string): void {
    this.#commands.push({ type: "report", entry, what, text });
  }

  /** Takes in what Slurm shows of a submit. */
  #learn(asked: Asked, sights: readonly Sight[]): void {
    if (sights.length === 0 && asked.phase === "unknown") {
      if (!asked.isLookedUp(this.#nowMs)) return;
      if (asked.isEarlier) return this.#drop(asked);
      return this.#refused(asked, "nothing of that name was submitted");
    }
    const before = asked.text();
    const over = asked.learn(sights, this.#nowMs, lengthOf(asked.entry));
    for (const { one, isStart } of over.started) {
      if (isStart) this.#report(asked.entry, "started", `${idOf(one)} on ${one.nodes.join(", ")}`);
    }
    for (const one of over.ended) this.#ended(asked, one);
    if (asked.text() !== before) {
      this.#isChanged = true;
      this.#lookSoon(asked, LOOK_MS[0]);
    }
    if (asked.phase === "known" && asked.allocations.size === 0) this.#drop(asked);
  }

  #drop(asked: Asked): void {
    this.#fleet.asked.delete(asked.name);
    this.#commands.push({ type: "forget", name: asked.name });
    this.#isChanged = true;
  }

  #ended(asked: Asked, one: Allocation): void {
    const state = this.#entries.get(asked.entry.id);
    // It was over before this run began.
    if (asked.isEarlier && !one.wasSeen) return;
    this.#report(asked.entry, "ended", `${idOf(one)}: ${one.reason}`);
    const isOurs = one.noLink === null && (one.cancelledMs !== null || one.closing !== null);
    if (state === undefined || one.wasLinked || isOurs) return;
    const count = state.brakes.unlinked();
    const why = one.noLink === null ? `with ${one.reason}` : `without a link: ${one.noLink}`;
    if (count !== null) this.#pause(state, `${count} allocations ended before they could be used, the last ${why}`);
  }

  /** One look for all submits of a login host that are not simply running. */
  #look(needs: Needs): void {
    const names = new Map<string, string[]>();
    for (const asked of this.#fleet.asked.values()) {
      if (asked.phase === "submitting" || !asked.isOpen((one) => this.#isToLookAt(one, needs))) continue;
      const login = machineKey(asked.entry.login);
      names.set(login, [...names.get(login) ?? [], asked.name]);
    }
    for (const login of this.#looks.due(names.keys(), this.#nowMs)) {
      this.#commands.push({ type: "look", login, names: names.get(login)! });
    }
  }

  #isToLookAt(one: Allocation, needs: Needs): boolean {
    return one.state !== "running" || one.cancelledMs !== null || machinesOf(one).some((key) => !needs.isOpen(key));
  }

  #lookSoon({ entry }: Asked, inMs: number): void {
    this.#looks.soon(machineKey(entry.login), this.#nowMs + inMs);
  }

  #take(): Command[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
