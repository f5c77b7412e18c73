/**
 * Watches all queues of one directory and reports what happens to them, to any number of listeners: each move of a job,
 * jobs added and deleted, runs that begin and end, machines that go up and down. Writes nothing; one watch serves all
 * who look.
 *
 * Each event has a number. The last ones are kept, so that a listener who was away for a while goes on where it was;
 * its place also names a line of a queue's journal, which outlives this process.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { JobState } from "../job/states.ts";
import { codeOf } from "../system_errors.ts";
import { storePaths } from "../store/paths.ts";
import { listNames } from "../store/queue_file.ts";
import { type FeedChange, QueueFeed } from "../store/queue_feed.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { LastRun } from "../store/run_status.ts";
import { KeptEvents, type QueueEvent, runEvents, toEvent, type WatchedEvent } from "./queue_events.ts";
import { type WatchFiles, WatchShare } from "./watch_files.ts";

/** Files are looked at this soon after a change was announced; several changes come together. */
const GATHER_MS = 25;
/** And this often in any case: the end of a process is not announced, nor are changes on network file systems. */
const LOOK_MS = { running: 500, idle: 2_000 } as const;
/** Where nobody follows and nothing runs, only to see whether it is still wanted: who asks has it look at once. */
const UNFOLLOWED_MS = 60_000;

/** A queue as a watch knows it. */
export interface WatchedQueue {
  /** State of each job; in file order, those that came since at the end. */
  readonly states: ReadonlyMap<JobName, JobState>;
  /** The last run of a scheduler; null if there was none. */
  readonly run: LastRun | null;
}

interface Followed {
  readonly tail: QueueFeed;
  states: Map<JobName, JobState>;
  run: LastRun | null;
  /** False until it was read once. */
  isKnown: boolean;
  readonly share: WatchShare;
}

/** Whether a watch is wanted. */
export interface Wanted {
  /** Somebody hears of each event as it happens. */
  isFollowed(): boolean;
  /** Asked after each look: true ends the watch. `isGone`: the directory is not there. */
  mayEnd(watch: { readonly isGone: boolean }): boolean;
}

/** What {@link QueuesWatch.subscribe} calls. */
export type Listener = (events: readonly WatchedEvent[]) => void;

/** A watch. Ends when `signal` aborts, or when it was told that it may and is not wanted. */
export class QueuesWatch {
  /** The directory as requests name it. */
  readonly experiment: string;
  /** Resolves when all queues have been read once. */
  readonly ready: Promise<void>;
  /** Resolves when the watch has ended; nothing of it goes on then. */
  readonly ended: Promise<void>;
  readonly #deps: Deps;
  readonly #directory: string;
  readonly #ending = new AbortController();
  readonly #signal = this.#ending.signal;
  readonly #wanted: Wanted;
  readonly #files: WatchFiles;
  readonly #lookers: (() => void)[] = [];
  #isAnnouncing = false;
  readonly #queues = new Map<string, Followed>();
  readonly #listeners = new Set<Listener>();
  readonly #kept: KeptEvents;
  #wake = new AbortController();
  #announced = false;
  #isScanned = false;
  #isGone = false;

