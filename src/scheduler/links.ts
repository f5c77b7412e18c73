/**
 * The links of a run: which machines are needed, when to open them, what to ask when one is there again, when to give
 * one up. Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import { type Machine, machineText } from "../cluster/machine.ts";
import type { AttemptState } from "../link/link.ts";
import type { Attempts } from "./attempts.ts";
import type { Backlogs } from "./backlogs.ts";
import { AllDown } from "./all_down.ts";
import { report, type RunContext } from "./context.ts";
import type { AttemptRef } from "../job/attempt.ts";
import { hasTry } from "../job/retry.ts";
import { renderDuration } from "../names/units.ts";
import { type InFlight, isRecalled, isUnseenInBacklog } from "./in_flight.ts";
import { isToForbid, isUnwanted } from "./forbid.ts";
import { isElsewhere } from "../agent/boot.ts";
import { charge } from "./charge.ts";
import type { Lost } from "./lost.ts";
import { Machines, type MachineState } from "./machines.ts";
import { Notices } from "./notices.ts";
import { isOffered, type SlotHost } from "./slot_host.ts";

/** With several machines, the first start waits this long for the slower links, so that the list's order decides. */
const SETTLE_MS = 1_000;

/** The links. */
export class Links {
  readonly #run: RunContext;
  readonly #attempts: Attempts;
  readonly #backlogs: Backlogs;
  readonly #lost: Lost;
  /** Until when starts are held back for slower links: Infinity before the first is there, null once that is over. */
  #settleAtMs: number | null = Infinity;
  readonly #allDown: AllDown;
  readonly #notices: Notices;

  constructor(run: RunContext, parts: { attempts: Attempts; backlogs: Backlogs; lost: Lost }) {
    this.#run = run;
    this.#attempts = parts.attempts;
    this.#backlogs = parts.backlogs;
    this.#lost = parts.lost;
    this.#allDown = new AllDown(run);
    this.#notices = new Notices(run);
  }

