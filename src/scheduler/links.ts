/**
 * The links of a run: which machines are needed, when to open them, what to ask when one is there again, when to give one up.
 * Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import { type Machine, machineKey, machineText } from "../cluster/machine.ts";
import type { Attempts } from "./attempts.ts";
import { report, type RunContext } from "./context.ts";
import type { Attempt } from "./events.ts";
import { type Flight, isOf } from "./flights.ts";
import { Machines, type MachineState } from "./machines.ts";

/** With several machines, the first start waits this long for the slower links, so that the list's order decides. */
const SETTLE_MS = 1_000;

/** The links. */
export class Links {
  readonly #run: RunContext;
  readonly #attempts: Attempts;
  /** Until when starts are held back for slower links: Infinity before the first is there, null once that is over. */
  #settleAtMs: number | null = Infinity;
  #allDownSinceMs: number | null = null;
  #allDownTold = false;
  /** Machines whose jobs of an earlier run were told as unknown. */
  readonly #unknownTold = new Set<string>();

  constructor(run: RunContext, attempts: Attempts) {
    this.#run = run;
    this.#attempts = attempts;
  }

  /** The run begins: from now on silence counts. */
  begin(): void {
    this.#allDownSinceMs = this.#run.nowMs;
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
    for (const state of this.#run.machines.all()) {
      const due = state.phase === "idle" || (state.phase === "down" && state.retryAtMs <= this.#run.nowMs);
      if (!due) continue;
      if (this.#run.flights.anyOn(state.key) || (more && this.#offers(state.key))) this.#connect(state);
      else state.phase = "idle";
    }
  }

  up(key: string, boot: string): void {
    const run = this.#run;
    const state = run.machines.get(key);
    if (state === undefined) return;
    const again = state.boot !== null;
    Machines.open(state, boot, run.nowMs);
    report(run, { type: "machine_up", machine: machineText(state.machine), again });
    const ask: Attempt[] = [];
    const forbid: Attempt[] = [];
    for (const flight of run.flights.on(key)) {
      const sameBoot = flight.boot === boot;
      // The claim on the host makes this safe: sent twice, it starts once. After a reboot the claim may be lost: only ask.
      // Who was let in from a line meanwhile nobody here knows: all that stood there are called back.
      const inLine = waitsForWord(flight);
      const isToSend = flight.phase === "sent" && !inLine && !this.#isUnwanted(flight);
      if (isToSend && sameBoot && flight.request !== null) {
        flight.again = true;
        run.effects.push({ type: "start", machine: key, request: flight.request, again: true });
      } else if (this.#isToForbid(flight, boot)) {
        flight.recalled = inLine;
        forbid.push(flight);
      } else ask.push(flight);
    }
    this.#ask(state, ask, forbid);
    this.#attempts.lines.machineChanged(key);
    if (this.#settleAtMs === Infinity) this.#settleAtMs = run.nowMs + SETTLE_MS;
  }

  connectFailed(key: string, reason: string, lasting: boolean): void {
    const state = this.#run.machines.get(key);
    if (state === undefined) return;
    const told = state.reason === reason;
    const { nowMs, timeoutMs } = this.#run;
    Machines.fail(state, reason, { nowMs, lasting, timeoutMs });
    if (!told) report(this.#run, { type: "machine_down", machine: machineText(state.machine), reason, wasUp: false });
    this.#tellUnknown(state);
  }

  down(key: string, reason: string): void {
    const state = this.#run.machines.get(key);
    if (state === undefined || state.openedAtMs === null) return;
    const { nowMs, timeoutMs } = this.#run;
    Machines.fail(state, reason, { nowMs, lasting: false, timeoutMs });
    this.#attempts.lines.linkDown(key);
    report(this.#run, { type: "machine_down", machine: machineText(state.machine), reason, wasUp: true });
  }

  /** The answer to what `up` asked is here: jobs may start there, unless something must be asked again. */
  answered(key: string): void {
    const state = this.#run.machines.get(key);
    if (state === undefined || state.phase !== "asking" || state.askAtMs !== null) return;
    state.phase = "up";
    this.#run.slots.machineUp();
    this.#attempts.lines.machineChanged(key);
  }

  /** Asks again where that is due. */
  askAgain(): void {
    for (const state of this.#run.machines.all()) {
      if (state.askAtMs === null || this.#run.nowMs < state.askAtMs) continue;
      state.askAtMs = null;
      // Of others the host may have no trace yet: they wait in a line, or were sent a moment ago.
      const claimed = [...this.#run.flights.on(state.key)].filter((flight) => flight.claimed);
      for (const flight of claimed) flight.claimed = false;
      const open = claimed.filter((flight) => flight.phase !== "started");
      // On a full disk the claim that was to forbid one is empty itself; who asks only would see it being claimed for ever.
      const isToForbid = (flight: Flight): boolean => this.#isToForbid(flight, state.boot);
      this.#ask(state, open.filter((flight) => !isToForbid(flight)), open.filter(isToForbid));
    }
  }

  /** Time in which nobody listened is no silence. */
  stoodStill(ms: number): void {
    for (const state of this.#run.machines.all()) if (state.silentSinceMs !== null) state.silentSinceMs += ms;
    if (this.#allDownSinceMs !== null) this.#allDownSinceMs += ms;
  }

  /** Gives up the jobs of machines that were silent for too long. */
  giveUpSilent(): void {
    for (const state of this.#run.machines.all()) {
      if (state.silentSinceMs === null || this.#run.nowMs < state.silentSinceMs + this.#run.timeoutMs) continue;
      for (const flight of [...this.#run.flights.on(state.key)]) {
        if (flight.phase === "lost") continue;
        this.#attempts.giveUp(
          flight,
          `${machineText(state.machine)} did not answer for ${this.#run.timeoutMs / 60_000} minutes`,
        );
      }
    }
  }

  /** True once the first attempts to connect have all been answered, or the time for that is over. */
  isSettled(): boolean {
    if (this.#settleAtMs === null) return true;
    const isPending = ({ phase }: MachineState): boolean => phase === "connecting" || phase === "asking";
    // Without a list of hosts (fifo) there is no order to keep, and nothing may be left to wake for.
    const isOrdered = this.#run.slots.hosts.length > 0;
    if (isOrdered && this.#run.nowMs < this.#settleAtMs && [...this.#run.machines.all()].some(isPending)) return false;
    this.#settleAtMs = null;
    return true;
  }

  /** Tells once when no machine is left for what waits. @returns True when that has lasted for the whole time-out. */
  isHopeless(more: boolean): boolean {
    const run = this.#run;
    const isOpen = (key: string): boolean => (run.machines.get(key)?.openedAtMs ?? null) !== null;
    const usable = run.slots.hosts.some((host) => isOffered(host) && isOpen(machineKey(host.machine)));
    if (!more || usable || run.slots.hosts.length === 0) {
      this.#allDownSinceMs = null;
      this.#allDownTold = false;
      return false;
    }
    this.#allDownSinceMs ??= run.nowMs;
    if (run.nowMs >= this.#allDownSinceMs + run.timeoutMs) return true;
    const isFirstTry = (state: MachineState): boolean => state.phase === "connecting" && state.failures === 0;
    if (!this.#allDownTold && ![...run.machines.all()].some(isFirstTry)) {
      this.#allDownTold = true;
      report(run, { type: "all_down", timeoutMs: run.timeoutMs });
    }
    return false;
  }

  /** When something is due next, epoch ms; Infinity for never. */
  get wakeAtMs(): number {
    let at = this.#settleAtMs ?? Infinity;
    if (this.#allDownSinceMs !== null) at = Math.min(at, this.#allDownSinceMs + this.#run.timeoutMs);
    for (const state of this.#run.machines.all()) {
      if (state.phase === "down") at = Math.min(at, state.retryAtMs);
      if (state.askAtMs !== null) at = Math.min(at, state.askAtMs);
      if (state.silentSinceMs !== null && this.#run.flights.anyOn(state.key)) {
        at = Math.min(at, state.silentSinceMs + this.#run.timeoutMs);
      }
    }
    return at;
  }

  /** Asks; until the answer is here no job starts on that machine, since what runs there takes slots. */
  #ask(state: MachineState, ask: readonly Attempt[], forbid: readonly Attempt[]): void {
    state.phase = ask.length + forbid.length > 0 ? "asking" : "up";
    if (state.phase === "up") return this.#run.slots.machineUp();
    const plain = ({ job, attempt }: Attempt): Attempt => ({ job, attempt });
    this.#run.effects.push({ type: "ask", machine: state.key, ask: ask.map(plain), forbid: forbid.map(plain) });
  }

  #tellUnknown({ key, machine }: MachineState): void {
    const { flights, timeoutMs } = this.#run;
    const jobs = [...flights.on(key)].filter((flight) => flight.phase === "inherited").map((flight) => flight.job);
    if (jobs.length === 0 || this.#unknownTold.has(key)) return;
    this.#unknownTold.add(key);
    report(this.#run, { type: "unknown", jobs, machine: machineText(machine), timeoutMs });
  }

  /**
   * Nobody here knows whether it was let in from a line; or nobody wants its start any more; or it is of an earlier run, and no host has
   * said of it that it runs: its job may have been deleted since, and as long as its claim is not finished nothing else would start on
   * this machine. After another boot its claim may be lost, and it is only asked about.
   */
  #isToForbid(flight: Flight, boot: string | null): boolean {
    const isUnseen = flight.phase === "inherited" && this.#run.jobs.get(flight.job)?.status !== "start";
    return flight.boot === boot && (isUnseen || waitsForWord(flight) || this.#isUnwanted(flight));
  }

  /** True if it was sent, and the host has not said that it runs, and its job is to be ended, or is gone. */
  #isUnwanted(flight: Flight): boolean {
    return flight.phase === "sent" && (flight.killWanted || !isOf(flight, this.#run.jobs.get(flight.job)));
  }

  #connect(state: MachineState): void {
    state.phase = "connecting";
    state.silentSinceMs ??= this.#run.nowMs;
    this.#run.effects.push({ type: "connect", machine: state.machine });
  }

  #offers(key: string): boolean {
    return this.#run.slots.hosts.some((host) => isOffered(host) && machineKey(host.machine) === key);
  }
}

function isOffered(host: { active: boolean; capacity: number }): boolean {
  return host.active && host.capacity > 0;
}

/** True if it was sent into a line, and the host has not said since that it runs. */
function waitsForWord(flight: Flight): boolean {
  return flight.phase === "sent" && flight.line !== null;
}
