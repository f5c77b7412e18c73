/**
 * Claims that never start, on a simulated host: `cms_forbid` and `cms_locate` of `src/agent/verbs.sh` for one job.
 *
 * @module
 */

import { attemptId, jobIdOf } from "../job/attempt.ts";
import { type Asker, claim, type Doing, enter, nextTo, stays, walk } from "./claims.ts";
import type { Host } from "./host.ts";
import type { ClaimLink, JobDirectory } from "./job_directory.ts";

/** A link that is empty for so many looks is given up. */
const GIVE_UP_TRIES = 20;
const PAUSE_MS = 50;

/**
 * The directory of a job, made if it is missing: files are about to be put there. A claim that never starts, of a
 * number that no attempt has, says so, and makes it this queue's.
 */
export function* locate(host: Host, asker: Asker): Doing<JobDirectory | undefined> {
  let directory = yield* enter(host, asker);
  let moves = 0;
  let pauses = 0;
  while (directory !== undefined) {
    const { alien, open, found, next } = walk(host, directory, asker);
    const { held } = directory.filesFor(asker.attempt);
    yield 0;
    if (moves >= GIVE_UP_TRIES) directory = undefined;
    else if (alien) {
      moves++;
      directory = yield* nextTo(host, asker);
    } else if (open !== null && pauses < GIVE_UP_TRIES) {
      pauses++;
      yield PAUSE_MS;
      directory = yield* enter(host, asker);
    } else if (found !== null || held) break;
    else {
      const first = { ...asker, attempt: attemptId({ id: jobIdOf(asker.attempt), attempt: 0 }) };
      const none = { wrapper: 0, wrapperTicks: 0, kind: "F", reason: asker.attempt } as const;
      const made: ClaimLink | "full" | null = yield* claim(host, directory, first, next, none);
      yield 0;
      if (!stays(host, directory, asker, made)) {
        directory = yield* enter(host, asker);
        moves++;
      } else if (made === "full") {
        const last = directory.chain[next];
        if (last?.attempt === null) directory.setLink(last, { no: true });
        directory = undefined;
      } else if (made === null) pauses = 0;
    }
  }
  return directory;
}

/** Claims an attempt that has no claim, so that it never starts. */
export function* forbid(host: Host, asker: Asker): Doing<void> {
  let directory = yield* enter(host, asker);
  let tries = 0;
  for (let moves = 0; directory !== undefined && moves < GIVE_UP_TRIES;) {
    const walked = walk(host, directory, asker);
    const { found, open, next } = walked;
    if (found !== null) break;
    yield 0;
    if (walked.alien) {
      moves++;
      directory = yield* nextTo(host, asker);
      continue;
    }
    if (open !== null) {
      if (++tries < GIVE_UP_TRIES) {
        yield PAUSE_MS;
        directory = yield* enter(host, asker);
      } else if (!host.isFull && tries < 2 * GIVE_UP_TRIES) directory.setLink(open, { no: true });
      else break;
      continue;
    }
    const none = { wrapper: 0, wrapperTicks: 0, kind: "F", reason: "" } as const;
    const made: ClaimLink | "full" | null = yield* claim(host, directory, asker, next, none);
    yield 0;
    if (!stays(host, directory, asker, made)) {
      directory = yield* enter(host, asker);
      moves++;
    } else if (made === "full") break;
    else if (made !== null) {
      host.parts.truth.forbidden(asker.attempt);
      host.forbidden.add(asker.attempt);
    }
  }
}
