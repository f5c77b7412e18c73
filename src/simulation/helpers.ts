/**
 * What goes on beside a simulated agent: the end of jobs that are killed, removal of directories, a watch over jobs
 * without a wrapper. `src/agent/verbs.sh` and `remove.sh` in TypeScript.
 *
 * @module
 */

import { isAttemptOf, jobIdOf } from "../job/attempt.ts";
import type { RemoveResult } from "../agent/attempt.ts";
import { type Asker, type Doing, isBeside, isTheirs, lifeOf, regain, stateOf, type Walk, walk } from "./claims.ts";
import type { Host } from "./host.ts";
import type { HostProcess, Steps, Tell } from "./host_process.ts";
import { type ClaimLink, type JobDirectory, killMark } from "./job_directory.ts";

const PAUSE_MS = 50;
/** The removal of a large directory takes long. */
const REMOVAL_MS = 2_000;

function say({ events, queue }: Tell, text: string): void {
  events.append(`@${queue} ${text} .`);
}

/** `c_kills`: side by side in truth; here one after the other, each with all its grace. */
export function* kills(host: Host, tell: Tell, args: readonly string[]): Steps {
  const [number = "", grace = "0", ...attempts] = args;
  for (let i = 0; i + 1 < attempts.length; i += 2) {
    const asker = { job: attempts[i]!, attempt: attempts[i + 1]!, queue: tell.queue };
    yield* kill(host, asker, Number(grace));
  }
  say(tell, `Z ${number}`);
}

/** `c_kill`. `why`: what is to stand in the mark. */
export function* kill(host: Host, asker: Asker, graceMs: number, why = ""): Steps {
  const { job, attempt, queue } = asker;
  const before = host.directory(job, queue);
  const { truth, timeline } = host.parts;
  let state = before === undefined ? "none" : yield* stateOf(host, before, asker);
  for (let i = 0; i < 100 && state === "claimed"; i++) {
    yield PAUSE_MS;
    state = yield* stateOf(host, before!, asker);
  }
  if (state === "none") state = yield* regain(host, asker, false);
  const directory = host.directory(job, queue);
  if (directory === undefined || !state.startsWith("alive")) return;
  const link = directory.chain.find((link) => link.attempt === attempt)!;
  const mark = killMark(attempt);
  if (!directory.marks.has(mark)) {
    directory.whys.set(mark, why);
    directory.setMark(mark, true);
  }
  if (why === "") truth.killAsked(attempt, queue);
  else truth.limitHit(attempt);
  yield 0;
  truth.signal(attempt, "TERM", true);
  const tillMs = timeline.nowMs + graceMs;
  while (timeline.nowMs < tillMs && host.isAlive(link.pid, link.pidTicks)) yield PAUSE_MS;
  truth.signal(attempt, "KILL", true);
  for (const child of host.leftBy(attempt)) if (child.mark === attempt) host.end(child);
  const isBusy = (): boolean => !link.done && host.isAlive(link.wrapper, link.wrapperTicks);
  for (let i = 0; i < 200 && (isBusy() || host.isAlive(link.pid, link.pidTicks)); i++) yield PAUSE_MS;
  yield* stateOf(host, directory, asker);
}

/** `c_removes` of an agent. */
export function* removes(host: Host, tell: Tell, args: readonly string[], agent: HostProcess): Steps {
  const [number, ...attempts] = args;
  for (let i = 0; i + 1 < attempts.length && agent.alive; i += 2) {
    const asker = { job: attempts[i]!, attempt: attempts[i + 1]!, queue: tell.queue, keep: tell.keep === true };
    const result = yield* remove(host, asker);
    say(tell, `V ${number} ${i / 2} ${result}`);
    yield 0;
  }
  say(tell, `Z ${number}`);
}

/** `c_reap`; `c_runners`: what was started in the directory counts as well. */
function* reap(host: Host, attempt: string, directory?: JobDirectory): Steps {
  const started = directory?.chain.filter(({ kind }) => kind !== "F" && kind !== "R").map((link) => link.attempt ?? "");
  for (const child of host.leftBy(attempt, new Set(started))) {
    host.parts.truth.reaped(child.mark!, attempt, directory);
    host.end(child);
    yield 0;
  }
  host.parts.truth.cleared(host, attempt, directory);
}

