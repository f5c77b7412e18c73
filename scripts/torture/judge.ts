/**
 * Compares what the queue says with what ran, when all is quiet again. Pure: what was found in the files goes in, what
 * is wrong comes out.
 *
 * @module
 */

import { type Deed, type Finding, type Invariant, INVARIANTS, type Trouble } from "./deeds.ts";
import { attemptNumber, isAttemptOf, jobIdOf } from "../../src/job/attempt.ts";
import type { Ran, Tries } from "./jobs.ts";

/** A job as its queue file has it. */
export interface Entry {
  readonly id: string;
  readonly status: string;
  readonly host: string | null;
  readonly attempt: number;
  readonly exitCode: number | null;
  readonly note: string | null;
}

/** All that a round left behind. */
export interface Evidence {
  readonly jobs: ReadonlyMap<string, Entry>;
  /** In the order of their starts. */
  readonly ran: readonly Ran[];
  /** Last state in a job's log on the host that the queue file names; null if there is no log, or no state in it. */
  readonly logs: ReadonlyMap<string, string | null>;
  /** Jobs at once for each host. */
  readonly slots: ReadonlyMap<string, number>;
  /** Jobs at once over all hosts, which is the one limit of `fifo`; null if the slots are. */
  readonly maxParallel: number | null;
  /** Time limit and further tries that all jobs have; null or missing for none. */
  readonly tries?: Tries | null;
  readonly deeds: readonly Deed[];
  readonly troubles: readonly Trouble[];
}

/** What was found, and how many things were looked at for each invariant. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly looked: Readonly<Record<Invariant, number>>;
}

/**
 * A wrapper writes the end of a job a moment after the job has written its own: a power cut in between leaves a crash.
 */
const MOMENT_MS = 5_000;
/** A cut lasts no longer. What was sent ahead starts and ends on a host that is cut off, and nobody hears of it. */
const CUT_MS = 20_000;

/** Judges a round. */
export function judge(evidence: Evidence): Verdict {
  const court = new Court(evidence);
  court.judgeAttempts();
  court.judgeSlots();
  court.judgeDeeds();
  for (const [name, entry] of evidence.jobs) court.judgeState(name, entry);
  return { findings: court.findings, looked: court.looked };
}

