/**
 * Brings a run its allocations: asks the allocator what is to be done, does it by Slurm's commands, and gives the run
 * the hosts that come of it. It goes on beside the loop of the run, which waits for nothing of it.
 *
 * @module
 */

import { type Machine, machineKey } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import type { Demand } from "../scheduler/demand.ts";
import type { SlotHost } from "../scheduler/slot_host.ts";
import { Allocations } from "./allocations.ts";
import type { Command, What } from "./commands.ts";
import { type Entry, fieldsOf } from "./entry.ts";
import type { EntrySummary } from "./fleet.ts";
import { SubmitNotes } from "./notes.ts";
import { NAME_PREFIX, type Slurm } from "./slurm.ts";

/** What a {@link SlurmHosts} works with. */
export interface SlurmHostsOptions {
  readonly deps: Pick<Deps, "clock" | "files" | "ids">;
  /** The queue's name: it stands in the names of submits. */
  readonly queue: string;
  /** The file of the submits' names. */
  readonly notesFile: string;
  /** The experiment directory: as hosts have it, and here. */
  readonly directories: { readonly there: string; readonly here: string };
  /** Makes what asks Slurm, on this login host. */
  readonly slurmOn: (login: Machine) => Slurm;
  readonly onReport: (entry: string, what: What, text: string) => void;
  readonly warn: (text: string) => void;
  /** A person has to look at an entry before more is asked for it. */
  readonly pause: (entry: string, reason: string) => Promise<void>;
  /** How the allocations stand, when that is another now. */
  readonly onSummary: (summary: readonly EntrySummary[]) => void;
  /** What the run is in need of. */
  readonly demand: () => Demand;
  /** Whether other hosts are there as well: their links get a moment before anything is asked for. */
  readonly hasOthers: boolean;
}

/** At the end of the run Slurm is asked for so long to cancel what nobody needs, and after such pauses. */
const CANCEL_MS = 180_000;
const CANCEL_AGAIN_MS = 5_000;
/** How often it is worked out whether more are needed. */
const STEP_MS = 500;
/** Time for the links to other hosts. */
const OTHERS_MS = 3_000;
/** A submit that is under way at the end of the run is waited for so long. */
const SETTLE_MS = 30_000;

/** The allocations of one run. */
export class SlurmHosts {
  readonly #options: SlurmHostsOptions;
  readonly #allocations: Allocations;
  readonly #notes: SubmitNotes;
  readonly #logins = new Map<string, { readonly machine: Machine; readonly slurm: Slurm }>();
  readonly #stop = new AbortController();
  #wake: AbortController | null = null;
  readonly #underWay = new Set<Promise<void>>();
  #loop: Promise<void> = Promise.resolve();
  #summary = "";
  #entries: readonly Entry[] = [];

