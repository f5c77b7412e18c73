/**
 * Claims and states as `src/agent/claims.sh` reads them: `c_walk`, `c_life`, `c_claim`, `c_close`, `c_state`, with the
 * same order of reads and writes. Where a shell could be interrupted between two of them, so can these.
 *
 * @module
 */

import { attemptNumber, isAttemptOf, jobIdOf } from "../job/attempt.ts";
import { isoSeconds } from "../job/job.ts";
import type { Host } from "./host.ts";
import { type ClaimLink, type JobDirectory, killMark, type LogText } from "./job_directory.ts";

/** Like `Steps`, with a result. */
export type Doing<T> = Generator<number, T, void>;

/** What `c_walk` finds. */
export interface Walk {
  /** The attempt's own link. */
  readonly found: ClaimLink | null;
  /** Where the next link goes. */
  readonly next: number;
  /** Another attempt that runs; a later one of the same job; the one that was started after `found`. */
  readonly live: string | null;
  readonly high: string | null;
  readonly after: string | null;
  /** The link that is being written. */
  readonly open: ClaimLink | null;
  /** There are claims of this queue (or job); of others. Without any the log tells. */
  readonly kin: boolean;
  readonly alien: boolean;
}

/** Who asks, and about what. */
export interface Asker {
  readonly job: string;
  readonly attempt: string;
  readonly queue: string;
  /** The agent knows that its directory is the manager's own. */
  readonly keep?: boolean;
}

/** How a claimed attempt lives, see `c_life`. */
export type Life = "claimed" | "wrapper" | "orphan" | "away" | "gone";

/** `c_away`. */
function isAway(host: Host, link: ClaimLink, log: LogText | null): boolean {
  if (link.machine === host.machine || link.fin) return false;
  return !(log?.attempt === link.attempt && /^(end|kill|crash)$/.test(log.state));
}

/** `c_life`. */
export function lifeOf(host: Host, directory: JobDirectory, link: ClaimLink): Life {
  if (link.kind === "F" || link.kind === "R" || link.done) return "gone";
  if (link.boot !== host.boot) return isAway(host, link, directory.log) ? "away" : "gone";
  if (host.isAlive(link.wrapper, link.wrapperTicks)) return link.kind === "P" ? "wrapper" : "claimed";
  if (link.kind === "") {
    // Its wrapper was ended before it could write the pid: the job can still be known by its mark.
    for (const process of host.processes()) {
      if ((process.kind !== "job" && process.kind !== "child") || process.mark !== link.attempt) continue;
      link.kind = "P";
      link.pid = process.pid;
      link.pidTicks = process.startTicks;
      link.startedMs = host.clockMs;
      link.startedAtMs = host.parts.truth.of(link.attempt!).startedAtMs;
      link.slot = slotOf(host, link.attempt!);
      break;
    }
  }
  return link.kind === "P" && host.isAlive(link.pid, link.pidTicks) ? "orphan" : "gone";
}

/** Number of the slot of an attempt that runs, as the environment of its process has it. */
function slotOf(host: Host, attempt: string): string {
  return /^slot (\d+) /.exec(host.parts.truth.of(attempt).seat)?.[1] ?? "";
}

/** `c_walk`. */
export function walk(host: Host, directory: JobDirectory, asker: Asker): Walk {
  const { attempt, queue } = asker;
  let [kin, alien] = [false, false];
  let found: ClaimLink | null = null;
  let open: ClaimLink | null = null;
  let [live, high, after] = [null, null, null] as (string | null)[];
  const id = jobIdOf(attempt);
  for (const link of directory.chain) {
    if (link.attempt === null) {
      if (!link.no && link.madeMs >= host.bootMarkMs) open = link;
      continue;
    }
    const isOfJob = isAttemptOf(link.attempt, id);
    const isKin = isOfJob || host.isKin(link, queue);
    kin ||= isKin;
    alien ||= !isKin;
    if (link.attempt === attempt) found = link;
    else {
      if (isOfJob && attemptNumber(link.attempt) > attemptNumber(attempt)) high = link.attempt;
      if (lifeOf(host, directory, link) !== "gone") live = link.attempt;
      if (link.kind !== "F" && link.kind !== "R" && found !== null) after = link.attempt;
    }
  }
  // `c_logged`.
  const isLogged = !kin && !alien && directory.log !== null;
  const isOwnLog = isLogged && isAttemptOf(directory.log!.attempt, id);
  kin ||= isOwnLog;
  alien ||= isLogged && !isOwnLog && !isBeside(directory, asker);
  return { found, next: directory.chain.length, live: live!, high: high!, after: after!, open, kin, alien };
}

