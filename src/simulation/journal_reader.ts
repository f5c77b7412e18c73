/**
 * Reads over the manager's shoulder: each record that any of its processes appends to the journal is held against the
 * truth at once. A state that is written down must be true of what happened on the host; a start must come in the order
 * of the file.
 *
 * @module
 */

import { jobIdOf } from "../job/attempt.ts";
import { holdOf } from "../operations/job_reason.ts";
import type { Jobs } from "../store/changes.ts";
import type { Host } from "./host.ts";
import { before, isDue, TryWatch, whyNoTry, whyTooEarly } from "./order_watch.ts";
import { needAt, needsMore, onlyEntry, Patience, wrongRecord } from "./needs.ts";
import type { SimProcess } from "./process.ts";
import type { HostPlan } from "./scenario.ts";
import type { AttemptTruth } from "./attempt_truth.ts";
import type { Truth } from "./truth.ts";

/** The moves of docs/formats.md, written down a second time. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  undefined: ["ready", "run", "fail_start"],
  ready: ["undefined", "run", "fail_start"],
  run: ["start", "end", "kill", "crash", "fail_start", "undefined", "ready"],
  start: ["end", "kill", "crash"],
  end: ["undefined", "ready"],
  kill: ["undefined", "ready"],
  fail_start: ["undefined", "ready"],
  crash: ["undefined", "ready", "start", "end", "kill"],
};

/** A record of the journal as far as it matters here. */
interface RecordLine {
  readonly type: string;
  readonly job?: unknown;
  readonly name?: string;
  readonly id?: string;
  readonly was?: Record<string, unknown> | string | null;
  readonly fields?: Record<string, unknown>;
  readonly whole?: Record<string, unknown>;
}

/** What the reader needs of the world. */
export interface ReaderParts {
  readonly truth: Truth;
  readonly nowMs: () => number;
  /** By how much the wall clock was ahead at least, and at most, in this world so far. */
  wallAhead(): { readonly least: number; readonly most: number };
  readonly timeoutMs: number;
  /** The machine that a name leads to, or led to when it had that boot. */
  hostOf(machine: string, boot: string | null | undefined): Host | undefined;
  /** The queue as the process that runs it sees it; null if it is not known. */
  liveJobs(process: SimProcess): Jobs | null;
  /** True if the process warned of something it could not reach. */
  hasWarned(process: SimProcess): boolean;
  readonly hosts: readonly HostPlan[];
  /** True if what was decided a while ago may be written only now. */
  readonly isLate: () => boolean;
  /** When the process began. */
  beganMs(process: SimProcess): number;
  readonly isReset: (process: SimProcess) => boolean;
  /** Why it must not start anything in this slot. */
  whyStill(process: SimProcess, slot: string | null): string | null;
  readonly trace: (...words: unknown[]) => void;
  /** A record that settles what is to become of a name. */
  onRecord(process: SimProcess, name: string, type: string, id: string | null, status: string | null): void;
}

/** The reader. */
export class JournalReader {
  readonly #parts: ReaderParts;
  readonly #unsynced = new Set<AttemptTruth>();
  /** The number of the last attempt of each job id. */
  readonly #numbers = new Map<string, number>();
  /** By process: ids of the jobs that it has passed, in file order. */
  readonly #passed = new WeakMap<SimProcess, Set<string>>();
  /** Ids of jobs that somebody made wait again: they may stand behind the cursor. */
  readonly #disturbed = new Set<string>();
  readonly #tries = new TryWatch();
  readonly #patience = new Patience();
  /** Names that had a start: a job that is added with one after a deletion may wait for the end of the earlier one. */
  readonly #started = new Set<string>();
  /** Ids of jobs that the present commit has moved: the live view does not show it yet. */
  readonly #batch = new Set<string>();

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Bytes were appended. */
  read(process: SimProcess, bytes: Uint8Array): void {
    this.#batch.clear();
    for (const line of new TextDecoder().decode(bytes).split("\n")) {
      if (line !== "") this.#take(process, JSON.parse(line));
    }
  }