  constructor(options: SlurmHostsOptions) {
    this.#options = options;
    const { deps, queue, notesFile, hasOthers } = options;
    this.#notes = new SubmitNotes(deps.files, notesFile);
    this.#allocations = new Allocations({
      makeName: () => `${NAME_PREFIX}${queue}-${deps.ids.hex(6)}`,
      notBeforeMs: deps.clock.now() + (hasOthers ? OTHERS_MS : 0),
    });
  }

  /** Takes in the entries of the cluster as they are now, and gives the hosts that come of them. */
  hosts(entries: readonly Entry[]): readonly SlotHost[] {
    this.#entries = entries;
    this.#allocations.setEntries(entries);
    for (const { login } of entries) this.#slurm(login);
    return this.#allocations.hosts();
  }

  /** True if the hosts are others than those that {@link SlurmHosts.hosts} gave last. */
  get haveChanged(): boolean {
    return this.#allocations.isChanged;
  }

  /** The run decides by the hosts that were given last. */
  taken(): void {
    this.#allocations.hostsTaken();
    this.#wake?.abort();
  }

  /** Finds what earlier runs have left, and begins. */
  async begin(): Promise<void> {
    const { clock } = this.#options.deps;
    const aheadMs = clock.epochMs() - clock.now();
    for (const note of await this.#notes.read()) {
      const entry = this.#entries.find(({ id }) => id === note.entry);
      // Of an entry that is gone nobody knows where to look: `cluster check` names what it has left.
      if (entry !== undefined) this.#allocations.recall(entry, { ...note, atMs: note.atMs - aheadMs });
    }
    this.#loop = this.#run();
  }

  /** The run is at its end: cancels what nobody needs. @param leave A person does not wait for it. */
  async finish(leave: AbortSignal): Promise<void> {
    this.#stop.abort();
    this.#wake?.abort();
    await this.#loop;
    await this.#settle();
    await this.#lookUp(leave);
    await this.#settle();
    const demand = this.#options.demand();
    const all = await Promise.all(
      [...this.#allocations.rest(demand)].map(([login, those]) => this.#cancelAll(login, those, leave)),
    );
    if (all.includes(false)) return;
    for (const name of this.#allocations.restSubmits(demand)) await this.#notes.forget(name).catch(() => {});
  }

  /** Waits for what is under way, but not for ever. */
  async #settle(): Promise<void> {
    const { clock } = this.#options.deps;
    const limit = new AbortController();
    const late = clock.sleepUntil(clock.now() + SETTLE_MS, limit.signal);
    await Promise.race([Promise.all(this.#underWay), late]);
    limit.abort();
  }

  /**
   * Asks for what earlier runs have left, where Slurm has not answered yet: nothing is cancelled by the name of its
   * submit. What nobody knows keeps its note.
   */
  async #lookUp(leave: AbortSignal): Promise<void> {
    const { deps: { clock }, warn } = this.#options;
    const endMs = clock.now() + CANCEL_MS;
    for (let isFirst = true;; isFirst = false) {
      const looks = [...this.#allocations.unseen()];
      if (looks.length === 0) return;
      await Promise.all(looks.map(([login, names]) => this.#do({ type: "look", login, names })));
      const left = [...this.#allocations.unseen().values()].flat();
      if (left.length === 0) return;
      const isLast = leave.aborted || clock.now() >= endMs;
      if (isFirst || isLast) {
        const more = isLast ? "a run to come looks for it" : `asking again for ${CANCEL_MS / 60_000} minutes`;
        warn(`Slurm does not say what there is of ${left.join(", ")}; ${more}`);
      }
      if (isLast) return;
      await clock.sleepUntil(clock.now() + CANCEL_AGAIN_MS, leave);
    }
  }

  /**
   * Cancels them, again and again where Slurm does not answer: they would go on for hours.
   * @returns False if it fails.
   */
  async #cancelAll(login: string, allocations: readonly string[], leave: AbortSignal): Promise<boolean> {
    const { deps: { clock }, warn } = this.#options;
    const endMs = clock.now() + CANCEL_MS;
    for (let isFirst = true;; isFirst = false) {
      const failure = await this.#logins.get(login)?.slurm.cancel(allocations) ?? null;
      if (failure === null) return true;
      const isLast = leave.aborted || clock.now() >= endMs;
      if (isFirst || isLast) {
        const more = isLast ? "" : `; trying again for ${CANCEL_MS / 60_000} minutes`;
        warn(`Allocations ${allocations.join(", ")} are not cancelled: ${failure}${more}`);
      }
      if (isLast) return false;
      await clock.sleepUntil(clock.now() + CANCEL_AGAIN_MS, leave);
    }
  }

  #slurm(login: Machine): Slurm {
    const key = machineKey(login);
    const known = this.#logins.get(key);
    if (known !== undefined) return known.slurm;
    const slurm = this.#options.slurmOn(login);
    this.#logins.set(key, { machine: login, slurm });
    return slurm;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options.deps;
    while (!this.#stop.signal.aborted) {
      this.#perform(this.#allocations.step(this.#options.demand(), clock.now()));
      this.#tell();
      this.#wake = new AbortController();
      await clock.sleepUntil(clock.now() + STEP_MS, this.#wake.signal);
      this.#wake = null;
    }
  }

  #tell(): void {
    const summary = this.#allocations.summary();
    const text = JSON.stringify(summary);
    if (text === this.#summary) return;
    this.#summary = text;
    this.#options.onSummary(summary);
  }

  #perform(commands: readonly Command[]): void {
    for (const command of commands) {
      const work = this.#do(command).catch((error) => this.#options.warn(String((error as Error).message ?? error)));
      this.#underWay.add(work);
      void work.then(() => this.#underWay.delete(work));
    }
  }

  async #do(command: Command): Promise<void> {
    const { deps: { clock }, onReport, pause } = this.#options;
    switch (command.type) {
      case "submit":
        return await this.#submit(command);
      case "forget":
        return await this.#notes.forget(command.name);
      case "look": {
        const sights = await this.#logins.get(command.login)?.slurm.look(command.names) ?? null;
        return this.#perform(this.#allocations.seen(command.login, command.names, sights, clock.now()));
      }
      case "cancel": {
        const failure = await this.#logins.get(command.login)?.slurm.cancel(command.allocations) ?? null;
        if (failure !== null) this.#options.warn(`Cannot cancel ${command.allocations.join(", ")}: ${failure}`);
        return;
      }
      case "pause":
        return await pause(command.entry, command.reason);
      case "report":
        return onReport(command.entry, command.what, command.text);
      default:
        command satisfies never;
    }
  }

  async #submit({ entry, name, count }: Extract<Command, { type: "submit" }>): Promise<void> {
    const { deps: { clock }, directories } = this.#options;
    const isHere = entry.login.name === "localhost";
    const answer = (result: Parameters<Allocations["submitted"]>[1]): void =>
      this.#perform(this.#allocations.submitted(name, result, clock.now()));
    try {
      await this.#notes.add({ name, entry: entry.id, count, atMs: clock.epochMs(), isKnown: false });
    } catch (error) {
      // Without a note nobody would find it again: nothing is submitted.
      return answer({ type: "refused", reason: String((error as Error).message ?? error) });
    }
    const directory = isHere ? directories.here : directories.there;
    const result = await this.#slurm(entry.login).submit({ name, count, entry: fieldsOf(entry), directory });
    if (result.type === "submitted") await this.#notes.confirm(name).catch(() => {});
    answer(result);
  }
}