  /** Begins at once. */
  constructor(
    deps: Deps,
    at: { directory: string; experiment: string },
    signal: AbortSignal,
    wanted: Wanted,
    files: WatchFiles,
  ) {
    this.#deps = deps;
    this.#files = files;
    this.#wanted = wanted;
    this.#directory = at.directory;
    this.experiment = at.experiment;
    this.#kept = new KeptEvents(deps.ids.hex(4));
    const end = () => this.#ending.abort("ended");
    signal.addEventListener("abort", end, { once: true });
    this.#signal.addEventListener("abort", () => this.#wake.abort("ended"), { once: true });
    if (signal.aborted) end();
    this.ready = files.pass(() => this.#scan());
    this.ended = this.#follow().finally(() => {
      end();
      signal.removeEventListener("abort", end);
    });
  }

  /** Aborts when the watch ends. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /** The queues by name, as of the last event that was sent. */
  get queues(): ReadonlyMap<string, WatchedQueue> {
    return this.#queues;
  }

  /** Calls `listener` with all events from now on, in order, some at a time. @returns The function that ends it. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Id of an event, for {@link QueuesWatch.since}. Plain ASCII of one line. */
  idOf(event: WatchedEvent): string {
    return this.#kept.idOf(event);
  }

  /** Id of the place after the last event, as far as this process knows it. */
  get lastId(): string {
    return this.#kept.lastId;
  }

  /**
   * What came after an id: events, and the queues of which that is not known.
   * @param queue Of this queue alone; null for all.
   */
  since(id: string, queue: string | null): { events: readonly WatchedEvent[]; unknown: readonly string[] } {
    const names = [...this.#queues.keys()].filter((name) => queue === null || name === queue);
    const { events, known } = this.#kept.since(id);
    return {
      events: events.filter(({ event }) => queue === null || event.queue === queue),
      unknown: known === "all" ? [] : names.filter((name) => name !== known),
    };
  }

  /** Looks at the files now, unless it follows them anyway. */
  async look(): Promise<void> {
    if (this.#signal.aborted || this.#wanted.isFollowed()) return;
    await new Promise<void>((resolve) => {
      this.#lookers.push(resolve);
      this.#wake.abort("asked");
    });
  }

  /** From now on changes are heard of as the system announces them. */
  follow(): void {
    this.#wake.abort("followed");
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    void this.#announce();
  }

  async #follow(): Promise<void> {
    await this.ready;
    while (!this.#signal.aborted) {
      if (this.#lookers.length === 0) await this.#wait();
      if (this.#signal.aborted) break;
      const lookers = this.#lookers.splice(0);
      await this.#files.pass(() => this.#scan());
      for (const done of lookers) done();
      if (this.#wanted.mayEnd({ isGone: this.#isGone })) break;
    }
    for (const done of this.#lookers.splice(0)) done();
    for (const { share } of this.#queues.values()) share.end();
  }

  async #wait(): Promise<void> {
    const { clock } = this.#deps;
    const isRunning = [...this.#queues.values()].some(({ run }) => run?.isRunning === true);
    const idleMs = this.#wanted.isFollowed() ? LOOK_MS.idle : UNFOLLOWED_MS;
    await clock.sleepUntil(clock.now() + (isRunning ? LOOK_MS.running : idleMs), this.#wake.signal);
    if (this.#announced) await clock.sleepUntil(clock.now() + GATHER_MS, this.#signal);
    this.#announced = false;
    this.#wake = new AbortController();
  }

  async #announce(): Promise<void> {
    try {
      for await (const name of this.#deps.files.watch(this.#directory, this.#signal)) {
        // Directories of jobs of localhost come and go beside the queues.
        if (!/-queue\.(yaml|journal|run)$/.test(name)) continue;
        this.#announced = true;
        this.#wake.abort("woken");
      }
    } catch {
      // Looking from time to time has to do.
    }
  }

  async #scan(): Promise<void> {
    const names = await this.#names();
    for (const name of names) {
      const ref = { experiment: this.experiment, directory: this.#directory, name };
      if (this.#queues.has(name)) continue;
      const tail = new QueueFeed(this.#deps, ref);
      const share = new WatchShare(this.#files, tail);
      if (await this.#place(storePaths(ref, "queue").file, share) !== "there") continue;
      this.#queues.set(name, { tail, share, states: new Map(), run: null, isKnown: false });
    }
    for (const [name, queue] of this.#queues) {
      const found = names.includes(name) ? await this.#look(name, queue) : "gone";
      if (found === "there") continue;
      this.#queues.delete(name);
      queue.share.end();
      if (queue.isKnown && found === "gone") this.#tell([{ type: "queue_deleted", ...this.#of(name) }], queue.tail);
    }
    this.#isScanned = true;
  }

  async #names(): Promise<string[]> {
    const { files } = this.#deps;
    const names = await listNames(this.#deps, this.#directory, "queue")
      .catch((error) => isForeign(error) ? [] : [...this.#queues.keys()]);
    this.#isGone = names.length === 0 && (await files.stamp(this.#directory).catch(() => null))?.isDirectory !== true;
    return names;
  }

  /** Whether it is watched: not where a link to elsewhere, a fifo or the like has its name, or it is too large. */
  async #place(file: string, share: WatchShare): Promise<"there" | "gone" | "large"> {
    const stamp = await this.#deps.files.stamp(file).catch((error) => isForeign(error) ? "foreign" : null);
    if (stamp === "foreign") return "gone";
    return share.fits(stamp?.sizeBytes ?? 0) ? "there" : "large";
  }

  async #look(name: string, queue: Followed): Promise<"there" | "gone" | "large"> {
    const wasKnown = queue.isKnown;
    try {
      // The run first: when its end is seen here, all that it wrote is read below.
      const paths = storePaths({ experiment: this.experiment, directory: this.#directory, name }, "queue");
      const found = await this.#place(paths.file, queue.share);
      if (found !== "there") return found;
      const hasRun = await this.#deps.files.stamp(paths.run) !== null;
      const run = hasRun ? await readLastRun(this.#deps, paths) : null;
      const place = { begun: queue.tail.begun, line: queue.tail.line };
      const changes = await queue.tail.look();
      if (changes === null) return "gone";
      const { before, after } = wasKnown ? runEvents(queue.run, run) : { before: [], after: [] };
      const of = this.#of(name);
      if (!wasKnown) this.#seed(name, queue, changes);
      queue.isKnown = true;
      if (!wasKnown && this.#isScanned) before.unshift({ type: "queue_added" });
      // At their place before the changes: who goes on from there must not miss those.
      this.#tell(before.map((event) => ({ ...event, ...of })), wasKnown ? place : queue.tail);
      queue.run = run;
      if (wasKnown) this.#tellChanges(name, queue, changes);
      this.#tell(after.map((event) => ({ ...event, ...of })), queue.tail);
    } catch {
      // A file that cannot be read now: the commands say what is wrong with it; here the next look sees more.
    } finally {
      queue.share.looked();
    }
    return "there";
  }

  /** What the journal held before we came is kept for those who come back, and sent to nobody. */
  #seed(name: string, queue: Followed, changes: readonly FeedChange[]): void {
    queue.states = new Map([...queue.tail.jobs].map(([job, { status }]) => [job, status]));
    const of = this.#of(name);
    const { begun, line, isWhole } = queue.tail;
    this.#kept.begin({
      queue: name,
      begun,
      fromLine: isWhole ? 1 : line,
      changes: changes.map((change) => ({ change, event: toEvent(change, of) })),
    });
  }

  #tellChanges(name: string, queue: Followed, changes: readonly FeedChange[]): void {
    if (changes.length === 0) return;
    const told = changes.map((change) => this.#kept.add(toEvent(change, this.#of(name)), change));
    for (const { type, job } of changes) {
      if (type === "deleted") queue.states.delete(job.name);
      else queue.states.set(job.name, job.status);
    }
    for (const listener of this.#listeners) listener(told);
  }

  #tell(events: readonly QueueEvent[], place: { begun: string; line: number }): void {
    if (events.length === 0) return;
    const told = events.map((event) => this.#kept.add(event, place));
    for (const listener of this.#listeners) listener(told);
  }

  #of(queue: string): { queue: string; experiment: string } {
    return { queue, experiment: this.experiment };
  }
}

/** True if what is there is no file or directory of the watched place. */
function isForeign(error: unknown): boolean {
  return ["EXDEV", "EFTYPE"].includes(codeOf(error));
}