/** `c_remove`. */
function* remove(host: Host, asker: Asker): Doing<RemoveResult> {
  const { job, attempt, queue } = asker;
  const directory = host.directory(job, queue);
  if (directory === undefined) {
    yield* reap(host, attempt);
    return "absent";
  }
  const link = yield* seal(host, asker, directory);
  if (typeof link === "string") return link;
  yield* reap(host, attempt, directory);
  return yield* clear(host, asker, directory, link);
}

/** `c_seal`: takes the next link, so that nothing starts there any more. That link, or why it stays. */
function* seal(host: Host, asker: Asker, directory: JobDirectory): Doing<RemoveResult | ClaimLink> {
  for (let pauses = 0;;) {
    yield 0;
    const walked = walk(host, directory, asker);
    if (isTheirs(walked)) {
      yield* reap(host, asker.attempt);
      return "absent";
    }
    if (walked.alien) return "kept";
    if (walked.open !== null) {
      if (++pauses < 20) {
        yield PAUSE_MS;
        continue;
      }
      if (host.isFull || pauses >= 40) return "kept";
      directory.setLink(walked.open, { no: true });
      continue;
    }
    const inUse = usedBy(host, asker, directory, walked);
    if (inUse !== null) return inUse;
    yield 0;
    if (host.directories.get(directory.name) !== directory) return "kept";
    const link = directory.makeLink(walked.next);
    if (link !== null) return link;
  }
}

/** Why the directory stays; null if nothing of it is in use, and nothing later has files in it. */
function usedBy(
  host: Host,
  { attempt }: Asker,
  directory: JobDirectory,
  { found, live, high, after }: Walk,
): RemoveResult | null {
  const life = found === null ? "gone" : lifeOf(host, directory, found);
  if (life !== "gone") return life === "away" ? "away" : "alive";
  if (high !== null || after !== null) return "later";
  if (live !== null) return "alive";
  if (directory.filesFor(attempt).due !== null) return "later";
  return found === null && isForeign(directory, attempt) ? "later" : null;
}

/** `c_clear`: it is moved away at once, and its files go then. */
function* clear(host: Host, asker: Asker, directory: JobDirectory, link: ClaimLink): Doing<RemoveResult> {
  const { queue, keep } = asker;
  if (host.directories.get(directory.name) !== directory) return "kept";
  // Who had to wait for our link for too long has put files there.
  if (directory.chain.at(-1) !== link && directory.filesFor(asker.attempt).due !== null) {
    if (!host.isFull) directory.setLink(link, { no: true });
    return "later";
  }
  const isOurs = isBeside(directory, asker) || !host.holdsInput(directory);
  if (keep === true ? !isOurs || !directory.isMade : host.parts.managers !== undefined && !directory.isMade) {
    // Only what we put there.
    for (const link of directory.chain) {
      if (link.attempt !== null) host.parts.truth.removed(directory.name, link.attempt, queue);
    }
    directory.strip();
    return "kept";
  }
  host.removeDirectory(directory, queue);
  yield host.parts.random.logBetween(0.1, REMOVAL_MS);
  return "removed";
}

/** `c_foreign`. */
function isForeign({ chain }: JobDirectory, attempt: string): boolean {
  const id = jobIdOf(attempt);
  return chain.some((link) =>
    link.attempt !== null && link.kind !== "F" && link.kind !== "R" && !isAttemptOf(link.attempt, id)
  );
}

/** `c_watch`. */
export function* watch(
  host: Host,
  tell: Tell,
  { job, attempt, directory: first, link, agent }: {
    job: string;
    attempt: string;
    directory: JobDirectory;
    link: ClaimLink;
    agent: HostProcess;
  },
): Steps {
  for (let life = lifeOf(host, first, link); life !== "gone"; life = lifeOf(host, first, link)) {
    // Only while the agent is there.
    if (life === "away" && (!agent.alive || host.directory(job, tell.queue) !== first)) return;
    yield 1_000;
  }
  const directory = host.directory(job, tell.queue);
  const asker = { job, attempt, queue: tell.queue };
  const state = directory === undefined ? "none" : yield* stateOf(host, directory, asker);
  const [word, end = "crash", code = "-"] = state.split(" ");
  const told = word === "ended" ? `${end} ${code}` : "crash -";
  const limit = state.split(" ").find((one) => one.startsWith("limit="));
  say(tell, `E ${job} ${attempt} ${told} ${host.clockMs}${limit === undefined ? "" : ` ${limit}`}`);
}
