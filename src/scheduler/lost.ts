/**
 * Attempts that were given up as their machine was silent, and whose jobs are tried elsewhere, as a person asked for by
 * `retry_on: lost`. When the machine answers again they are ended there before anything else starts. Part of the core;
 * pure but for the context that it changes.
 *
 * @module
 */

import { isElsewhere } from "../agent/boot.ts";
import { machineKey, machineOfJob, machineText, userOf } from "../cluster/machine.ts";
import { attemptId, attemptNumber, type AttemptRef, isAttemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import type { AttemptState } from "../link/link.ts";
import { report, type RunContext } from "./context.ts";
import type { InFlight } from "./in_flight.ts";

/** Pause before asking again about one that is being ended. */
const ASK_AGAIN_MS = 1_000;

/** One of them. */
interface LostAttempt extends AttemptRef {
  readonly machine: string;
  readonly shown: string;
  readonly boot: string | null;
  /** When the link was opened over which it was last killed. */
  killedAtMs: number | null;
  /** Nobody was told yet that it may have overlapped with another. */
  isNews: boolean;
}

/** All of them. */
export class Lost {
  readonly #run: RunContext;
  readonly #all = new Map<string, LostAttempt>();

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** Takes over those that an earlier run has left. */
  inherit(job: Job): void {
    for (const { attempt, user, host, boot } of job.history ?? []) {
      const machine = boot === undefined ? null : machineOfJob({ user, host });
      if (machine === null) continue;
      const { machines, slots } = this.#run;
      const [offered] = slots.on(machineKey(machine));
      const { key } = machines.of(offered?.machine ?? machine);
      const id = attemptId({ id: job.id, attempt });
      this.#add({ job: job.name, attempt: id, machine: key, shown: machineText(machine), boot: boot!, isNews: false });
    }
  }

  /** Its job is tried elsewhere. */
  add({ job, attempt, machine, shown, boot }: InFlight): void {
    this.#add({ job, attempt, machine, shown, boot, isNews: true });
  }

  #add(one: Omit<LostAttempt, "killedAtMs">): void {
    this.#all.set(one.attempt, { ...one, killedAtMs: null });
  }

  /** True if one of them may be on this machine. */
  anyOn(machine: string): boolean {
    return this.#all.size > 0 && this.#on(machine).length > 0;
  }

  #on(machine: string): LostAttempt[] {
    return [...this.#all.values()].filter((one) => one.machine === machine);
  }

  /** A machine goes by another key from now on. */
  rename(from: string, to: string): void {
    for (const one of this.#on(from)) this.#all.set(one.attempt, { ...one, machine: to });
  }

  /**
   * What a machine is to be asked, now that it answers. One that has not started yet is forbidden to. Where its name
   * leads to another machine now, that would prove nothing; where it was booted since, nothing of it is left.
   */
  questions(machine: string, boot: string | null): { ask: AttemptRef[]; forbid: AttemptRef[] } {
    if (this.#all.size === 0) return { ask: [], forbid: [] };
    this.#findUnderOtherNames(machine, boot);
    const those = this.#on(machine);
    return { ask: those.filter((one) => one.boot !== boot), forbid: those.filter((one) => one.boot === boot) };
  }

  /** A machine may answer under another of its names than the one that was silent: its boot tells. */
  #findUnderOtherNames(machine: string, boot: string | null): void {
    for (const one of this.#all.values()) {
      if (boot === null || one.boot !== boot || one.machine === machine) continue;
      // The jobs of another user, and those of localhost, are in other directories.
      if (userOf(one.machine) === userOf(machine)) this.#all.set(one.attempt, { ...one, machine });
    }
  }

  /** Takes in what a machine says of an attempt, if it is one of them. */
  answer({ attempt }: AttemptRef, state: AttemptState): void {
    const one = this.#all.get(attempt);
    const machine = one === undefined ? undefined : this.#run.machines.get(one.machine);
    if (one === undefined || machine === undefined) return;
    const isBlind = state.type === "none" || state.type === "claimed" || state.type === "other";
    if (state.type === "away" || (isBlind && isElsewhere(one.boot, machine.boot))) return;
    if (state.type !== "alive" && state.type !== "claimed") return this.#over(one);
    one.isNews = true;
    machine.askAtMs = this.#run.nowMs + ASK_AGAIN_MS;
    if (state.type === "claimed" || machine.openedAtMs === null || one.killedAtMs === machine.openedAtMs) return;
    one.killedAtMs = machine.openedAtMs;
    const { job } = one;
    this.#run.effects.push({ type: "kill", machine: one.machine, attempt: { job, attempt } });
  }

  /** The run ends: says so of those of which nobody has heard that they are over. */
  finish(): void {
    for (const one of this.#all.values()) {
      this.#say(one, `The first may still run: a run to come ends it when ${one.shown} answers`);
      one.isNews = false;
    }
  }

  /** It is over there for certain. The history keeps it: a later run asks once more, which costs little. */
  #over(one: LostAttempt): void {
    this.#all.delete(one.attempt);
    this.#say(one, "The first is over now");
  }

  #say({ job: name, attempt, shown, isNews }: LostAttempt, rest: string): void {
    const job = this.#run.jobs.get(name);
    const number = attemptNumber(attempt);
    if (!isNews || job === undefined || !isAttemptOf(attempt, job.id) || job.attempt <= number) return;
    const text =
      `Two attempts of job ${name} may have overlapped: ${number}, on ${shown}, which was silent, and a later ` +
      `one. ${rest}`;
    report(this.#run, { type: "warning", text });
  }
}