/** `c_theirs`. */
export function isTheirs({ kin, alien }: Walk): boolean {
  return alien && !kin;
}

/** True if there is nothing in it but a mark. */
export function isBare({ chain, log, input }: JobDirectory): boolean {
  return chain.length === 0 && log === null && input.names().length === 0;
}

/** True for `JOB.QUEUE`. */
export function isBeside(directory: JobDirectory, { job }: Asker): boolean {
  return directory.name !== job;
}

/** `cms_dirs`. */
export function* makeDirectories(host: Host, jobs: readonly string[], queue: string): Doing<void> {
  const missing = jobs.filter((job) => host.directory(job, queue) === undefined);
  if (missing.length === 0) return;
  yield 0;
  for (const job of missing) host.makeDirectory(job);
  yield 0;
  for (const job of missing) host.directories.get(job)?.setMade();
}

/** `cms_undirs`. */
export function* unmakeDirectories(host: Host, jobs: readonly string[], queue: string): Doing<void> {
  const sealed: JobDirectory[] = [];
  for (const job of jobs) {
    const made = host.directories.get(job);
    if (made?.isMade && isBare(made) && made.makeLink(0) !== null) sealed.push(made);
    yield 0;
  }
  for (const made of sealed) {
    if (host.directories.get(made.name) === made) host.removeDirectory(made, queue);
  }
}

/** `c_enter`: the job's directory, made if it is missing. undefined: it cannot be made. */
export function* enter(host: Host, asker: Asker): Doing<JobDirectory | undefined> {
  const { job, queue } = asker;
  if (host.directory(job, queue) === undefined) yield* makeDirectories(host, [job], queue);
  const directory = host.directory(job, queue);
  if (directory === undefined || !isBeside(directory, asker) || directory.isMade) return directory;
  if (asker.keep !== true && !(yield* fill(host, directory, asker))) return undefined;
  yield 0;
  directory.setMade();
  return directory.isMade ? directory : undefined;
}

/** `c_fill`: copies what a person put into `JOB`. False if there is no room. */
export function* fill(host: Host, directory: JobDirectory, { job, keep }: Asker): Doing<boolean> {
  const theirs = host.directories.get(job);
  if (theirs === undefined || (keep !== true && theirs.isMade)) return true;
  for (const name of theirs.input.names()) {
    if (host.isFull) return false;
    directory.setInput(name, theirs.input.get(name) ?? "");
    yield 0;
  }
  return true;
}

/** `c_next_to`. */
export function* nextTo(host: Host, asker: Asker): Doing<JobDirectory | undefined> {
  const { job, queue } = asker;
  const name = `${job}.${queue}`;
  host.makeDirectory(name);
  yield 0;
  const theirs = host.directories.get(job);
  const beside = host.directories.get(name);
  if (theirs !== undefined && beside !== undefined && !walk(host, theirs, asker).alien) {
    if (isBare(beside) && !beside.isMade) host.removeDirectory(beside, queue);
  }
  return yield* enter(host, asker);
}

/**
 * `c_stays`, after a claim: false if the directory was moved away, or another agent of this queue made `JOB.QUEUE`
 * meanwhile.
 */
export function stays(host: Host, directory: JobDirectory, asker: Asker, made: ClaimLink | "full" | null): boolean {
  const { job, queue } = asker;
  if (host.directories.get(directory.name) !== directory) return false;
  if (isBeside(directory, asker) || !host.directories.has(`${job}.${queue}`)) return true;
  if (made !== null && made !== "full") directory.setLink(made, { kind: "R", reason: "its directory is another" });
  return false;
}

/** What stands in a new claim. */
export type NewClaim = Pick<ClaimLink, "wrapper" | "wrapperTicks" | "kind" | "reason">;

/** `c_claim`: tries to make the link at `next`. null: somebody else did; `full`: it stays empty. */
export function* claim(
  host: Host,
  directory: JobDirectory,
  { attempt, queue }: Asker,
  next: number,
  values: NewClaim,
): Doing<ClaimLink | "full" | null> {
  const link = directory.makeLink(next);
  if (link === null) return null;
  yield 0;
  if (host.isFull) return "full";
  directory.setLink(link, { attempt, queue, boot: host.boot, machine: host.machine, ...values });
  return link;
}

/** `c_close`: writes the end that no wrapper wrote; the first who comes does it. */
function* close(host: Host, directory: JobDirectory, link: ClaimLink): Doing<"crash" | "kill"> {
  const end = directory.marks.has(killMark(link.attempt!)) ? "kill" : "crash";
  if (!link.fin) {
    directory.setLink(link, { fin: true });
    yield 0;
    const before = directory.log;
    const attempt = before?.attempt ?? link.attempt!;
    const limit = directory.whys.get(killMark(link.attempt!)) ?? "";
    directory.setLog({ attempt, state: end, exit: before?.exit ?? null, dateMs: host.clockMs, limit });
  }
  return end;
}

