/**
 * What goes on beside a simulated agent: the end of jobs that are killed, removal of directories, a watch over jobs without a
 * wrapper. `src/agent/verbs.sh` in TypeScript.
 *
 * @module
 */

import { lifeOf, stateOf, walk } from "./claims.ts";
import type { Host, Steps } from "./host.ts";
import type { ClaimLink } from "./job_directory.ts";
import type { Tell } from "./wrapper.ts";

const PAUSE_MS = 50;

function say({ events, queue }: Tell, text: string): void {
  events.append(`@${queue} ${text} .`);
}

/** `c_kills`: side by side in truth; here one after the other, each with all its grace. */
export function* kills(host: Host, tell: Tell, args: readonly string[]): Steps {
  const [number = "", grace = "0", ...attempts] = args;
  for (let i = 0; i + 1 < attempts.length; i += 2) yield* kill(host, attempts[i]!, attempts[i + 1]!, Number(grace));
  say(tell, `Z ${number}`);
}

function* kill(host: Host, job: string, attempt: string, graceMs: number): Steps {
  const directory = host.directory(job);
  if (directory === undefined) return;
  const { truth, timeline } = host.parts;
  let state = yield* stateOf(host, directory, attempt);
  for (let i = 0; i < 100 && state === "claimed"; i++) {
    yield PAUSE_MS;
    state = yield* stateOf(host, directory, attempt);
  }
  if (!state.startsWith("alive")) return;
  const link = directory.chain.find((link) => link.attempt === attempt)!;
  directory.setMark("kill", true);
  truth.killAsked(attempt);
  yield 0;
  truth.signal(attempt, "TERM", true);
  const tillMs = timeline.nowMs + graceMs;
  while (timeline.nowMs < tillMs && host.isAlive(link.pid, link.pidTicks)) yield PAUSE_MS;
  truth.signal(attempt, "KILL", true);
  const isBusy = (): boolean => !link.done && host.isAlive(link.wrapper, link.wrapperTicks);
  for (let i = 0; i < 200 && (isBusy() || host.isAlive(link.pid, link.pidTicks)); i++) yield PAUSE_MS;
  yield* stateOf(host, directory, attempt);
}

/** `c_removes`. */
export function* removes(host: Host, tell: Tell, args: readonly string[]): Steps {
  const [number, ...jobs] = args;
  for (const [i, job] of jobs.entries()) {
    const directory = host.directory(job);
    let result = "absent";
    if (directory !== undefined) {
      const { live } = walk(host, directory, "-.0");
      result = live === null ? "removed" : "alive";
      yield 0;
      if (live === null) host.removeDirectory(job);
    }
    say(tell, `V ${number} ${i} ${result}`);
    yield 0;
  }
  say(tell, `Z ${number}`);
}

/** `c_watch`. */
export function* watch(host: Host, tell: Tell, job: string, attempt: string, link: ClaimLink): Steps {
  while (lifeOf(host, link) !== "gone") yield 1_000;
  const directory = host.directory(job);
  const state = directory === undefined ? "none" : yield* stateOf(host, directory, attempt);
  const [word, end = "crash", code = "-"] = state.split(" ");
  const told = word === "ended" ? `${end} ${code}` : "crash -";
  say(tell, `E ${job} ${attempt} ${told} ${host.clockMs}`);
}
