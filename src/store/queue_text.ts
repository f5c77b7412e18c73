/**
 * The text of a queue file, kept in pieces of some hundred jobs: a piece whose jobs have not changed since the last time costs next
 * to nothing. It is kept as bytes, which the garbage collector does not look at.
 *
 * @module
 */

import type { Clock } from "../deps.ts";
import type { Job } from "../job/job.ts";
import type { Jobs } from "./changes.ts";
import { renderJob } from "./job_record.ts";
import { joinBlocks } from "./yaml.ts";

/** Jobs of a piece at most. */
const MOST = 1024;
/** How long one piece of work may keep all else waiting: a link's heartbeat, above all. */
const BLOCK_MS = 10;

interface Piece {
  readonly jobs: readonly Job[];
  readonly bytes: Uint8Array;
}

/** What was written last. */
export class QueueText {
  /** By the first job's name. */
  #pieces = new Map<string, Piece>();

  /** The whole file. Others get their turn every few milliseconds. */
  async render(jobs: Jobs, clock: Clock): Promise<Uint8Array> {
    const encoder = new TextEncoder();
    const pieces = new Map<string, Piece>();
    let pauseAtMs = clock.now() + BLOCK_MS;
    for (const group of groupsOf(jobs)) {
      const name = group[0]!.name;
      const known = this.#pieces.get(name);
      // Records are never changed in place: the same ones have the same text.
      const isSame = known?.jobs.length === group.length && group.every((job, i) => job === known.jobs[i]);
      pieces.set(name, isSame ? known! : { jobs: group, bytes: encoder.encode(group.map(renderJob).join("")) });
      if (clock.now() < pauseAtMs) continue;
      await clock.sleepUntil(clock.now() + 1);
      pauseAtMs = clock.now() + BLOCK_MS;
    }
    this.#pieces = pieces;
    return pieces.size === 0 ? encoder.encode(joinBlocks([])) : joined([...pieces.values()].map(({ bytes }) => bytes));
  }
}

/** Groups begin at jobs whose id says so, not at every so many: one job more or less must not move all that come after it. */
function groupsOf(jobs: Jobs): Job[][] {
  const groups: Job[][] = [];
  let group: Job[] = [];
  for (const job of jobs.values()) {
    if (group.length > 0 && (job.id.endsWith("00") || group.length === MOST)) {
      groups.push(group);
      group = [];
    }
    group.push(job);
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
