/**
 * A job's wrapper on a simulated host: `c_run` of `src/agent/start.sh`, and the job that it starts.
 *
 * @module
 */

import {
  type Asker,
  claim,
  type Doing,
  enter,
  fill,
  isBeside,
  nextTo,
  stateOf,
  stays,
  type Walk,
  walk,
} from "./claims.ts";
import type { Host } from "./host.ts";
import { type HostProcess, type Steps, type Tell, UNTIL_WOKEN } from "./host_process.ts";
import { wrongUse } from "./gpus.ts";
import { endTimer, limit } from "./limits.ts";
import { devicesOf } from "./needs.ts";
import { type ClaimLink, type JobDirectory, killMark } from "./job_directory.ts";

const PAUSE_MS = 50;
const MOST_PAUSES = 20;
const MOST_MOVES = 20;
/** Pause between two tries to write the end of a job on a full disk. */
const FULL_PAUSE_MS = 5_000;
/** How long what a job leaves running lives at least. */
const LEFT_MS = 20_000;

/** What a start asks for. */
export interface StartWords {
  readonly job: string;
  readonly attempt: string;
  readonly shell: string;
  readonly gpu: string;
  readonly script: string;
  /** A word as `limits.ts` reads it; `-`: no limit. */
  readonly limit: string;
  /** Words of `export`. */
  readonly variables: string;
  /** Number of its slot; `""` where nobody gave it one. */
  readonly slot: string;
}

/** What a script of the simulation does. */
export interface Work {
  readonly ms: number;
  readonly code: number;
  readonly isDeaf: boolean;
  readonly isSignal: boolean;
  readonly leaves: boolean;
  /** The time limit that its job has; null for none. */
  readonly limitMs: number | null;
}

/** Reads a command `work MS CODE [deaf] [signal] [leaves] [limitMS]`. null: it is no such script. */
export function workOf(script: string): Work | null {
  const found = /^work (\d+) (\d+)((?: \w+)*)/m.exec(script);
  if (found === null) return null;
  const words = found[3]!.split(" ");
  return {
    ms: Number(found[1]),
    code: Number(found[2]),
    isDeaf: words.includes("deaf"),
    isSignal: words.includes("signal"),
    leaves: words.includes("leaves"),
    limitMs: Number(words.find((word) => /^limit\d+$/.test(word))?.slice("limit".length) ?? NaN) || null,
  };
}

/** How a job's process ended, as the one who waits for it sees it. */
export interface JobExit {
  readonly code: number;
  /** A signal ended it; its code is then 128+n. */
  readonly isSignal: boolean;
}

/** A job's process, and how it ended; null while it lives, or if it was ended from outside. */
export interface StartedJob {
  readonly process: HostProcess;
  readonly exit: () => JobExit | null;
}

/** Starts a job's process; it ends by itself when its work is done. */
export function startJob(
  host: Host,
  start: StartWords,
  directory: JobDirectory,
): StartedJob {
  const { truth, timeline } = host.parts;
  const none = { ms: 0, code: 127, isDeaf: false, isSignal: false, leaves: false, limitMs: null };
  const work = workOf(start.script) ?? none;
  let exit: JobExit | null = null;
  const devices = devicesOf(start.variables);
  const wrong = wrongUse(host, truth.of(start.attempt), devices);
  if (wrong !== null) truth.fail(wrong);
  const process = host.spawn("job", start.attempt, null);
  truth.started(host, start.job, start.attempt, {
    pid: process.pid,
    gpu: start.gpu,
    devices,
    seat: `slot ${start.slot} of ${/(?:^| )CMS_HOST=(\S+)/.exec(start.variables)?.[1]}`,
    directory,
    limitMs: work.limitMs,
  });
  const file = directory.output;
  const output = file.open();
  output.write(`begin ${start.attempt}`);
  if (work.leaves) host.leave(start.attempt, 5 * work.ms + LEFT_MS);
  const timer = timeline.after(work.ms, () => {
    if (!process.alive) return;
    file.lines.push(`named ${start.attempt}`);
    output.write(`end ${start.attempt}`);
    truth.wrote(start.attempt, file.lines);
    exit = { code: work.isSignal ? 139 : work.code, isSignal: work.isSignal };
    truth.ended(start.attempt, work.isSignal ? "signal" : "exit", exit.code);
    host.end(process);
  });
  truth.onSignal(start.attempt, (signal, fromUs) => {
    if (!process.alive || (signal === "TERM" && work.isDeaf)) return;
    timer.cancel();
    exit = { code: signal === "TERM" ? 143 : 137, isSignal: true };
    truth.ended(start.attempt, fromUs ? "killed" : "signal", exit.code);
    host.end(process);
  });
  return { process, exit: () => exit };
}

