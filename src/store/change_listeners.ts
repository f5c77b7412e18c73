/**
 * Who keeps something about a queue up to date, change by change, beside those who read it.
 *
 * @module
 */

import type { Jobs } from "./changes.ts";
import type { FeedChange, QueueFeed } from "./queue_feed.ts";

/** Keeps something about one queue up to date. */
export interface ChangeListener {
  /** The queue is so now; what was heard before does not count. */
  begin(jobs: Jobs): void;
  /** This has happened since, and the jobs are these. `changes` is empty where jobs differ, but not in their states. */
  take(changes: readonly FeedChange[], jobs: Jobs): void;
}

/** All of one queue. Each begins between two looks, so that no change counts twice. */
export class ChangeListeners {
  readonly #feed: Pick<QueueFeed, "jobs" | "edition">;
  readonly #all = new Map<ChangeListener, "waits" | "has begun">();
  #edition = -1;

  /** Nothing was looked at yet. */
  constructor(feed: Pick<QueueFeed, "jobs" | "edition">) {
    this.#feed = feed;
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Adds one, which begins after the next look. */
  add(listener: ChangeListener): void {
    this.#all.set(listener, "waits");
  }

  /** Takes one out. */
  delete(listener: ChangeListener): void {
    this.#all.delete(listener);
  }

  /** A look has ended. `changes`: null if it broke off, and nobody knows what it has missed. */
  looked(changes: readonly FeedChange[] | null): void {
    const { jobs, edition } = this.#feed;
    const isSame = this.#edition === edition;
    this.#edition = edition;
    for (const [listener, stage] of [...this.#all]) {
      if (stage === "waits" || changes === null) {
        this.#all.set(listener, "has begun");
        listener.begin(jobs);
      } else if (!isSame) listener.take(changes, jobs);
    }
  }
}