  /** A sync begins. At its end, what it gives is called: all that was appended before is durable. */
  syncing(): () => void {
    const begun = [...this.#unsynced];
    return () => begun.forEach((attempt) => attempt.isDurable = this.#unsynced.delete(attempt) || attempt.isDurable);
  }

  /** A person's edit: any job may wait again anywhere. */
  disturb(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#disturbed.add(id);
      this.#tries.reset(id);
    }
  }

  /** The power went: decisions that were not durable may be gone, and their numbers come again. */
  powerCut(numbers: ReadonlyMap<string, number>): void {
    for (const attempt of this.#unsynced) {
      const id = jobIdOf(attempt.id);
      if ((numbers.get(id) ?? Infinity) < attempt.number) attempt.decided = null;
      else attempt.isDurable = true;
    }
    this.#unsynced.clear();
    for (const [id, number] of numbers) this.#numbers.set(id, number);
  }

  #take(process: SimProcess, record: RecordLine): void {
    const { truth, onRecord } = this.#parts;
    if (record.type === "put") {
      const job = record.job as Record<string, unknown>;
      const was = record.was as string | null;
      if (was !== null) this.#goes(process, was, record.name!, "replaced");
      else if (this.#started.has(record.name!)) this.#disturbed.add(String(job.id));
      onRecord(process, record.name!, "put", String(job.id), null);
      return;
    }
    if (record.type === "delete") {
      this.#goes(process, record.id!, String(record.job), "deleted");
      onRecord(process, String(record.job), "delete", record.id!, null);
      return;
    }
    if (record.type !== "set") return;
    if (record.fields?.history === null) this.#tries.reset(record.id!);
    if (record.fields?.status === undefined) return;
    const name = String(record.job);
    const from = String((record.was as Record<string, unknown>).status);
    const to = String(record.fields.status);
    if (from === to) return;
    const { attempt, exit_code: code } = record.fields;
    this.#parts.trace(process.name, "writes", name, from, "->", to, attempt ?? "", code ?? "");
    if (MOVES[from]?.includes(to) !== true) truth.fail(`job ${name} moves from ${from} to ${to}`);
    onRecord(process, name, "set", record.id!, to);
    this.#batch.add(record.id!);
    if (to === "run") {
      this.#started.add(name);
      return this.#decided(process, name, record);
    }
    const number = Number(record.fields.attempt ?? this.#numbers.get(record.id!) ?? 0);
    if (number > 0) this.#moved(process, name, to, from, truth.of(`${record.id}.${number}`), record.fields);
    if (to === "ready" || to === "undefined") {
      if (/^(end|kill|crash|fail_start)$/.test(from)) this.#again(process, record.id!);
      // Only the run itself puts a job back as one that is to be considered.
      if (this.#passed.has(process)) this.#passed.get(process)!.delete(record.id!);
      else this.#disturbed.add(record.id!);
    }
  }

  #decided(process: SimProcess, name: string, record: RecordLine): void {
    const { truth, nowMs } = this.#parts;
    const fields = record.fields!;
    const attempt = truth.of(`${record.id}.${fields.attempt}`);
    if (attempt.isAsked || attempt.isNever) truth.fail(`attempt ${attempt.id} of ${name} is decided a second time`);
    const whole = record.whole ?? {};
    const { user, host } = { ...whole, ...fields };
    attempt.decided = {
      machine: host === "localhost" ? "localhost" : `${user}@${host}`,
      boot: fields.boot as string | null,
      atMs: nowMs(),
      by: process,
    };
    attempt.need = needAt(this.#parts.isLate() ? null : this.#parts.liveJobs(process), record.id!);
    const wrong = wrongRecord(attempt.need, "devices" in fields ? fields.devices : whole.devices);
    if (wrong !== null) truth.fail(`job ${name} starts with ${wrong}`);
    attempt.isDurable = false;
    this.#unsynced.add(attempt);
    this.#numbers.set(record.id!, Number(fields.attempt));
    this.#checkOrder(process, name, record.id!, fields.slot as string | null);
  }

  /** A job that was over waits: somebody reset it, or it has a try left. */
  #again(process: SimProcess, id: string): void {
    if (this.#parts.isReset(process)) return this.#tries.reset(id);
    const job = [...this.#parts.liveJobs(process)?.values() ?? []].find((one) => one.id === id);
    if (job === undefined) return;
    const last = this.#parts.truth.of(`${id}.${job.attempt}`);
    // What was sent may still arrive on a host that is silent.
    if (last.starts === 0 && job.retry_on?.includes("lost")) Object.assign(last, { isLost: true, isNever: false });
    // One that was given up may prove never to have started: that is no try.
    const isTry = !this.#disturbed.has(id) && !(job.status === "crash" && last.starts === 0);
    const wrong = whyNoTry(job, last.isAlive) ?? (isTry ? this.#tries.again(job) : null);
    if (wrong !== null) this.#parts.truth.fail(wrong);
  }

  /** No job that comes before it may wait that the run has not considered, and it may start at all. */
  #checkOrder(process: SimProcess, name: string, id: string, slot: string | null): void {
    const jobs = this.#parts.liveJobs(process);
    const nowMs = this.#parts.nowMs();
    // What was decided before the disk was full is written behind what others did meanwhile.
    if (jobs === null || this.#parts.isLate()) return;
    let passed = this.#passed.get(process);
    if (passed === undefined) this.#passed.set(process, passed = new Set());
    const own = [...jobs.values()].find((job) => job.id === id);
    if (own === undefined) return;
    const { least, most } = this.#parts.wallAhead();
    const early = whyTooEarly(own, jobs, nowMs, most) ?? this.#parts.whyStill(process, slot);
    if (early !== null) this.#parts.truth.fail(`job ${name} starts, and ${early}`);
    // What people are told must be what the run does.
    const said = holdOf(own, { jobs, nowMs: nowMs + most + 1 });
    if (said !== null) this.#parts.truth.fail(`job ${name} starts, and explain says: ${said}`);
    this.#patience.started(process, id);
    for (const job of before(own, jobs)) {
      const waits = job.status === "ready" || job.status === "undefined";
      if (waits && !isDue(job, jobs, nowMs, least)) continue;
      if (waits && needsMore(job)) {
        const wrong = this.#patience.passed(process, job, { only: onlyEntry(job, this.#parts.hosts), slot, nowMs });
        if (wrong && !this.#disturbed.has(job.id)) this.#parts.truth.fail(`job ${name} starts on ${slot}, ${wrong}`);
        continue;
      }
      if (waits && !passed.has(job.id) && !this.#disturbed.has(job.id) && !this.#batch.has(job.id)) {
        this.#parts.truth.fail(`job ${name} starts before ${job.name}, which comes before it and waits`);
      }
      passed.add(job.id);
    }
    passed.add(id);
  }

  #moved(
    process: SimProcess,
    name: string,
    to: string,
    from: string,
    attempt: AttemptTruth,
    fields: Record<string, unknown>,
  ): void {
    const { truth } = this.#parts;
    const say = (text: string): void => truth.fail(`job ${name} (${attempt.id}) becomes ${to}, but ${text}`);
    if (to === "start") {
      if (attempt.starts === 0) say("it was never started");
      attempt.isAbandoned = attempt.isGivenUp = false;
      return;
    }
    const host = this.#parts.hostOf(attempt.decided?.machine ?? "", attempt.decided?.boot);
    if (attempt.isAlive) {
      const isGivenUp = to === "crash" && this.#wasSilent(process, host, attempt);
      const isAgain = attempt.isGivenUp && (to === "ready" || to === "undefined");
      const isReset = isAgain && this.#parts.isReset(process);
      attempt.isLost ||= isAgain && !isReset;
      attempt.isGivenUp ||= isGivenUp;
      attempt.isAbandoned ||= isReset && !isGivenUp;
      if (!isGivenUp && !attempt.isLost && !attempt.isAbandoned) say("it runs");
      return;
    }
    this.#movedOver(process, to, from, attempt, host, fields, say);
  }

  /** The job's process is gone, or never was. */
  #movedOver(
    process: SimProcess,
    to: string,
    from: string,
    attempt: AttemptTruth,
    host: Host | undefined,
    fields: Record<string, unknown>,
    say: (text: string) => void,
  ): void {
    const mayWait = this.#parts.isReset(process) || attempt.starts === 0 || attempt.isForgotten;
    switch (to) {
      case "end":
        if (attempt.how !== "exit") say(`it ended by ${attempt.how}`);
        else if ((fields.exit_code ?? attempt.code) !== attempt.code) say(`its code is ${attempt.code}`);
        return;
      case "kill":
        // One that waited in a backlog is recalled. Where a reset has removed the directory, its host says the same.
        if (attempt.starts === 0) attempt.isNever = true;
        else if (!attempt.isKillAsked && !attempt.isLimitHit && !attempt.isForgotten) say("nobody killed it");
        return;
      case "fail_start":
        if (from !== "run") return; // Nothing was sent.
        if (attempt.starts > 0) say("it was started");
        attempt.isNever = true;
        return;
      case "crash":
        if (!this.#mayCrash(process, attempt, host)) say(`it ended by ${attempt.how} with ${attempt.code}`);
        // It was sent perhaps, and may still arrive.
        attempt.isGivenUp ||= attempt.starts === 0 && this.#wasSilent(process, host, attempt);
        return;
      default:
        if (from === "run" && !mayWait) say("it was started");
        if (attempt.starts === 0 && attempt.isAsked) attempt.isNever = true;
    }
  }

  /** True if the manager had reason to take the attempt for crashed. */
  #mayCrash(process: SimProcess, attempt: AttemptTruth, host: Host | undefined): boolean {
    const { how, isWrapperKilled, isForgotten, starts } = attempt;
    if (how === "signal" || how === "power" || isWrapperKilled || isForgotten) return true;
    if (starts === 0 && this.#parts.truth.emptyClaims.has(attempt.job)) return true;
    if (host === undefined || `${host.machine}/${host.boot}` !== attempt.decided?.boot || host.wasFull) return true;
    return this.#wasSilent(process, host, attempt);
  }

  /** True if the host was, under the name under which this run decided the start, or, of an earlier run's, any name. */
  #wasSilent(process: SimProcess, host: Host | undefined, { decided }: AttemptTruth): boolean {
    const { nowMs, beganMs, timeoutMs, isLate } = this.#parts;
    if (host === undefined || isLate()) return true;
    const name = decided?.by === process ? decided.machine : null;
    return host.heard.wasSilent(process, name, { nowMs: nowMs(), sinceMs: beganMs(process), forMs: timeoutMs - 1 });
  }

  /** A job leaves the queue: nothing of it may run, or start later, unless somebody was told. */
  #goes(process: SimProcess, id: string, name: string, what: string): void {
    const { truth, hasWarned } = this.#parts;
    for (const attempt of truth.attemptsOf(id)) {
      if (attempt.isAlive && !attempt.isAbandoned) {
        if (!hasWarned(process) && !attempt.isGivenUp) truth.fail(`job ${name} was ${what} while ${attempt.id} runs`);
        attempt.isAbandoned = true;
      } else if (hasWarned(process)) attempt.isAbandoned = true;
      else if (attempt.starts === 0 && attempt.isAsked) attempt.isNever = true;
    }
  }
}