/** What the phases of a wrapper share. */
interface Attempt {
  readonly host: Host;
  readonly self: HostProcess;
  readonly start: StartWords;
  readonly asker: Asker;
  readonly plus: string;
  readonly event: (text: string) => void;
}

/** Its claim, and where that is. */
interface Claimed {
  readonly directory: JobDirectory;
  readonly link: ClaimLink;
}

/** `c_run`. */
export function* runWrapper(host: Host, self: HostProcess, start: StartWords, tell: Tell): Steps {
  const { job, attempt } = start;
  const event = (text: string): void => tell.events.append(`@${tell.queue} ${text} .`);
  const one = {
    host,
    self,
    start,
    asker: { job, attempt, queue: tell.queue, keep: tell.keep === true },
    plus: tell.plus ?? "",
    event,
  };
  const claimed = yield* take(one);
  if (claimed === null || !(yield* layOut(one, claimed))) return;
  yield* finish(one, claimed, yield* launch(one, claimed));
}

/** `c_refuse`. */
function refuse({ host, start: { job, attempt }, plus, event }: Attempt, reason: string, claimed?: Claimed): null {
  if (claimed !== undefined) {
    claimed.directory.setLink(claimed.link, host.isFull ? { no: true } : { kind: "R", reason });
  }
  event(`R${plus} ${job} ${attempt} ${reason}`);
  return null;
}

/** `c_off`. */
function isOff({ host, start: { job, attempt }, plus, event }: Attempt): boolean {
  if (!host.forbidden.has(attempt)) return false;
  event(`N${plus} ${job} ${attempt} forbidden`);
  return true;
}

/** `c_take`: the job's directory, and the claim in it. */
function* take(one: Attempt): Doing<Claimed | null> {
  const { host, self, asker } = one;
  if (isOff(one)) return null;
  yield 0;
  let directory = yield* enter(host, asker);
  if (directory === undefined) return refuse(one, "cannot use the directory: No space left on device");
  let link: ClaimLink | "full" | null = null;
  let reason = "";
  let moves = 0;
  for (let pauses = 0; link === null;) {
    yield 0;
    if (isOff(one)) return null;
    if (directory === undefined || moves >= MOST_MOVES) {
      return refuse(one, "cannot write a claim: No such file or directory");
    }
    const walked = walk(host, directory, asker);
    const { found, next, open } = walked;
    if (walked.alien && found === null) {
      moves++;
      directory = yield* nextTo(host, asker);
      continue;
    }
    if (open !== null && pauses < MOST_PAUSES) {
      pauses++;
      yield PAUSE_MS;
      directory = yield* enter(host, asker);
      continue;
    }
    if (found !== null || open !== null) return yield* report(one, directory);
    reason = reasonOf(walked) ?? reason;
    yield 0;
    const about = { wrapper: self.pid, wrapperTicks: self.startTicks, kind: reason === "" ? "" : "R", reason } as const;
    link = yield* claim(host, directory, asker, next, about);
    yield 0;
    if (stays(host, directory, asker, link)) continue;
    // It was moved away, to be removed, with what was claimed in it; or it is another.
    directory = yield* enter(host, asker);
    link = null;
    moves++;
  }
  return directory === undefined ? null : yield* keep(one, directory, link, reason);
}

/** It was claimed before, or somebody claims it now: its state. */
function* report({ host, asker, plus, event }: Attempt, directory: JobDirectory): Doing<null> {
  const state = yield* stateOf(host, directory, asker);
  const word = state.startsWith("forbidden ") ? "R" : "N";
  event(`${word}${plus} ${asker.job} ${asker.attempt} ${word === "R" ? state.slice("forbidden ".length) : state}`);
  return null;
}

/** Why it may not start; null if it may. */
function reasonOf({ live, high }: Walk): string | null {
  if (live !== null) return `another attempt of the job runs there (${live})`;
  return high === null ? null : `a later attempt (${high}) was there before`;
}