/** `c_state`: what is known of an attempt, in the words of the protocol. */
export function* stateOf(host: Host, directory: JobDirectory, asker: Asker): Doing<string> {
  const { attempt } = asker;
  while (true) {
    const walked = walk(host, directory, asker);
    const word = unendedState(host, directory, walked);
    if (word !== null) return word;
    const found = walked.found!;
    yield 0;
    // After a power cut it may be that of an earlier attempt.
    const log = found.kind === "P" && directory.log?.attempt === attempt ? directory.log : null;
    // Another attempt came while we looked, and the log may be its own.
    if (directory.chain.length > walked.next) continue;
    return yield* endOf(host, directory, found, log);
  }
}

/**
 * `c_regain`: what is known of an attempt whose claim somebody removed, from its process and its log. A process gets a
 * claim anew.
 */
export function* regain(host: Host, asker: Asker, isOnlooker: boolean): Doing<string> {
  const { job, attempt, queue } = asker;
  const own = [...host.processes()].filter((process) => process.alive && process.mark === attempt);
  const found = own.find(({ kind }) => kind === "job");
  if (found === undefined) {
    const log = host.directory(job, queue)?.log;
    if (log?.attempt !== attempt || !/^(end|kill|crash)$/.test(log.state)) return "none";
    const date = log.dateMs === null ? "-" : isoSeconds(log.dateMs);
    return `ended ${log.state} ${log.exit ?? "-"} - ${date}${log.limit ? ` ${log.limit}` : ""}`;
  }
  const startedMs = host.clockMs - (host.ticks - found.startTicks) * 10;
  const slot = slotOf(host, attempt);
  const alive = `alive ${found.pid} ${startedMs} 0${slot && ` s=${slot}`}`;
  if (isOnlooker) return alive;
  yield 0;
  const directory = yield* enter(host, asker);
  if (directory === undefined) return alive;
  const walked = walk(host, directory, asker);
  // It may have started, with a claim of its own, meanwhile.
  if (!isTheirs(walked) && walked.found === null && walked.open === null) {
    const wrapper = own.find(({ kind }) => kind === "wrapper");
    const by = { wrapper: wrapper?.pid ?? 0, wrapperTicks: wrapper?.startTicks ?? 0 };
    const link = yield* claim(host, directory, asker, walked.next, { ...by, kind: "P", reason: "" });
    const { pid, startTicks: pidTicks } = found;
    const startedAtMs = host.parts.timeline.nowMs;
    if (link !== null && link !== "full") directory.setLink(link, { pid, pidTicks, startedMs, startedAtMs, slot });
  }
  return yield* stateOf(host, directory, asker);
}

/** The state of an attempt that has not ended; null if it has. */
function unendedState(host: Host, directory: JobDirectory, walked: Walk): string | null {
  const { found, live, high, after, open } = walked;
  if (found === null) return isTheirs(walked) ? "none" : open !== null ? "claimed" : otherOf(live, high);
  if (found.kind === "F") return "forbidden";
  if (found.kind === "R") return `forbidden ${found.reason}`;
  if (after !== null) return otherOf(live, after);
  const life = lifeOf(host, directory, found);
  if (life === "gone" || life === "claimed") return life === "gone" ? null : "claimed";
  return life === "away"
    ? `away ${found.machine}`
    : `alive ${found.pid} ${found.startedMs} ${life === "orphan" ? 1 : 0}${found.slot && ` s=${found.slot}`}`;
}

/** That another attempt is there, which runs or has run. */
function otherOf(live: string | null, over: string | null): string {
  if (live !== null) return `other ${live} 1`;
  return over === null ? "none" : `other ${over} 0`;
}

/** How an attempt ended, from its log. */
function* endOf(host: Host, directory: JobDirectory, found: ClaimLink, log: LogText | null): Doing<string> {
  const isWritten = log !== null && /^(end|kill|crash)$/.test(log.state);
  const end = isWritten ? log.state : yield* close(host, directory, found);
  const date = log?.dateMs ?? null;
  const started = found.kind === "P" && found.startedMs > 0 ? String(found.startedMs) : "-";
  const why = log?.limit ?? directory.whys.get(killMark(found.attempt!)) ?? "";
  return `ended ${end} ${log?.exit ?? "-"} ${started} ${date === null ? "-" : isoSeconds(date)}${why && ` ${why}`}`;
}
