/**
 * The queue file of a run: when it is written anew. The run goes on meanwhile.
 *
 * @module
 */

import type { Clock } from "../deps.ts";
import type { QueueStore } from "../store/store.ts";

/** The YAML file is at most about this old while a run goes on, unless writing it takes long. */
const CHECKPOINT_MS = 1_000;
/** Writing the YAML file takes at most one part in this many of the time. */
const CHECKPOINT_SHARE = 20;
/** What each job costs the first one, which nobody has timed yet: what it cost on a slow machine. */
const FIRST_MS_A_JOB = 0.01;

/** What a run's checkpoints need of it. */
export interface CheckpointParts {
  readonly clock: Clock;
  readonly store: Pick<QueueStore, "checkpoint" | "isBroken" | "jobs">;
  /** One is over: the next may be due by a time that no wait knows yet. */
  onDone(): void;
  /** The file could not be written, for the first time since it could. */
  onFailure(message: string): void;
}

/** See the module. */
export class Checkpoints {
  /** The file does not say all that the journal says. */
  isBehind = false;
  readonly #parts: CheckpointParts;
  #nextAtMs: number;
  /** The one that goes on; never rejects. */
  #current: Promise<void> | null = null;
  #hasFailed = false;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.#nextAtMs = this.#after(parts.store.jobs.size * FIRST_MS_A_JOB);
  }

  /** When to call {@link Checkpoints.begin}; Infinity for never. */
  get dueAtMs(): number {
    return this.isBehind && this.#current === null ? this.#nextAtMs : Infinity;
  }

  /** The file is gone, or says what was not taken: it is written soon, however long the last time took. */
  hasten(): void {
    this.isBehind = true;
    this.#nextAtMs = Math.min(this.#nextAtMs, this.#parts.clock.now() + CHECKPOINT_MS);
  }

  /** Begins one, if it is due. */
  begin(): void {
    if (this.#parts.clock.now() < this.dueAtMs) return;
    this.#current = this.#write().finally(() => {
      this.#current = null;
      this.#parts.onDone();
    });
  }

  /** Resolves when none goes on. */
  async settled(): Promise<void> {
    await this.#current;
  }

  async #write(): Promise<void> {
    const { clock, store, onFailure } = this.#parts;
    const startMs = clock.now();
    let tookMs = 0;
    this.isBehind = false;
    try {
      await store.checkpoint("beside");
      // That it was mended is no change of jobs: nothing else would say that there is something to write.
      this.isBehind ||= store.isBroken;
      tookMs = clock.now() - startMs;
      this.#hasFailed = false;
    } catch (error) {
      this.isBehind = true;
      if (!this.#hasFailed) onFailure((error as Error).message);
      this.#hasFailed = true;
    }
    this.#nextAtMs = this.#after(tookMs);
  }

  /** When the next one is due, where one takes so long. */
  #after(tookMs: number): number {
    return this.#parts.clock.now() + Math.max(CHECKPOINT_MS, tookMs * CHECKPOINT_SHARE);
  }
}
