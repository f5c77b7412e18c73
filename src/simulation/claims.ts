/**
 * Claims and states as `src/agent/agent.sh` reads them: `c_walk`, `c_life`, `c_claim`, `c_close`, `c_state`, with the same order of
 * reads and writes. Where a shell could be interrupted between two of them, so can these.
 *
 * @module
 */

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
}

/** How a claimed attempt lives, see `c_life`. */
export type Life = "claimed" | "wrapper" | "orphan" | "away" | "gone";

function splitAttempt(attempt: string): [id: string, number: number] {
  const dot = attempt.lastIndexOf(".");
  return [attempt.slice(0, dot), Number(attempt.slice(dot + 1))];
}

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
      if (process.kind !== "job" || process.mark !== link.attempt) continue;
      link.kind = "P";
      link.pid = process.pid;
      link.pidTicks = process.startTicks;
      link.startedMs = host.clockMs;
      break;
    }
  }
  return link.kind === "P" && host.isAlive(link.pid, link.pidTicks) ? "orphan" : "gone";
}

/** `c_walk`. */
export function walk(host: Host, directory: JobDirectory, attempt: string): Walk {
  let found: ClaimLink | null = null;
  let open: ClaimLink | null = null;
  let [live, high, after] = [null, null, null] as (string | null)[];
  const [id, number] = splitAttempt(attempt);
  for (const link of directory.chain) {
    if (link.attempt === null) {
      if (!link.no && link.madeMs >= host.bootMarkMs) open = link;
    } else if (link.attempt === attempt) found = link;
    else {
      const [otherId, otherNumber] = splitAttempt(link.attempt);
      if (otherId === id && otherNumber > number) high = link.attempt;
      if (lifeOf(host, directory, link) !== "gone") live = link.attempt;
      if (link.kind !== "F" && link.kind !== "R" && found !== null) after = link.attempt;
    }
  }
  return { found, next: directory.chain.length, live: live!, high: high!, after: after!, open };
}

/** `c_same`: the job's directory as it is now, made anew if it was moved away. undefined: it cannot be made. */
export function directoryNow(host: Host, job: string): JobDirectory | undefined {
  if (host.directory(job) === undefined && host.makeDirectory(job)) host.directory(job)!.isOurs = true;
  return host.directory(job);
}

/** What stands in a new claim. */
export type NewClaim = Pick<ClaimLink, "wrapper" | "wrapperTicks" | "kind" | "reason">;

/** `c_claim`: tries to make the link at `next`. null: somebody else did; `full`: it stays empty. */
export function* claim(
  host: Host,
  directory: JobDirectory,
  attempt: string,
  next: number,
  values: NewClaim,
): Doing<ClaimLink | "full" | null> {
  const link = directory.makeLink(next);
  if (link === null) return null;
  yield 0;
  if (host.isFull) return "full";
  directory.setLink(link, { attempt, boot: host.boot, machine: host.machine, ...values });
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
    directory.setLog({ attempt, state: end, exit: before?.exit ?? null, dateMs: host.clockMs });
  }
  return end;
}

/** `c_state`: what is known of an attempt, in the words of the protocol. */
export function* stateOf(host: Host, directory: JobDirectory, attempt: string): Doing<string> {
  while (true) {
    const { found, next, live, high, after, open } = walk(host, directory, attempt);
    if (found === null) {
      return open !== null ? "claimed" : live !== null ? `other ${live} 1` : high !== null ? `other ${high} 0` : "none";
    }
    if (found.kind === "F") return "forbidden";
    if (found.kind === "R") return `forbidden ${found.reason}`;
    if (after !== null) return live !== null ? `other ${live} 1` : `other ${after} 0`;
    const life = lifeOf(host, directory, found);
    if (life === "claimed") return "claimed";
    if (life === "away") return `away ${found.machine}`;
    if (life !== "gone") return `alive ${found.pid} ${found.startedMs} ${life === "orphan" ? 1 : 0}`;
    yield 0;
    // After a power cut it may be that of an earlier attempt.
    const log = found.kind === "P" && directory.log?.attempt === attempt ? directory.log : null;
    // Another attempt came while we looked, and the log may be its own.
    if (directory.chain.length > next) continue;
    let end = log?.state ?? "";
    if (end !== "end" && end !== "kill" && end !== "crash") end = yield* close(host, directory, found);
    const date = log?.dateMs ?? null;
    const started = found.kind === "P" && found.startedMs > 0 ? String(found.startedMs) : "-";
    return `ended ${end} ${log?.exit ?? "-"} ${started} ${date === null ? "-" : isoSeconds(date)}`;
  }
}
