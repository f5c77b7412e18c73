/**
 * The loop of a run: the only place of the scheduler that waits. It gathers events from links, files, signals and the
 * clock, has the core decide under the queue's lock, makes the decisions durable, and only then carries them out.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import type { Change, ExternalChanges } from "../store/changes.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Deliver } from "./deliver.ts";
import type { CoreEvent } from "./events.ts";
import { GATHER_MS } from "./slot_pools.ts";
import type { RunResult } from "./report.ts";
import type { RunParts, RunWatch } from "./run_parts.ts";
import { Undelivered } from "./undelivered.ts";
import { WatchedFiles } from "./watched_files.ts";

/**
 * How often to look whether others changed the files: two or three calls of stat, which costs less than to be told of
 * every write (most are our own), and works on network file systems too.
 */
const LOOK_MS = 200;
/**
 * There is a turn at least every {@link LOOK_MS}; after so long without one, or a tenth of the time-out if that is
 * less, the run was stopped, or the manager slept.
 */
const STANDSTILL_MS = 5_000;
/** Pause before writing again after a failure (a full disk). */
const WRITE_AGAIN_MS = 1_000;

/** The wall clock counts as set when it is off by so much; it always goes a little faster or slower. */
const WALL_CLOCK_MS = 200;

/** Why a wait ends; a reason of our own spares the making of an error with a stack. */
const WOKEN = "woken";

/** Runs a queue to its end. The caller holds the right to run it. */
export async function runLoop(deps: Deps, parts: RunParts, watch: RunWatch): Promise<RunResult> {
  const loop = new Loop(deps, parts, watch);
  try {
    return await loop.run();
  } finally {
    await loop.close();
  }
}

class Loop {
  readonly #deps: Deps;
  readonly #parts: RunParts;
  readonly #watch: RunWatch;
  #deliver: Deliver;
  #inbox: CoreEvent[] = [{ type: "begin" }];
  /** True if an event in the inbox is not to wait for the next look. */
  #urgent = true;
  /** When the inbox is to be looked at all the same. */
  #gatherAtMs = Infinity;
  /** Ends in the inbox, of all machines. */
  #ended = 0;
  readonly #undelivered = new Undelivered();
  #wake: AbortController | null = null;
  #lookAtMs = 0;
  #turnedAtMs: number;
  /** How long the run stood still; the core does not know it yet. */
  #stoodMs = 0;
  /** What was decided last could not be written, and so was not carried out: no link is opened, either. */
  #isHeld = false;
  /** So far the wall clock is ahead of the run's, as the core knows it. */
  #wallAheadMs = 0;
  readonly #files: WatchedFiles;
  readonly #checkpoints: Checkpoints;
  #writeFailed = false;
  /** Another process has the right to run the queue. */
  #isLost = false;
  /** Nothing is decided before this time: what was decided last could not be written. */
  #heldUntilMs = 0;
  /** True once the events of this turn have reached the core. */
  #decided = false;
  #finished = false;
  /** Nothing is open any more, and the right to run is given back. */
  #isOver = false;