class Court {
  readonly findings: Finding[] = [];
  readonly looked = Object.fromEntries(Object.keys(INVARIANTS).map((name) => [name, 0])) as Record<Invariant, number>;
  readonly #evidence: Evidence;
  readonly #ranOf: ReadonlyMap<string, readonly Ran[]>;
  readonly #deedsOf = new Map<string, Deed[]>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#ranOf = Map.groupBy(evidence.ran.toSorted((a, b) => a.startMs - b.startMs), ({ job }) => job);
    for (const deed of evidence.deeds) {
      for (const name of deed.names) this.#deedsOf.set(name, [...this.#deedsOf.get(name) ?? [], deed]);
    }
  }

  /** Each attempt once, one after the other, and none that nobody asked for. */
  judgeAttempts(): void {
    for (const [job, runs] of this.#ranOf) {
      this.looked.doubled += runs.length;
      let tries = 0;
      runs.forEach((run, i) => {
        this.#judgeLimit(job, run);
        const before = runs[i - 1];
        if (before === undefined) return;
        const both = `${show(before)} and ${show(run)}`;
        const isSameJob = jobIdOf(before.attempt) === jobIdOf(run.attempt);
        if (before.attempt === run.attempt) this.#find("doubled", `${job}: the same attempt ran twice: ${both}`);
        if (run.startMs < before.lastMs && !this.#wasSilent(before) && !this.#isUnheard(before, run)) {
          this.#find("doubled", `${job}: two attempts at once: ${both}`);
        }
        if (isSameJob && attemptNumber(run.attempt) < attemptNumber(before.attempt)) {
          this.#find("doubled", `${job}: an earlier attempt came later: ${both}`);
        }
        if (!isSameJob || this.#asked(job, before, run)) tries = 0;
        else if (!this.#isRetried(before, run, ++tries)) {
          this.#find("doubled", `${job}: ran again unasked: ${both}`);
        }
      });
    }
  }

  /** As many at once as there are slots. */
  judgeSlots(): void {
    const { ran, slots, maxParallel } = this.#evidence;
    if (maxParallel === null) {
      for (const [host, most] of slots) this.#judgeAtOnce(host, ran.filter((run) => run.host === host), most);
      return;
    }
    // Those that were given up no longer count.
    this.#judgeAtOnce("all hosts", ran.filter((run) => !this.#wasSilent(run)), maxParallel);
  }

  /** What was acknowledged. */
  judgeDeeds(): void {
    for (const [name, deeds] of this.#deedsOf) {
      for (const deed of deeds) {
        if (!deed.done || deed.type === "save" || deed.type === "drop") continue;
        this.looked.lost++;
        // What overlaps it or follows it may have changed it again.
        const later = deeds.filter((other) => other !== deed && other.toMs >= deed.fromMs);
        const has = (...types: Deed["type"][]) => later.some(({ type }) => types.includes(type));
        const entry = this.#evidence.jobs.get(name);
        const when = `at ${(deed.toMs / 1000).toFixed(1)}`;
        if (deed.type === "add" && entry === undefined && !has("delete", "drop")) {
          this.#find("lost", `${name}: added ${when}, and it is not there`);
        }
        if (deed.type === "delete" && !has("add")) this.#judgeDeleted(name, deed, entry);
        if (
          deed.type === "note" && entry !== undefined && entry.note !== deed.text &&
          !has("add", "delete", "drop", "note")
        ) {
          this.#find("lost", `${name}: the edit ${when} is gone: ${deed.text}`);
        }
        if (deed.type === "reset" && entry !== undefined && !has("add", "delete", "drop", "save")) {
          const last = this.#ranOf.get(name)?.at(-1);
          // Whether its host was in trouble is looked at with its state.
          const isFailed = entry.status === "crash" || entry.status === "fail_start";
          if (last !== undefined && last.startMs < deed.fromMs && !isFailed) {
            this.#find("lost", `${name}: reset ${when}, and it never ran after that: ${show(last)}`);
          }
        }
      }
    }
  }

  /** The state of a job against its record, its log, and what happened to its host. */
  judgeState(name: string, entry: Entry): void {
    this.looked.state++;
    this.looked.lost++;
    const wrong = (why: string): void => this.#find("state", `${name} is ${entry.status}: ${why}`);
    const attempt = `${entry.id}.${entry.attempt}`;
    const runs = (this.#ranOf.get(name) ?? []).filter((run) => isAttemptOf(run.attempt, entry.id));
    const run = runs.find((each) => each.attempt === attempt);
    const later = runs.find((each) => attemptNumber(each.attempt) > entry.attempt);
    if (later !== undefined) wrong(`the queue knows ${entry.attempt} attempts, but ${show(later)}`);
    if (run !== undefined && run.host !== entry.host) wrong(`it ran on ${run.host}, and the queue says ${entry.host}`);
    const log = this.#evidence.logs.get(name) ?? null;
    switch (entry.status) {
      case "undefined":
      case "ready":
        return this.#find("lost", `${name} is ${entry.status}, and no run is left that could start it`);
      case "run":
      case "start":
        return wrong("nothing runs");
      case "end":
        if (run === undefined) return wrong("it never started");
        if (run.code === null) wrong(`it did not come to its end: ${show(run)}`);
        else if (run.code !== entry.exitCode) wrong(`exit code ${entry.exitCode} in place of ${run.code}`);
        break;
      case "kill":
        if (!this.#has(name, "reset", "delete") && !this.#isAtLimit(run)) wrong("nobody asked for it");
        break;
      case "crash":
        if (!this.#mayCrash(entry.host ?? "", run)) {
          wrong(`nothing happened to ${entry.host}${run === undefined ? "" : `: ${show(run)}`}`);
        }
        break;
      case "fail_start":
        if (!this.#evidence.troubles.some(({ host }) => host === entry.host)) {
          wrong(`nothing happened to ${entry.host}`);
        }
        return;
      default:
        return wrong("there is no such state");
    }
    // Without a start there may be no directory.
    // A command that was killed between the removal of directories and its record of that.
    const isHalfDone = this.#deedsOf.get(name)?.some(({ type, done }) =>
      !done && (type === "reset" || type === "delete")
    );
    if (log === null && isHalfDone === true) return;
    if (log !== entry.status && (log !== null || run !== undefined)) wrong(`its log on ${entry.host} says ${log}`);
  }

  #find(invariant: Invariant, text: string): void {
    this.findings.push({ invariant, text });
  }

  #has(name: string, ...types: Deed["type"][]): boolean {
    return this.#deedsOf.get(name)?.some(({ type }) => types.includes(type)) ?? false;
  }

  /**
   * Whether a job's host was cut off for so long that it was given up: it may run on, and a reset lets another attempt
   * start elsewhere.
   */
  #wasSilent(run: Ran): boolean {
    return this.#evidence.troubles.some(({ type, host, atMs }) =>
      type === "silent" && host === run.host && atMs >= run.startMs - MOMENT_MS && atMs <= run.lastMs
    );
  }

  /** Whether somebody asked for another attempt between two starts. */
  #asked(job: string, before: Ran, after: Ran): boolean {
    return this.#deedsOf.get(job)?.some(({ type, fromMs, toMs }) =>
      (type === "reset" || type === "save") && toMs >= before.startMs && fromMs <= after.startMs
    ) ?? false;
  }

  /**
   * Whether an attempt that nobody asked for is a further try: the one before failed, its host lost its power before
   * the end was written there, or was silent before anybody heard of it.
   */
  #isRetried(before: Ran, after: Ran, number: number): boolean {
    const { tries = null } = this.#evidence;
    return tries !== null && number <= tries.retries &&
      (before.code !== 0 || this.#isAtLimit(before) || this.#mayCrash(before.host, before) ||
        this.#isUnheard(before, after));
  }

  /** Where jobs are tried elsewhere: whether the host may have been given up before it could tell of an attempt. */
  #isUnheard(before: Ran, after: Ran): boolean {
    return (this.#evidence.tries ?? null) !== null &&
      this.#evidence.troubles.some(({ type, host, atMs }) =>
        type === "silent" && host === before.host && atMs >= before.startMs - CUT_MS &&
        atMs <= Math.min(after.startMs, before.lastMs + CUT_MS)
      );
  }

  /** Whether it ran as long as it may. One that ignores TERM may come to its end in the grace. */
  #isAtLimit(run: Ran | undefined): boolean {
    const { tries = null } = this.#evidence;
    return tries !== null && run !== undefined && run.lastMs - run.startMs > tries.limitMs - MOMENT_MS / 4;
  }

  /** No attempt runs for much longer than its time limit allows. */
  #judgeLimit(job: string, run: Ran): void {
    const { tries = null } = this.#evidence;
    if (tries === null || run.lastMs - run.startMs <= tries.limitMs + tries.graceMs + 2 * MOMENT_MS) return;
    this.#find("state", `${job}: ran beyond its time limit: ${show(run)}`);
  }

  #judgeAtOnce(where: string, ran: readonly Ran[], most: number): void {
    this.looked.slots += ran.length;
    // One that wrote nothing but its start may have been over at once.
    const lasting = ran.filter(({ startMs, lastMs }) => lastMs > startMs);
    const steps = lasting.flatMap((run) => [
      { atMs: run.startMs, change: 1, run },
      { atMs: run.lastMs, change: -1, run },
    ]);
    // At the same time the ends come first: uptimes are told in hundredths of a second.
    steps.sort((a, b) => a.atMs - b.atMs || a.change - b.change);
    const now = new Set<Ran>();
    for (const { atMs, change, run } of steps) {
      if (change < 0) now.delete(run);
      else now.add(run);
      if (now.size <= most) continue;
      const which = [...now].map((each) => `${each.job} ${show(each)}`).join("; ");
      this.#find("slots", `${now.size} at once on ${where} at ${atMs / 1000}, where ${most} may be: ${which}`);
      return;
    }
  }

  #judgeDeleted(name: string, deed: Deed, entry: Entry | undefined): void {
    const when = `deleted at ${(deed.toMs / 1000).toFixed(1)}`;
    if (entry !== undefined) this.#find("lost", `${name}: ${when}, and it is there`);
    const late = this.#ranOf.get(name)?.find(({ startMs }) => startMs > deed.toMs);
    if (late !== undefined) this.#find("lost", `${name}: ${when}, and it started after that: ${show(late)}`);
  }

  /** Whether there was a reason for an attempt to vanish. */
  #mayCrash(host: string, run: Ran | undefined): boolean {
    if (run?.dying) return true;
    const troubles = this.#evidence.troubles.filter((trouble) => trouble.host === host && trouble.type !== "ssh");
    // It may have been lost on its way, or before it could write anything.
    if (run === undefined) return troubles.length > 0;
    return troubles.some(({ type, atMs }) =>
      type === "power" && atMs >= run.startMs && (run.code === null || run.lastMs > atMs - MOMENT_MS)
    );
  }
}

function show({ attempt, host, startMs, lastMs, code }: Ran): string {
  const end = code === null ? "" : ` with ${code}`;
  return `${attempt.slice(-8)} on ${host} ${startMs / 1000}-${lastMs / 1000}${end}`;
}
