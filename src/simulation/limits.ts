/**
 * Time limits on a simulated host: `src/agent/limits.sh` in TypeScript.
 *
 * @module
 */

import { type Asker, stateOf } from "./claims.ts";
import { kill } from "./helpers.ts";
import type { Host } from "./host.ts";
import type { Steps } from "./host_process.ts";
import type { ClaimLink, JobDirectory } from "./job_directory.ts";

const LONGEST_MS = 3_600_000;

/** `c_limit`: makes the timer of a job that runs, whose claim is `link`. */
export function limit(host: Host, directory: JobDirectory, link: ClaimLink, asker: Asker, word: string): void {
  directory.setLimit(asker.attempt, word);
  const timer = host.spawn("helper", null, () => time(host, directory, link, asker, word));
  directory.timers.set(asker.attempt, timer);
}

/** `c_timer`. */
function* time(host: Host, directory: JobDirectory, link: ClaimLink, asker: Asker, word: string): Steps {
  const { timeline } = host.parts;
  const [ms = "", graceMs = "", text = ""] = word.split("/");
  // One that is about to start has its time in its claim later on.
  for (let at = link.startedAtMs || timeline.nowMs;; at = link.startedAtMs) {
    const tillMs = at + Number(ms);
    while (timeline.nowMs < tillMs) yield Math.min(LONGEST_MS, tillMs - timeline.nowMs);
    // Where its wrapper was ended before it could say that, the job is found by its mark.
    if (link.startedAtMs === 0) yield* stateOf(host, directory, asker);
    if (link.startedAtMs === at || link.startedAtMs === 0) break;
  }
  directory.timers.delete(asker.attempt);
  if ((directory.limits.get(asker.attempt) ?? word) !== word) return;
  yield* kill(host, asker, Number(graceMs), `limit=${text}`);
}

/** `c_timers JOB ATTEMPT kill`. */
export function endTimer(host: Host, directory: JobDirectory, attempt: string): void {
  const timer = directory.timers.get(attempt);
  if (timer !== undefined) host.end(timer);
  directory.timers.delete(attempt);
}

/** `cms_limit`. */
export function* setLimits(host: Host, queue: string, args: readonly string[]): Steps {
  for (let i = 0; i + 2 < args.length; i += 3) {
    const asker = { job: args[i]!, attempt: args[i + 1]!, queue };
    const word = args[i + 2]!;
    const directory = host.directory(asker.job, queue);
    if (directory === undefined) continue;
    const state = yield* stateOf(host, directory, asker);
    const link = directory.chain.find(({ attempt }) => attempt === asker.attempt);
    if (!state.startsWith("alive") || link === undefined) continue;
    const isTimed = directory.timers.get(asker.attempt)?.alive === true;
    if (directory.limits.get(asker.attempt) === word && isTimed) continue;
    endTimer(host, directory, asker.attempt);
    if (word === "-") directory.setLimit(asker.attempt, word);
    else limit(host, directory, link, asker, word);
  }
}