  constructor(deps: Deps, parts: RunParts, watch: RunWatch) {
    this.#deps = deps;
    this.#parts = parts;
    this.#watch = watch;
    this.#turnedAtMs = deps.clock.now();
    this.#deliver = this.#makeDeliver();
    this.#files = new WatchedFiles(deps.files, parts, (text) => this.#warn(text));
    this.#checkpoints = new Checkpoints({
      clock: deps.clock,
      store: parts.store,
      onDone: () => this.#wake?.abort(WOKEN),
      // Where the journal cannot be written either, that was said.
      onFailure: (message) => this.#writeFailed || this.#warn(message),
    });
  }

  /** True if the run is to end at once; its jobs go on. */
  get #mustLeave(): boolean {
    return this.#isLost || this.#watch.leave.aborted;
  }

  async run(): Promise<RunResult> {
    const { stop, leave } = this.#watch;
    const onStop = (): void => this.#push({ type: "stop", signal: String(stop.reason) });
    if (stop.aborted) onStop();
    stop.addEventListener("abort", onStop, { once: true });
    leave.addEventListener("abort", () => this.#wake?.abort(WOKEN), { once: true });
    do {
      while (!this.#finished && !this.#mustLeave) {
        await this.#turn();
        if (this.#finished || this.#mustLeave) break;
        this.#checkpoints.begin();
        await this.#wait();
      }
    } while (!await this.#end());
    const result = this.#parts.core.result();
    return this.#mustLeave && !this.#finished ? { ...result, outcome: "stopped" } : result;
  }

  /** After a fault: leaves the YAML file complete, and nothing open. */
  async close(): Promise<void> {
    if (!this.#isOver) await this.#end(true);
  }

  /**
   * Closes the links, writes the YAML file and gives back the right to run, unless there is more to do: to close them
   * takes a moment, in which jobs may be added. What is added later finds no run any more, and a complete file.
   * @returns False if the run goes on.
   */
  async #end(isFault = false): Promise<boolean> {
    await this.#deliver.close();
    await this.#checkpoints.settled();
    // What the links said last and nobody has taken in: of what is left they say it again, should the run go on.
    this.#inbox = this.#inbox.filter(({ type }) => type === "hosts" || type === "stop" || type === "pause");
    if (this.#finished) this.#parts.core.step({ type: "links_closed" }, this.#deps.clock.now());
    try {
      if (this.#undelivered.size > 0 && !this.#isLost) await this.#commit([]);
      const mustEnd = isFault || this.#mustLeave;
      this.#finished = this.#parts.core.isFinished;
      const mayEnd = (external: ExternalChanges): boolean => mustEnd || (this.#finished && this.#mayEnd(external));
      if (!await this.#parts.store.endRun("always", mayEnd)) {
        this.#urgent = true;
        this.#deliver = this.#makeDeliver();
        return false;
      }
    } catch (error) {
      // The journal has all of it; the next command writes it.
      this.#warn(`The queue file could not be written, its journal is complete: ${(error as Error).message}`);
    }
    return this.#isOver = true;
  }

  /** True if what others did since the run came to its end is nothing that it has to do. */
  #mayEnd(external: ExternalChanges): boolean {
    for (const text of external.warnings) this.#warn(text);
    if (!hasChanges(external)) return true;
    const effects = this.#parts.core.step({ type: "external", external, undone: [] }, this.#deps.clock.now());
    this.#finished = this.#parts.core.isFinished;
    if (this.#finished) return true;
    this.#undelivered.add(effects);
    this.#checkpoints.isBehind = true;
    return false;
  }

  #makeDeliver(): Deliver {
    const { connect, store: { ref, id } } = this.#parts;
    return new Deliver({
      connect,
      files: this.#deps.files,
      clock: this.#deps.clock,
      environment: this.#deps.environment,
      queueId: id,
      localDirectory: ref.directory,
      hostDirectory: ref.experiment,
      push: (event) => this.#push(event),
    });
  }

  #push(event: CoreEvent): void {
    this.#inbox.push(event);
    // Nothing is to be decided on a start that was confirmed: it is written down with whatever comes next, or at the
    // next look. Short jobs so need half as many turns.
    if (event.type === "link" && event.event.type === "started") return;
    if (
      event.type === "link" && event.event.type === "ended" && this.#parts.core.hasStock(event.machine, ++this.#ended)
    ) {
      if (this.#gatherAtMs < Infinity) return;
      this.#gatherAtMs = this.#deps.clock.now() + GATHER_MS;
    } else this.#urgent = true;
    if (this.#deps.clock.now() >= this.#heldUntilMs) this.#wake?.abort(WOKEN);
  }

  /** Sleeps until there is an event, or something is due. */
  async #wait(): Promise<void> {
    if (this.#urgent && this.#deps.clock.now() >= this.#heldUntilMs) return;
    const coreAtMs = this.#parts.core.wakeAtMs ?? Infinity;
    this.#wake = new AbortController();
    const dueAtMs = Math.max(
      this.#heldUntilMs,
      Math.min(coreAtMs, this.#checkpoints.dueAtMs, this.#lookAtMs, this.#gatherAtMs),
    );
    // At least one turn of the event loop, so that links and files get theirs whatever is due.
    await this.#deps.clock.sleepUntil(Math.max(dueAtMs, this.#deps.clock.now() + 1), this.#wake.signal);
    this.#wake = null;
  }

  async #turn(): Promise<void> {
    const nowMs = this.#deps.clock.now();
    this.#noteTime(nowMs);
    this.#urgent ||= this.#stoodMs > 0;
    const mustLook = nowMs >= this.#lookAtMs;
    if (mustLook) {
      this.#lookAtMs = nowMs + LOOK_MS;
      for (const event of await this.#files.look()) {
        // Of a pause the first step knows before it starts anything.
        if (event.type === "pause") this.#inbox.unshift(event);
        else this.#inbox.push(event);
        this.#urgent = true;
      }
    }
    const isDue = (this.#parts.core.wakeAtMs ?? Infinity) <= nowMs;
    const isGathered = this.#gatherAtMs <= nowMs;
    if (!this.#urgent && !mustLook && !isDue && !isGathered && this.#undelivered.size === 0) return;
    const events = this.#inbox;
    this.#inbox = [];
    this.#urgent = false;
    this.#gatherAtMs = Infinity;
    this.#ended = 0;
    if (isDue) events.push({ type: "tick" });
    try {
      await this.#commit(events);
      this.#writeFailed = this.#isHeld = false;
    } catch (error) {
      if (error instanceof CmsError && error.code === "conflict") {
        this.#isLost = true;
        return this.#warn(`${error.message}; this run leaves, and what it started goes on`);
      }
      this.#isHeld = true;
      if (!this.#decided) this.#inbox.unshift(...events);
      this.#urgent ||= this.#inbox.length > 0;
      if (!this.#writeFailed) this.#warn(`${(error as Error).message}; no job starts until it can be written`);
      this.#writeFailed = true;
      this.#heldUntilMs = this.#deps.clock.now() + WRITE_AGAIN_MS;
      return;
    }
    const effects = this.#undelivered.take();
    this.#files.taken();
    this.#deliver.perform(effects);
    for (const effect of effects) {
      if (effect.type === "report") this.#watch.onEvent(effect.event);
      // What could not be written at once may be overtaken by a job that was added.
      if (effect.type === "finish") this.#finished = this.#parts.core.isFinished;
    }
    if (effects.length > 0) this.#watch.onEvent({ type: "progress", progress: this.#parts.core.progress() });
  }

  /** Notes for how long the run did nothing, if that was long, or could do nothing. */
  #noteTime(nowMs: number): void {
    const ms = nowMs - this.#turnedAtMs;
    this.#turnedAtMs = nowMs;
    const longMs = Math.min(STANDSTILL_MS, this.#parts.core.timeoutMs / 10);
    if (ms > longMs || this.#isHeld) this.#stoodMs += ms;
  }

  /** Reports to the core by how much the wall clock is ahead, if it was set. */
  #noteWallClock(nowMs: number): void {
    const aheadMs = this.#deps.clock.epochMs() - nowMs;
    if (Math.abs(aheadMs - this.#wallAheadMs) < WALL_CLOCK_MS) return;
    this.#wallAheadMs = aheadMs;
    this.#parts.core.step({ type: "wall_clock", aheadMs }, nowMs);
  }

  /**
   * Decides under the lock, on the newest state of the queue, and makes it durable after that. If either fails, the
   * decisions are kept for the next time.
   */
  async #commit(events: readonly CoreEvent[]): Promise<void> {
    const { store, core } = this.#parts;
    this.#decided = false;
    const decide = (external: ExternalChanges): Change[] => {
      this.#decided = true;
      const nowMs = this.#deps.clock.now();
      // Before all else: it may have stood still in the middle of this turn.
      this.#noteTime(nowMs);
      if (this.#stoodMs > 0) this.#undelivered.add(core.step({ type: "stood_still", ms: this.#stoodMs }, nowMs));
      this.#stoodMs = 0;
      this.#noteWallClock(nowMs);
      for (const text of external.warnings) this.#warn(text);
      if (external.warnings.length > 0) this.#checkpoints.hasten();
      // In one step, so that a job which was replaced is considered anew before the run could end.
      const undone = this.#undelivered.takeBack(store.jobs);
      if (hasChanges(external)) this.#watch.onExternalChanges?.(external);
      if (hasChanges(external) || undone.length > 0) {
        this.#undelivered.add(core.step({ type: "external", external, undone }, nowMs));
        this.#checkpoints.isBehind = true;
      }
      for (const event of events) this.#undelivered.add(core.step(event, nowMs));
      const changes = this.#undelivered.changes();
      if (changes.length > 0) this.#checkpoints.isBehind = true;
      return changes;
    };
    await store.commit(decide, { durable: false });
    this.#undelivered.written();
    // Starts must be durable before they are sent. Ends stand on the hosts as well. The lock is free by now: whoever
    // writes does not wait for the disk.
    if (this.#undelivered.isDurable) await store.makeDurable();
  }

  #warn(text: string): void {
    this.#watch.onEvent({ type: "warning", text });
  }
}

function hasChanges(external: ExternalChanges): boolean {
  return external.put.length + external.changed.length + external.deleted.length + external.kill.length > 0 ||
    external.reordered;
}
