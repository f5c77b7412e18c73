/**
 * Who hears of a watch, and what a watch needs to know of them.
 *
 * @module
 */

import type { Jobs } from "../store/changes.ts";
import type { FeedChange, QueueFeed } from "../store/queue_feed.ts";
import type { WatchedEvent } from "./queue_events.ts";

/** Whether a watch is wanted. */
export interface Wanted {
  /** Somebody hears of what happens as it happens. */
  isFollowed(): boolean;
  /** Of those who follow, none has to hear of each event at once. */
  isCoarse?(): boolean;
  /** Asked after each look: true ends the watch. `isGone`: the directory is not there. */
  mayEnd(watch: { readonly isGone: boolean }): boolean;
}

/** Hears of events, some at a time, in order. */
export type Listener = (events: readonly WatchedEvent[]) => void;

/** Keeps something about one queue up to date. */
export interface ChangeListener {
  /** The queue is so now; what was heard before does not count. */
  begin(jobs: Jobs): void;
  /** This has happened since; where it is empty, jobs were changed otherwise than in their states. */
  take(changes: readonly FeedChange[]): void;
  /** The run may be another one, or stand otherwise. */
  runChanged(): void;
  /** The queue is not there any more. */
  gone(): void;
}

/** Those who keep something about one queue: each begins between two looks, so that no change counts twice. */
export class ChangeListeners {
  readonly #feed: Pick<QueueFeed, "jobs" | "edition">;
  #edition = -1;
  readonly #all = new Map<ChangeListener, "waits" | "has begun">();
  #isLooking = true;

  /** The first look at the queue is under way. */
  constructor(feed: Pick<QueueFeed, "jobs" | "edition">) {
    this.#feed = feed;
  }

  /** Adds one. @returns The function that takes it out. */
  add(listener: ChangeListener): () => void {
    this.#all.set(listener, "waits");
    if (!this.#isLooking) this.#begin(listener);
    return () => void this.#all.delete(listener);
  }

  /** From now on the jobs may be ahead of what was reported. */
  looking(): void {
    this.#isLooking = true;
  }

  /** A look has ended. `changes`: null if it broke off, and nobody knows what it has missed. */
  looked(changes: readonly FeedChange[] | null): void {
    this.#isLooking = false;
    const isSame = this.#edition === this.#feed.edition;
    this.#edition = this.#feed.edition;
    for (const [listener, stage] of [...this.#all]) {
      if (stage === "waits" || changes === null) this.#begin(listener);
      else if (!isSame) listener.take(changes);
    }
  }

  /** The run was looked at, and stands otherwise. */
  runChanged(): void {
    for (const listener of [...this.#all.keys()]) listener.runChanged();
  }

  /** The queue is gone. */
  gone(): void {
    for (const listener of [...this.#all.keys()]) listener.gone();
    this.#all.clear();
  }

  #begin(listener: ChangeListener): void {
    this.#all.set(listener, "has begun");
    listener.begin(this.#feed.jobs);
  }
}