  /** The run begins: from now on silence counts. */
  begin(): void {
    this.#allDown.begin();
    for (const state of this.#run.machines.all()) state.silentSinceMs = this.#run.nowMs;
    this.hostsChanged();
  }

  /** Learns of the machines of new hosts. */
  hostsChanged(): void {
    for (const host of this.#run.slots.hosts) if (isOffered(host)) this.#run.machines.of(host.machine);
  }

  /** Opens a machine's link if nobody has tried yet. */
  need(machine: Machine): void {
    const state = this.#run.machines.of(machine);
    if (state.phase === "idle") this.#connect(state);
  }

  /** Opens the links that are needed and due. `more`: jobs still wait for a start. */
  open(more: boolean): void {
    for (const state of this.#run.machines.restless()) {
      const due = state.phase === "idle" || (state.phase === "down" && state.retryAtMs <= this.#run.nowMs);
      if (!due) continue;
      if (this.#isAskedFor(state.key) || (more && !state.isOver && this.offers(state.key))) this.#connect(state);
      else state.phase = "idle";
    }
  }

  /** True if the machine has to say what became of an attempt. Of one that was given up, if its job has a try left. */
  #isAskedFor(key: string): boolean {
    const { inFlight, jobs } = this.#run;
    if (inFlight.anyOn(key) || this.#lost.anyOn(key)) return true;
    for (const one of inFlight.on(key)) if (hasTry(jobs.get(one.job))) return true;
    return false;
  }

  up(key: string, boot: string): void {
    const run = this.#run;
    const state = run.machines.get(key);
    if (state === undefined) return;
    const again = state.boot !== null;
    Machines.open(state, boot, run.nowMs);
    report(run, { type: "machine_up", machine: machineText(state.machine), again });
    charge(run, this.#backlogs, key, run.inFlight.found(key, boot));
    this.#askOf(state, [...run.inFlight.on(key)], boot);
    this.#backlogs.machineChanged(key);
    if (this.#settleAtMs === Infinity) this.#settleAtMs = run.nowMs + SETTLE_MS;
  }

  /**
   * Two names lead to one machine: one link serves both, and what was known under the first counts as known under the
   * second. Not if a job of the first lives on another machine, to which that name may lead again.
   */
  same(key: string, as: string): void {
    const run = this.#run;
    const [state, main] = [run.machines.get(key), run.machines.get(as)];
    if (state === undefined || main === undefined || state === main) return;
    const text = machineText(main.machine);
    const isBound = [...run.inFlight.on(key)].some((one) => isElsewhere(one.boot, main.boot));
    if (isBound) return this.connectFailed(key, `it leads to ${text} now`, true);
    run.machines.join(key, as);
    const moved = run.inFlight.rename(key, as);
    this.#lost.rename(key, as);
    run.slots.setHosts(run.machines.named(run.slots.hosts));
    run.slots.rename(key, as);
    this.#backlogs.hostsChanged();
    report(run, { type: "same_machine", machine: machineText(state.machine), as: text });
    // An entry that counts for this machine only now may be the one whose slot a job of an earlier run has.
    charge(run, this.#backlogs, as, [...run.inFlight.on(as)]);
    // Else they are asked about when it is up.
    if (main.openedAtMs === null || (moved.length === 0 && !this.#lost.anyOn(as))) return;
    this.#askOf(main, moved, main.boot!);
  }

  /** What is in flight there is asked about, forbidden, or sent again. */
  #askOf(state: MachineState, those: readonly InFlight[], boot: string): void {
    const ask: AttemptRef[] = [];
    const forbid: AttemptRef[] = [];
    for (const one of those) {
      if (this.#sendAgain(one, boot)) continue;
      if (isToForbid(this.#run, one, boot)) {
        if (isUnseenInBacklog(one)) one.question = { type: "recall", isDue: false };
        forbid.push(one);
      } else ask.push(one);
    }
    const lost = this.#lost.questions(state.key, boot);
    this.#ask(state, [...ask, ...lost.ask], [...forbid, ...lost.forbid]);
  }

  connectFailed(key: string, reason: string, lasting: boolean): void {
    const state = this.#run.machines.get(key);
    if (state === undefined) return;
    const told = state.reason === reason;
    const { nowMs, timeoutMs } = this.#run;
    Machines.fail(state, reason, { nowMs, lasting, timeoutMs });
    if (!told) report(this.#run, { type: "machine_down", machine: machineText(state.machine), reason, wasUp: false });
    this.#notices.silent(state);
  }

  down(key: string, reason: string): void {
    const state = this.#run.machines.get(key);
    if (state === undefined || state.openedAtMs === null) return;
    const { nowMs, timeoutMs } = this.#run;
    Machines.fail(state, reason, { nowMs, lasting: false, timeoutMs });
    this.#backlogs.linkDown(key);
    this.#notices.broken(state, reason);
  }

  /** The run has closed all links itself: none is open, none has failed. */
  closed(): void {
    for (const state of this.#run.machines.all()) {
      if (state.phase === "down") continue;
      Machines.close(state, this.#run.nowMs);
      this.#backlogs.linkDown(state.key);
    }
    this.#settleAtMs = Infinity;
  }

  /** The answer to what `up` asked is here: jobs may start there, unless something must be asked again. */
  answered(key: string): void {
    const state = this.#run.machines.get(key);
    if (state === undefined || !Machines.answered(state)) return;
    this.#settle(state);
  }

  /** All is answered: jobs may start there. */
  #settle(state: MachineState): void {
    state.phase = "up";
    this.#run.slots.machineUp(state.key);
    this.#backlogs.machineChanged(state.key);
  }

  /** Asks again where that is due. */
  askAgain(): void {
    for (const state of this.#run.machines.restless()) {
      this.#lookAway(state);
      if (state.askAtMs === null || this.#run.nowMs < state.askAtMs) continue;
      state.askAtMs = null;
      // Of others the host may have no trace yet: they wait in a backlog, or were sent a moment ago.
      const due = [...this.#run.inFlight.on(state.key)].filter(({ question }) => question?.isDue === true);
      for (const one of due) one.question = isRecalled(one) ? { type: "recall", isDue: false } : null;
      const open = due.filter(({ stage }) => stage.at !== "running");
      // On a full disk the claim that was to forbid one is empty itself; to ask only would show it as being claimed for
      // ever.
      const isForbidden = (one: InFlight): boolean => isToForbid(this.#run, one, state.boot);
      const lost = this.#lost.questions(state.key, state.boot);
      const ask = open.filter((one) => !isForbidden(one));
      this.#ask(state, [...ask, ...lost.ask], [...open.filter(isForbidden), ...lost.forbid]);
    }
  }

  /** Asks where the time has come about what lives on another machine: its end may be in the log by now. */
  #lookAway(state: MachineState): void {
    if (state.lookAtMs === null || this.#run.nowMs < state.lookAtMs) return;
    state.lookAtMs = null;
    const ask = [...this.#run.inFlight.on(state.key)].filter(({ stage }) => stage.at === "away")
      .map(({ job, attempt }) => ({ job, attempt }));
    if (ask.length > 0) this.#run.effects.push({ type: "ask", machine: state.key, ask, forbid: [] });
  }

  /** Time in which nobody listened is no silence. */
  stoodStill(ms: number): void {
    for (const state of this.#run.machines.restless()) if (state.silentSinceMs !== null) state.silentSinceMs += ms;
    this.#allDown.stoodStill(ms);
  }

  /** Gives up the jobs of machines that were silent for too long. */
  giveUpSilent(): void {
    for (const state of this.#run.machines.restless()) {
      if (state.silentSinceMs === null || this.#run.nowMs < state.silentSinceMs + this.#run.timeoutMs) continue;
      const minutes = this.#run.timeoutMs / 60_000;
      const whole = Number.isInteger(minutes) ? `${minutes} minute${minutes === 1 ? "" : "s"}` : null;
      const reason = `${machineText(state.machine)} was silent for ${whole ?? renderDuration(this.#run.timeoutMs)}`;
      for (const one of [...this.#run.inFlight.on(state.key)]) {
        if (one.stage.at !== "given_up") this.#attempts.giveUp(one, reason, true);
      }
    }
  }

  /** True once the first attempts to connect have all been answered, or the time for that is over. */
  isSettled(): boolean {
    if (this.#settleAtMs === null) return true;
    const isPending = ({ phase }: MachineState): boolean => phase === "connecting" || phase === "asking";
    // Without a list of hosts (fifo) there is no order to keep, and nothing may be left to wake for.
    const isOrdered = this.#run.slots.hosts.length > 0;
    if (isOrdered && this.#run.nowMs < this.#settleAtMs && this.#run.machines.restless().some(isPending)) return false;
    this.#settleAtMs = null;
    return true;
  }

  /**
   * True when no machine is left for what waits, and that has lasted for the whole time-out. `couldUse`: which hosts
   * could hold any of it.
   */
  isHopeless(more: boolean, couldUse: (host: SlotHost) => boolean): boolean {
    return this.#allDown.isHopeless(more, couldUse);
  }

  /** Something that a person should know of a machine; reported once. */
  notice(key: string, text: string): void {
    this.#notices.notice(key, text);
  }

  /** See {@link Notices.lookForReaper}. */
  lookForReaper(key: string, states: readonly AttemptState[]): void {
    this.#notices.lookForReaper(key, states);
  }

  /** When something is due next, epoch ms; Infinity for never. */
  get wakeAtMs(): number {
    let at = Math.min(this.#settleAtMs ?? Infinity, this.#allDown.wakeAtMs);
    for (const state of this.#run.machines.restless()) {
      if (state.phase === "down") at = Math.min(at, state.retryAtMs);
      if (state.askAtMs !== null) at = Math.min(at, state.askAtMs);
      if (state.lookAtMs !== null) at = Math.min(at, state.lookAtMs);
      const silentAtMs = (state.silentSinceMs ?? Infinity) + this.#run.timeoutMs;
      if (silentAtMs < at && this.#run.inFlight.anyOn(state.key)) at = silentAtMs;
    }
    return at;
  }

  /** Asks; until the answer is here no job starts on that machine, since what runs there takes slots. */
  #ask(state: MachineState, ask: readonly AttemptRef[], forbid: readonly AttemptRef[]): void {
    if (ask.length + forbid.length === 0) return state.questions === 0 ? this.#settle(state) : undefined;
    Machines.ask(state);
    const plain = ({ job, attempt }: AttemptRef): AttemptRef => ({ job, attempt });
    this.#run.effects.push({ type: "ask", machine: state.key, ask: ask.map(plain), forbid: forbid.map(plain) });
  }

  /**
   * Sends a start once more over a new link. Its claim on the host makes that safe: sent twice, it starts once. Not
   * after another boot, as the claim may be lost, and not one of a backlog, as the host may have let it in meanwhile.
   */
  #sendAgain(one: InFlight, boot: string): boolean {
    const { stage, request, machine } = one;
    if (stage.at !== "sent" || stage.backlog !== null || request === null) return false;
    if (one.boot !== boot || isUnwanted(this.#run, one)) return false;
    this.#run.inFlight.setStage(one, { ...stage, isResent: true });
    this.#run.effects.push({ type: "start", machine, request, again: true });
    return true;
  }

  #connect(state: MachineState): void {
    state.phase = "connecting";
    state.silentSinceMs ??= this.#run.nowMs;
    this.#run.effects.push({ type: "connect", machine: state.machine });
  }

  /** True if jobs may start there, as soon as it is up and has a slot. */
  offers(key: string): boolean {
    return this.#run.slots.on(key).some(isOffered);
  }
}
