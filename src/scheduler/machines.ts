/**
 * The machines of a run and how they stand: whether a link is open, when to try again, since when they are silent.
 * Pure.
 *
 * @module
 */

import { endOfAllocation } from "../agent/boot.ts";
import { type Machine, machineKey } from "../cluster/machine.ts";
import { placeOf } from "../cluster/slurm_place.ts";

/**
 * - `idle`: not asked for yet. `connecting`: an attempt is under way. `down`: the last attempt failed, or the link
 *   broke.
 * - `asking`: the link is open, but what runs there from before is not yet known: no job starts there.
 * - `up`: ready for jobs.
 */
export type MachinePhase = "idle" | "connecting" | "asking" | "up" | "down";

/** One machine. */
export class MachineState {
  machine: Machine;
  readonly key: string;
  /** Machines are gone through in the order of these. */
  readonly place: number;
  /** It is a node of an allocation, which comes and goes. */
  readonly isNode: boolean;
  /** Boot that the last hello named; null before the first. */
  boot: string | null = null;
  /** It stands for an allocation that is over: nothing starts there. */
  isOver = false;
  /** Its allocation is near its end, as it said itself. */
  isClosing = false;
  /** The last hello named the same boot as the one before it. */
  isAgain = false;
  /** Since when the link is open; null while it is not. */
  openedAtMs: number | null = null;
  /** Attempts to connect that failed since the link was last open. */
  failures = 0;
  /** When to try again, while `down`. */
  retryAtMs = 0;
  /** Why the last attempt failed. */
  reason = "";
  /** What a request and its answer take on the way, ms; null until known. */
  roundTripMs: number | null = null;
  /** Questions whose answers are not here yet. */
  questions = 0;
  readonly #changed: (state: MachineState) => void;
  #phase: MachinePhase = "idle";
  #silentSinceMs: number | null = null;
  #askAtMs: number | null = null;
  #lookAtMs: number | null = null;

  /** @param changed Is told when {@link MachineState.isRestless} may be another. */
  constructor(
    machine: Machine,
    { key, place }: Pick<MachineState, "key" | "place">,
    changed: (state: MachineState) => void,
  ) {
    this.machine = machine;
    this.key = key;
    this.place = place;
    this.isNode = placeOf(machine) !== null;
    this.#changed = changed;
  }

  /** Something of it may be due by itself. Of all others nobody has to think before an event says so. */
  get isRestless(): boolean {
    return this.#phase !== "up" || (this.#silentSinceMs ?? this.#askAtMs ?? this.#lookAtMs) !== null;
  }

  get phase(): MachinePhase {
    return this.#phase;
  }

  set phase(phase: MachinePhase) {
    this.#phase = phase;
    this.#changed(this);
  }

  /** Since when nothing was heard of it; null while its link is open. */
  get silentSinceMs(): number | null {
    return this.#silentSinceMs;
  }

  set silentSinceMs(ms: number | null) {
    this.#silentSinceMs = ms;
    this.#changed(this);
  }

  /** When to ask again about attempts that were just being claimed; null for never. */
  get askAtMs(): number | null {
    return this.#askAtMs;
  }

  set askAtMs(ms: number | null) {
    this.#askAtMs = ms;
    this.#changed(this);
  }

  /** The same about those that live on another machine; starts go on meanwhile. */
  get lookAtMs(): number | null {
    return this.#lookAtMs;
  }

  set lookAtMs(ms: number | null) {
    this.#lookAtMs = ms;
    this.#changed(this);
  }
}

/** First pause after a failed attempt; doubles with each, up to the second number. */
const RETRY_MS = [1_000, 30_000] as const;
/** The same where trying again will hardly help (a wrong host key, a missing program). */
const LASTING_RETRY_MS = 60_000;
/** A link that was open for this long counts as having worked. */
const STEADY_MS = 10_000;

/** All machines of a run by key. */
export class Machines {
  /** One of them is or was a node of an allocation. */
  hasNodes = false;
  readonly #byKey = new Map<string, MachineState>();
  readonly #restless = new Set<MachineState>();
  /** The same in order; null when they are others since. */
  #inOrder: readonly MachineState[] | null = null;
  #made = 0;
  /** Keys that proved to be other names of a machine, each with the key that counts. */
  readonly #same = new Map<string, string>();

