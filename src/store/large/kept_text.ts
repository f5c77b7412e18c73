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
  readonly summary: Summary;
}

/** The whole file, and what its jobs come to. */
export interface RenderedText {
  readonly pieces: Uint8Array[];
  readonly summary: Summary;
}

/** A text that was read, and where in it each of some jobs stands as it would be written. */
interface Known {
  readonly text: string;
  readonly jobs: Job[];
  /** Begin and end of each, one after the other. */
  readonly spans: number[];
}

/** What was written last. */
export class KeptText {
  /** By the first job's name. */
  #pieces = new Map<string, Piece>();
  /** Of the file as it was read, until it is written for the first time. */
  #known: Known | null = null;

  /** Forgets what was written; takes what stands in a file that was read. */
  known(text: string): (job: Job, start: number, end: number) => void {
    const known: Known = { text, jobs: [], spans: [] };
    this.#pieces = new Map();
    this.#known = known;
    return (job, start, end) => {
      known.jobs.push(job);
      known.spans.push(start, end);
    };
  }

  /** The whole file, in pieces. Others get their turn every few milliseconds. */
  async render(jobs: Iterable<Job>, clock: Clock): Promise<RenderedText> {
    const since = Math.floor(clock.epochMs() / 1000) - RECENT_S;
    const summary = new Summary(since);
    const encoder = new TextEncoder();
    const pieces = new Map<string, Piece>();
    const from = this.#known;
    const textOf = from === null ? rendered : knownTexts(from);
    let pauseAtMs = clock.now() + BLOCK_MS;
    for (const group of groupsOf(jobs)) {
      const name = group[0]!.name;
      const known = this.#pieces.get(name);
      // Records are never changed in place: the same ones have the same text.
      const isSame = known?.jobs.length === group.length && group.every((job, i) => job === known.jobs[i]);
      const piece = isSame
        ? known!
        : { jobs: group, bytes: encoder.encode(textOf(group)), summary: summaryOf(group, since) };
      pieces.set(name, piece);
      summary.merge(piece.summary);
      if (clock.now() < pauseAtMs) continue;
      await clock.sleepUntil(clock.now() + 1);
      pauseAtMs = clock.now() + BLOCK_MS;
    }
    // Not where another text was read meanwhile.
    if (this.#known === from) [this.#pieces, this.#known] = [pieces, null];
    const all = [...pieces.values()].map(({ bytes }) => bytes);
    return { pieces: all.length === 0 ? [encoder.encode(joinBlocks([]))] : all, summary };
  }
}

function rendered(group: readonly Job[]): string {
  return group.map(renderJob).join("");
}

/** Gives the text of a group as it was read, if it stood there in one piece. */
function knownTexts({ text, jobs, spans }: Known): (group: readonly Job[]) => string {
  const indexOf = new Map(jobs.map((job, index) => [job, index]));
  return (group) => {
    const first = indexOf.get(group[0]!) ?? -1;
    const isThere = first >= 0 && group.every((job, i) => {
      const at = 2 * (first + i);
      return jobs[first + i] === job && (i === 0 || spans[at] === spans[at - 1]);
    });
    return isThere ? text.slice(spans[2 * first], spans[2 * (first + group.length) - 1]) : rendered(group);
  };
}

/**
 * Groups begin at jobs whose id says so, not at every so many: one job more or less must not move all that come after
 * it.
 */
function groupsOf(jobs: Iterable<Job>): Job[][] {
  const groups: Job[][] = [];
  let group: Job[] = [];
  for (const job of jobs) {
    if (group.length > 0 && (job.id.endsWith("00") || group.length === MOST)) {
      groups.push(group);
      group = [];
    }
    group.push(job);
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
