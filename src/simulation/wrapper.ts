/**
 * A job's wrapper on a simulated host: `c_run` of `src/agent/start.sh`, and the job that it starts.
 *
 * @module
 */

import { claim, enter, fill, isBeside, nextTo, stateOf, stays, walk } from "./claims.ts";
import type { Host } from "./host.ts";
import { type EventsFile, type HostProcess, type Steps, UNTIL_WOKEN } from "./host_process.ts";
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
}

/** Where a wrapper tells what happens. */
export interface Tell {
  readonly events: EventsFile;
  readonly queue: string;
  /** The agent's directory is the manager's own. */
  readonly keep?: boolean;
  /** `+` for a job of a backlog, which gives its slot back. */
  readonly plus?: string;
}

/** What a script of the simulation does. */
export interface Work {
  readonly ms: number;
  readonly code: number;
  readonly isDeaf: boolean;
  readonly isSignal: boolean;
  readonly leaves: boolean;
}

/** Reads a command `work MS CODE [deaf] [signal] [leaves]`. null: it is no such script. */
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
  };
}

/** How a job's process ended, as the one who waits for it sees it. */
export interface JobExit {
  readonly code: number;
  /** A signal ended it; its code is then 128+n. */
  readonly isSignal: boolean;
}

/** Starts a job's process; it ends by itself when its work is done. */
export function startJob(
  host: Host,
  start: StartWords,
  directory: JobDirectory,
): { process: HostProcess; exit: () => JobExit | null } {
  const { truth, timeline } = host.parts;
  const work = workOf(start.script) ?? { ms: 0, code: 127, isDeaf: false, isSignal: false, leaves: false };
  let exit: JobExit | null = null;
  const process = host.spawn("job", start.attempt, null);
  truth.started(host, start.job, start.attempt, { pid: process.pid, gpu: start.gpu, directory });
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

/** `c_run`. */
export function* runWrapper(host: Host, self: HostProcess, start: StartWords, tell: Tell): Steps {
  const { job, attempt } = start;
  const asker = { job, attempt, queue: tell.queue, keep: tell.keep === true };
  const plus = tell.plus ?? "";
  const event = (text: string): void => tell.events.append(`@${tell.queue} ${text} .`);
  const refuse = (reason: string, directory?: JobDirectory, link?: ClaimLink): void => {
    if (directory !== undefined && link !== undefined) {
      if (host.isFull) directory.setLink(link, { no: true });
      else directory.setLink(link, { kind: "R", reason });
    }
    event(`R${plus} ${job} ${attempt} ${reason}`);
  };
  const isOff = (): boolean => host.forbidden.has(attempt);
  const off = (): void => event(`N${plus} ${job} ${attempt} forbidden`);
  if (isOff()) return off();
  yield 0;
  let directory = yield* enter(host, asker);
  if (directory === undefined) return refuse("cannot use the directory: No space left on device");
  let link: ClaimLink | "full" | null = null;
  let reason = "";
  let moves = 0;
  for (let pauses = 0; link === null;) {
    yield 0;
    if (isOff()) return off();
    if (directory === undefined || moves >= MOST_MOVES) {
      return refuse("cannot write a claim: No such file or directory");
    }
    const walked = walk(host, directory, asker);
    const { found, next, live, high, open } = walked;
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
    if (found !== null || open !== null) {
      const state = yield* stateOf(host, directory, asker);
      if (state.startsWith("forbidden ")) event(`R${plus} ${job} ${attempt} ${state.slice("forbidden ".length)}`);
      else event(`N${plus} ${job} ${attempt} ${state}`);
      return;
    }
    if (high !== null) reason = `a later attempt (${high}) was there before`;
    if (live !== null) reason = `another attempt of the job runs there (${live})`;
    yield 0;
    link = yield* claim(host, directory, asker, next, {
      wrapper: self.pid,
      wrapperTicks: self.startTicks,
      kind: reason === "" ? "" : "R",
      reason,
    });
    yield 0;
    if (stays(host, directory, asker, link)) continue;
    // It was moved away, to be removed, with what was claimed in it; or it is another.
    directory = yield* enter(host, asker);
    link = null;
    moves++;
  }
  if (directory === undefined) return;
  if (link === "full") {
    const last = directory.chain.at(-1);
    if (last !== undefined) directory.setLink(last, { no: true });
    return event(`R${plus} ${job} ${attempt} cannot write a claim: no space left on the device`);
  }
  if (reason !== "") return event(`R${plus} ${job} ${attempt} ${reason}`);
  yield 0;
  if (link.no) return refuse("its claim took too long", directory, link);
  const before = directory.chain.slice(0, directory.chain.indexOf(link));
  const last = before.at(-1);
  if (last !== undefined) directory.setLink(last, { fin: true });
  if (isBeside(directory, asker)) event(`D ${job} ${attempt} ${directory.name}`);
  if (before.some(({ attempt, kind }) => attempt !== null && kind !== "F" && kind !== "R") || directory.log !== null) {
    event(`U ${job} ${attempt}`);
  }
  if (start.shell === "nosuch") return refuse(`there is no shell "nosuch"`, directory, link);
  if (asker.keep && isBeside(directory, asker) && !(yield* fill(host, directory, asker))) {
    return refuse("cannot copy the input files: no space left on the device", directory, link);
  }
  for (const mark of directory.marks) directory.setMark(mark, false);
  yield 0;
  if (host.isFull || host.directories.get(directory.name) !== directory) {
    return refuse("cannot write the log: no space left on the device", directory, link);
  }
  if (directory.log !== null) host.parts.truth.overwritten(directory.log.attempt, attempt);
  directory.setLog({ attempt, state: "start", exit: null, dateMs: host.clockMs });
  directory.output.lines.length = 0;
  yield 0;
  const { process, exit } = startJob(host, start, directory);
  process.onGone.push(() => host.wake(self));
  yield 0;
  directory.setLink(link, {
    kind: "P",
    pid: process.pid,
    pidTicks: host.ticks,
    startedMs: host.clockMs,
  });
  yield 0;
  event(`B ${job} ${attempt} ${process.pid} ${host.clockMs}`);
  while (process.alive) yield UNTIL_WOKEN;
  yield 0;
  const { code, isSignal } = exit() ?? { code: 0, isSignal: false };
  const killed = directory.marks.has(killMark(attempt));
  const end = killed ? "kill" : isSignal ? "crash" : "end";
  const endMs = host.clockMs;
  for (let tries = 0; host.isFull && host.directories.get(directory.name) === directory && tries < 720; tries++) {
    yield FULL_PAUSE_MS;
  }
  directory.setLog({ attempt, state: end, exit: code, dateMs: endMs });
  yield 0;
  if (plus !== "") directory.setLink(link, { done: true });
  event(`E${plus} ${job} ${attempt} ${end} ${code} ${endMs}`);
}