  /** The state of a machine, made `idle` if it is new. An address, once known, is kept. */
  of(machine: Machine): MachineState {
    const own = machineKey(machine);
    const key = this.#keyOf(own);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (machine.address !== null && key === own) known.machine = machine;
      return known;
    }
    const state = new MachineState(machine, { key, place: this.#made++ }, (one) => this.#changed(one));
    this.hasNodes ||= state.isNode;
    this.#byKey.set(key, state);
    this.#changed(state);
    return state;
  }

  /**
   * Those of which something may be due, in their order: of thousands most are up, and each event looks at the rest.
   */
  restless(): readonly MachineState[] {
    return this.#inOrder ??= [...this.#restless].sort((a, b) => a.place - b.place);
  }

  #changed(state: MachineState): void {
    const isThere = state.isRestless && this.#byKey.get(state.key) === state;
    if (isThere === this.#restless.has(state)) return;
    if (isThere) this.#restless.add(state);
    else this.#restless.delete(state);
    this.#inOrder = null;
  }

  #remove(key: string): void {
    const state = this.#byKey.get(key);
    this.#byKey.delete(key);
    if (state !== undefined) this.#changed(state);
  }

  get(key: string): MachineState | undefined {
    return this.#byKey.get(this.#keyOf(key));
  }

  /** From now on a name stands for another machine's. */
  join(key: string, as: string): void {
    this.#remove(key);
    for (const [other, counts] of this.#same) if (counts === key) this.#same.set(other, as);
    this.#same.set(key, as);
  }

  /** Nothing is left of a machine that came and went. */
  forget(key: string): void {
    this.#remove(key);
  }

  /** Hosts whose machines have the names that count. */
  named<H extends { readonly machine: Machine }>(hosts: readonly H[]): readonly H[] {
    if (this.#same.size === 0) return hosts;
    return hosts.map((host) => {
      const as = this.#same.get(machineKey(host.machine));
      return as === undefined ? host : { ...host, machine: this.#byKey.get(as)!.machine };
    });
  }

  #keyOf(key: string): string {
    return this.#same.get(key) ?? key;
  }

  all(): Iterable<MachineState> {
    return this.#byKey.values();
  }

  /** True if the link is open and jobs may start there. */
  isUp(key: string): boolean {
    const state = this.get(key);
    return state?.phase === "up" && !state.isOver;
  }

  /** True while it is being connected to for the first time, or asked. */
  static isFirstWord({ phase, failures, boot }: MachineState): boolean {
    return phase === "asking" || (phase === "connecting" && failures === 0 && boot === null);
  }

  /** Notes that the link is open. */
  static open(state: MachineState, boot: string, nowMs: number): void {
    state.isAgain = state.boot === boot;
    state.boot = boot;
    state.isOver = endOfAllocation(boot) !== null;
    state.silentSinceMs = null;
    state.openedAtMs = nowMs;
    state.questions = 0;
    state.reason = "";
  }

  /** Notes that it is asked: no job starts there until all that is asked is answered. */
  static ask(state: MachineState): void {
    state.phase = "asking";
    state.questions++;
  }

  /** Notes an answer. @returns True if nothing that was asked is open, and nothing is to be asked again. */
  static answered(state: MachineState): boolean {
    state.questions = Math.max(0, state.questions - 1);
    return state.phase === "asking" && state.questions === 0 && state.askAtMs === null;
  }

  /** Notes that nobody needs the link, and it is closed. */
  static close(state: MachineState, nowMs: number): void {
    state.phase = "idle";
    state.openedAtMs = null;
    state.silentSinceMs ??= nowMs;
    state.askAtMs = null;
    state.lookAtMs = null;
  }

  /**
   * Notes a failed attempt, or a link that broke. The pause before the next attempt grows with each failure in a row; a
   * link that had been open for a while is opened again at once, since most breaks are short. `timeoutMs`: a machine
   * silent for so long is given up; before that it is tried more than once.
   */
  static fail(
    state: MachineState,
    reason: string,
    options: { nowMs: number; lasting: boolean; timeoutMs: number },
  ): void {
    const steady = state.openedAtMs !== null && options.nowMs - state.openedAtMs >= STEADY_MS;
    if (steady) state.failures = 0;
    const pauseMs = options.lasting ? LASTING_RETRY_MS : Math.min(RETRY_MS[0] * 2 ** state.failures, RETRY_MS[1]);
    state.retryAtMs = steady ? options.nowMs : options.nowMs + Math.min(pauseMs, options.timeoutMs / 3);
    if (!steady) state.failures++;
    state.phase = "down";
    state.reason = reason;
    state.openedAtMs = null;
    state.silentSinceMs ??= options.nowMs;
    state.askAtMs = null;
    state.lookAtMs = null;
  }
}
