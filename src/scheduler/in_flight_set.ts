/**
 * All attempts in flight, by job and by machine. The one place that moves an attempt from stage to stage: what depends
 * on the stage (the numbers, the two sets of a backlog) follows here. Pure bookkeeping.
 *
 * @module
 */

import type { AttemptRef } from "../job/attempt.ts";
import { userOf } from "../cluster/machine.ts";
import type { JobName } from "../names/grammar.ts";
import type { AttemptStage, InFlight } from "./in_flight.ts";

/** Attempts in flight, in the order of their starts. */
export class InFlightSet {
  readonly #byJob = new Map<JobName, InFlight>();
  readonly #byMachine = new Map<string, Set<InFlight>>();
  /** Those of an earlier run, by the boot in which they were started. */
  readonly #earlier = new Map<string, Set<InFlight>>();
  readonly #counts: Record<AttemptStage["at"], number> = {
    inherited: 0,
    backlog: 0,
    sent: 0,
    running: 0,
    away: 0,
    given_up: 0,
  };

  /** Adds an attempt. One of the same job that was given up goes: its job was reset and is started again. */
  add(one: InFlight): void {
    const before = this.#byJob.get(one.job);
    if (before !== undefined) this.remove(before);
    this.#byJob.set(one.job, one);
    addTo(this.#byMachine, one.machine, one);
    if (one.request === null && one.boot !== null) addTo(this.#earlier, one.boot, one);
    this.#enter(one);
  }

  #move(one: InFlight, machine: string): void {
    this.#byMachine.get(one.machine)?.delete(one);
    (one as { machine: string }).machine = machine;
    addTo(this.#byMachine, one.machine, one);
  }

  /** Takes an attempt out, and out of its backlog. */
  remove(one: InFlight): void {
    if (!this.#byMachine.get(one.machine)?.delete(one)) return;
    if (this.#byJob.get(one.job) === one) this.#byJob.delete(one.job);
    this.#earlier.get(one.boot ?? "")?.delete(one);
    this.#leave(one);
  }

  /** Moves an attempt to a stage. `isFirst`: before all others of a backlog; behind them unless told. */
  setStage(one: InFlight, stage: AttemptStage, { isFirst = false } = {}): void {
    this.#leave(one);
    (one as { stage: AttemptStage }).stage = stage;
    const behind = isFirst && stage.at === "backlog" ? [...stage.backlog.waiting] : [];
    for (const other of behind) stageSet(other)?.delete(other);
    this.#enter(one);
    for (const other of behind) stageSet(other)?.add(other);
  }

  /** All that is in flight on a machine goes by another key of it. @returns What that is. */
  rename(from: string, to: string): InFlight[] {
    const those = [...this.on(from)];
    for (const one of those) this.#move(one, to);
    this.#byMachine.delete(from);
    return those;
  }

  /**
   * What an earlier run started on a machine that answers now, under another of its names, which may be silent: the
   * boot tells. It goes by this name then, so that nothing starts there before it is asked about, and it is not taken
   * for gone. @returns What has moved.
   */
  found(machine: string, boot: string): InFlight[] {
    // The jobs of another user, and those of localhost, are in other directories.
    const those = [...this.#earlier.get(boot) ?? []].filter((one) =>
      one.machine !== machine && userOf(one.machine) === userOf(machine)
    );
    for (const one of those) this.#move(one, machine);
    return those;
  }

  get(job: JobName): InFlight | undefined {
    return this.#byJob.get(job);
  }

  /** True if an attempt on this machine lives on another, for all that is known. */
  anyAway(machine: string): boolean {
    return this.#counts.away > 0 && [...this.on(machine)].some(({ stage }) => stage.at === "away");
  }

  /** The record of this very attempt, or undefined. */
  of(job: JobName, attempt: string): InFlight | undefined {
    const one = this.#byJob.get(job);
    return one?.attempt === attempt ? one : undefined;
  }

  /** Does something with the record of this very attempt, if there is one. */
  with({ job, attempt }: AttemptRef, act: (one: InFlight) => void): void {
    const one = this.of(job, attempt);
    if (one !== undefined) act(one);
  }

  on(machine: string): Iterable<InFlight> {
    return this.#byMachine.get(machine) ?? [];
  }

  /** True if an attempt that is not given up is in flight there. */
  anyOn(machine: string): boolean {
    for (const one of this.on(machine)) if (one.stage.at !== "given_up") return true;
    return false;
  }

  /** Attempts that are not given up, prefetched ones too. */
  get open(): number {
    return this.#byJob.size - this.#counts.given_up;
  }

  /** Prefetched jobs that wait for a slot. */
  get waiting(): number {
    return this.#counts.backlog;
  }

  /** Jobs that have a slot. */
  get running(): number {
    return this.open - this.waiting;
  }

  /** Names of the jobs that have a slot, in the order of their starts, at most so many. */
  names(most = Infinity): JobName[] {
    const names: JobName[] = [];
    for (const { job, stage } of this.#byJob.values()) {
      if (names.length >= most) break;
      if (stage.at !== "given_up" && stage.at !== "backlog") names.push(job);
    }
    return names;
  }

  #enter(one: InFlight): void {
    this.#counts[one.stage.at]++;
    stageSet(one)?.add(one);
  }

  #leave(one: InFlight): void {
    this.#counts[one.stage.at]--;
    stageSet(one)?.delete(one);
  }
}

function addTo(sets: Map<string, Set<InFlight>>, key: string, one: InFlight): void {
  const there = sets.get(key);
  if (there === undefined) sets.set(key, new Set([one]));
  else there.add(one);
}

/** The set of its backlog that an attempt is in by its stage. */
function stageSet({ stage }: InFlight): Set<InFlight> | undefined {
  if (stage.at === "backlog") return stage.backlog.waiting;
  return stage.at === "sent" ? stage.backlog?.unconfirmed : undefined;
}
