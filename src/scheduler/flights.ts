/**
 * The jobs in flight: those whose start was decided and whose end is not known. Pure bookkeeping.
 *
 * @module
 */

import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import type { StartRequest } from "../link/link.ts";
import type { Line } from "./lines.ts";

/**
 * - `inherited`: in flight when the run began; its machine has not yet said what became of it.
 * - `sent`: its start was sent, or will be as soon as its machine is there again.
 * - `started`: the host has said that it runs.
 * - `lost`: given up because its machine was silent for too long; if that comes back, it is asked what really happened.
 */
export type FlightPhase = "inherited" | "sent" | "started" | "lost";

/** One job in flight. */
export interface Flight {
  readonly job: JobName;
  readonly attempt: string;
  /** Key of its machine. */
  readonly machine: string;
  /** As people name it: with the job's own user, also on localhost, which is one machine for all. */
  readonly shown: string;
  /** Boot of the machine when the start was decided; null if unknown. */
  readonly boot: string | null;
  /** What was sent; null for an inherited one, which is never sent again. */
  readonly request: StartRequest | null;
  phase: FlightPhase;
  /** By the host's clock; null until known. */
  startedAtMs: number | null;
  /** True once somebody asked to end it. */
  killWanted: boolean;
  /** The line on the host that it was sent into; null if it was sent without one, or by an earlier run. */
  line: Line | null;
  /** It was sent ahead and has no slot: it waits on the host, or has just been let in by it. */
  ahead: boolean;
  /** It is being called back. */
  recalled: boolean;
  /** Since when it waits for what comes next: its slot, or the host's word that it runs; epoch ms. */
  sinceMs: number;
  /** It was sent once more, over another link. */
  again: boolean;
  /** The host was just claiming it when it was asked: it is asked again. */
  claimed: boolean;
  /** How often that was so. */
  asked: number;
  /** It was told that it starts. */
  told: boolean;
}

/** True if it is of this very job, and not of one that had its name before. */
export function isOf(flight: Flight, job: Job | undefined): boolean {
  return job !== undefined && flight.attempt.startsWith(`${job.id}.`);
}

/** All flights, by job and by machine, in the order of their starts. */
export class Flights {
  readonly #byJob = new Map<JobName, Flight>();
  readonly #byMachine = new Map<string, Set<Flight>>();
  #lost = 0;
  #ahead = 0;

  add(flight: Flight): void {
    const before = this.#byJob.get(flight.job);
    if (before !== undefined) this.remove(before); // A lost one of a job that was reset and is started again.
    this.#byJob.set(flight.job, flight);
    if (flight.ahead) this.#ahead++;
    const there = this.#byMachine.get(flight.machine);
    if (there === undefined) this.#byMachine.set(flight.machine, new Set([flight]));
    else there.add(flight);
  }

  remove(flight: Flight): void {
    if (this.#byJob.get(flight.job) === flight) this.#byJob.delete(flight.job);
    this.#byMachine.get(flight.machine)?.delete(flight);
    if (flight.phase === "lost") this.#lost--;
    this.setAhead(flight, false);
  }

  /** Notes whether it waits for a slot. */
  setAhead(flight: Flight, ahead: boolean): void {
    if (flight.ahead === ahead) return;
    flight.ahead = ahead;
    this.#ahead += ahead ? 1 : -1;
  }

  /** Gives a flight up, or takes it back. A lost one counts as running no more. */
  setLost(flight: Flight, lost: boolean): void {
    if ((flight.phase === "lost") === lost) return;
    flight.phase = lost ? "lost" : "started";
    this.#lost += lost ? 1 : -1;
  }

  get(job: JobName): Flight | undefined {
    return this.#byJob.get(job);
  }

  /** The flight of this very attempt, or undefined. */
  of(job: JobName, attempt: string): Flight | undefined {
    const flight = this.#byJob.get(job);
    return flight?.attempt === attempt ? flight : undefined;
  }

  on(machine: string): Iterable<Flight> {
    return this.#byMachine.get(machine) ?? [];
  }

  /** True if a job that is not given up is in flight there. */
  anyOn(machine: string): boolean {
    for (const flight of this.on(machine)) if (flight.phase !== "lost") return true;
    return false;
  }

  /** Jobs in flight that are not given up, those that were sent ahead too. */
  get open(): number {
    return this.#byJob.size - this.#lost;
  }

  /** Jobs that were sent ahead and wait for a slot. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Jobs that have a slot: those in flight that are not given up and do not wait. */
  get running(): number {
    return this.open - this.#ahead;
  }

  /** Their names, in order of their starts. */
  names(): JobName[] {
    const names: JobName[] = [];
    for (const flight of this.#byJob.values()) if (flight.phase !== "lost" && !flight.ahead) names.push(flight.job);
    return names;
  }
}
