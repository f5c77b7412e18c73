/**
 * How the queue that is looked at stands, kept up to date for all views.
 *
 * @module
 */

import { batch, effect, signal } from "@preact/signals";
import { experiment } from "./experiment.ts";
import { place } from "./place.ts";
import { follow, read, type Reply, type Status, who } from "./service.ts";

/** One, with its queues. */
export type Experiment = Reply<"/experiments">["experiments"][number];

/** null: not known yet, or there is no queue. */
export const status = signal<Status | null>(null);
/** Why what is shown may be old; null if it is not. */
export const broken = signal<string | null>(null);
/** Counts up with each news of the queue. */
export const news = signal(0);
/** When the last news came, epoch ms. */
export const heardMs = signal(0);
/** All queues of all experiments; null: not known yet. */
export const experiments = signal<readonly Experiment[] | null>(null);
/** The first rows are there, or none are looked at: what takes long may begin. */
export const isShown = signal(false);

/** Reads the names of queues. */
export async function findQueues(): Promise<void> {
  experiments.value = (await read<Reply<"/experiments">>(["experiments"])).experiments;
}

let ending: AbortController | null = null;
let followed: string | null = null;

effect(() => {
  const { queue: named, view } = place.value;
  const queue = !who.value || (view === "jobs" && !isShown.value) ? null : named;
  const key = queue === null ? null : `${experiment.value} ${queue}`;
  if (key === followed) return;
  followed = key;
  ending?.abort();
  status.value = null;
  broken.value = null;
  if (queue === null) return;
  ending = new AbortController();
  const onStatus = (now: Status): void => {
    batch(() => {
      status.value = now;
      broken.value = null;
      heardMs.value = Date.now();
      news.value = news.peek() + 1;
    });
  };
  const onAlive = (): void => void (broken.value = null);
  void follow(queue, { onStatus, onAlive, onBreak: (why) => broken.value = why }, ending.signal);
});

effect(() => {
  const now = status.value;
  const queue = place.value.queue;
  if (now === null || queue === null) return void (document.title = "Cloudmesh Queue");
  const { end = 0, kill = 0, crash = 0, fail_start = 0 } = now.counts as Record<string, number>;
  const done = end + kill + crash + fail_start;
  const failed = now.failed > 0 ? `, ${now.failed} failed` : "";
  document.title = `${done}/${now.total}${failed} ${queue}${now.run === null ? "" : " ▶"}`;
});