/** Whether the claim counts. */
function* keep(one: Attempt, directory: JobDirectory, link: ClaimLink | "full", reason: string): Doing<Claimed | null> {
  const { start: { job, attempt }, plus, event } = one;
  if (link === "full") {
    const last = directory.chain.at(-1);
    if (last !== undefined) directory.setLink(last, { no: true });
    return refuse(one, "cannot write a claim: no space left on the device");
  }
  if (reason !== "") {
    event(`R${plus} ${job} ${attempt} ${reason}`);
    return null;
  }
  yield 0;
  const claimed = { directory, link };
  return link.no ? refuse(one, "its claim took too long", claimed) : claimed;
}

/** `c_lay_out`: the script and the log. False if the attempt ends here. */
function* layOut(one: Attempt, claimed: Claimed): Doing<boolean> {
  const { host, start, asker, event } = one;
  const { job, attempt } = start;
  const { directory, link } = claimed;
  const before = directory.chain.slice(0, directory.chain.indexOf(link));
  const last = before.findLast(({ attempt, kind }) => attempt !== null && kind !== "F" && kind !== "R");
  if (last !== undefined) directory.setLink(last, { fin: true });
  if (isBeside(directory, asker)) event(`D ${job} ${attempt} ${directory.name}`);
  if (last !== undefined || directory.log !== null) event(`U ${job} ${attempt}`);
  if (start.shell === "nosuch") return refuse(one, `there is no shell "nosuch"`, claimed) !== null;
  if (asker.keep && isBeside(directory, asker) && !(yield* fill(host, directory, asker))) {
    return refuse(one, "cannot copy the input files: no space left on the device", claimed) !== null;
  }
  for (const mark of directory.marks) directory.setMark(mark, false);
  yield 0;
  if (host.isFull || host.directories.get(directory.name) !== directory) {
    return refuse(one, "cannot write the log: no space left on the device", claimed) !== null;
  }
  // The files of an earlier try go aside first; nothing here asks for them again.
  if (directory.log !== null) host.parts.truth.overwritten(directory.log.attempt, attempt);
  directory.setLog({ attempt, state: "start", exit: null, dateMs: host.clockMs });
  directory.output.lines.length = 0;
  yield 0;
  return true;
}

/** `c_launch`: the job's process, its pid, the claim's last line, the event. */
function* launch(one: Attempt, { directory, link }: Claimed): Doing<StartedJob> {
  const { host, self, start, event } = one;
  if (start.limit !== "-") limit(host, directory, link, one.asker, start.limit);
  yield 0;
  const { process, exit } = startJob(host, start, directory);
  process.onGone.push(() => host.wake(self));
  yield 0;
  directory.setLink(link, {
    kind: "P",
    pid: process.pid,
    pidTicks: host.ticks,
    startedMs: host.clockMs,
    startedAtMs: host.parts.timeline.nowMs,
    slot: start.slot,
  });
  yield 0;
  event(`B ${start.job} ${start.attempt} ${process.pid} ${host.clockMs} ${start.slot}`);
  return { process, exit };
}

/** `c_finish`: waits for the end. The log comes before the event. */
function* finish(one: Attempt, { directory, link }: Claimed, { process, exit }: StartedJob): Steps {
  const { host, start: { job, attempt, limit: given }, plus, event } = one;
  while (process.alive) yield UNTIL_WOKEN;
  yield 0;
  const { code, isSignal } = exit() ?? { code: 0, isSignal: false };
  const killed = directory.marks.has(killMark(attempt));
  const why = killed ? directory.whys.get(killMark(attempt)) ?? "" : "";
  if (given !== "-" && why === "") endTimer(host, directory, attempt);
  const end = killed ? "kill" : isSignal ? "crash" : "end";
  const endMs = host.clockMs;
  for (let tries = 0; host.isFull && host.directories.get(directory.name) === directory && tries < 720; tries++) {
    yield FULL_PAUSE_MS;
  }
  directory.setLog({ attempt, state: end, exit: code, dateMs: endMs, limit: why });
  yield 0;
  if (plus !== "") directory.setLink(link, { done: true });
  event(`E${plus} ${job} ${attempt} ${end} ${code} ${endMs}${why && ` ${why}`}`);
}
