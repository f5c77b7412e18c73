/**
 * The text of a queue file, kept in pieces of some hundred jobs: a piece whose jobs have not changed since the last
 * time costs next to nothing. It is kept as bytes, which the garbage collector does not look at.
 *
 * @module
 */

import type { Clock } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import { renderJob } from "../yaml/job_record.ts";
import { joinBlocks } from "../yaml/yaml.ts";
import { Summary, summaryOf } from "./summary.ts";

/** Jobs of a piece at most. */
const MOST = 1024;
/** Ends that are older than this, s, no summary needs. */
const RECENT_S = 60;
/** How long one piece of work may keep all else waiting: a link's heartbeat, above all. */
const BLOCK_MS = 10;

interface Piece {
  readonly jobs: readonly Job[];
  readonly bytes: Uint8Array;
  /** null until the file is written. */
  readonly summary: Summary | null;
}

/** The whole file, and what its jobs come to. */
export interface RenderedText {
  readonly pieces: Uint8Array[];
  readonly summary: Summary;
}

/** Takes what is read of a file, one part after the other. */
export interface TextTaker {
  /** A part is about to be read. @returns To be told of what in it would be written again: see `parseJobs`. */
  part(text: string): (job: Job, start: number, end: number) => void;
  /** All jobs that were read of it, in order. */
  read(jobs: Iterable<Job>): void;
}

/** What was written last. */
export class KeptText {
  /** By the first job's name. */
  #pieces = new Map<string, Piece>();

  /** Forgets what was written; takes what stands in a file that is read. */
  taker(): TextTaker {
    const pieces = this.#pieces = new Map<string, Piece>();
    const encoder = new TextEncoder();
    let exact: { readonly job: Job; readonly text: string }[] = [];
    let group: Job[] = [];
    /** The text of the group; null if it would be written otherwise. */
    let text: string[] | null = [];
    const end = (): void => {
      if (text !== null) {
        pieces.set(group[0]!.name, { jobs: group, bytes: encoder.encode(text.join("")), summary: null });
      }
      [group, text] = [[], []];
    };
    return {
      part(whole) {
        exact = [];
        return (job, start, stop) => void exact.push({ job, text: whole.slice(start, stop) });
      },
      read(jobs) {
        let i = 0;
        for (const job of jobs) {
          if (isFirst(job, group)) end();
          group.push(job);
          const own = exact[i]?.job === job ? exact[i++]! : null;
          if (own === null) text = null;
          else text?.push(own.text);
        }
        exact = [];
      },
    };
  }

  /** The whole file, in pieces. Others get their turn every few milliseconds. */
  async render(jobs: Iterable<Job>, clock: Clock): Promise<RenderedText> {
    const since = Math.floor(clock.epochMs() / 1000) - RECENT_S;
    const summary = new Summary(since);
    const encoder = new TextEncoder();
    const pieces = new Map<string, Piece>();
    const from = this.#pieces;
    let pauseAtMs = clock.now() + BLOCK_MS;
    for (const group of groupsOf(jobs)) {
      const name = group[0]!.name;
      const known = from.get(name);
      // Records are never changed in place: the same ones have the same text.
      const isSame = known?.jobs.length === group.length && group.every((job, i) => job === known.jobs[i]);
      const bytes = isSame ? known!.bytes : encoder.encode(group.map(renderJob).join(""));
      const own = (isSame ? known!.summary : null) ?? summaryOf(group, since);
      pieces.set(name, isSame && own === known!.summary ? known! : { jobs: group, bytes, summary: own });
      summary.merge(own);
      if (clock.now() < pauseAtMs) continue;
      await clock.sleepUntil(clock.now() + 1);
      pauseAtMs = clock.now() + BLOCK_MS;
    }
    // Not where another text was read meanwhile.
    if (this.#pieces === from) this.#pieces = pieces;
    const all = [...pieces.values()].map(({ bytes }) => bytes);
    return { pieces: all.length === 0 ? [encoder.encode(joinBlocks([]))] : all, summary };
  }
}

/** True if a job begins a new group. @param group The jobs of the last one so far. */
function isFirst(job: Job, group: readonly Job[]): boolean {
  return group.length > 0 && (job.id.endsWith("00") || group.length === MOST);
}

/**
 * Groups begin at jobs whose id says so, not at every so many: one job more or less must not move all that come after
 * it.
 */
function groupsOf(jobs: Iterable<Job>): Job[][] {
  const groups: Job[][] = [];
  let group: Job[] = [];
  for (const job of jobs) {
    if (isFirst(job, group)) {
      groups.push(group);
      group = [];
    }
    group.push(job);
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
