/**
 * How the queue that is looked at stands, kept up to date for all views.
 *
 * @module
 */

import { effect, signal } from "@preact/signals";
import { place } from "./place.ts";
import { follow, read, type Status, who } from "./service.ts";

/** null: not known yet, or there is no queue. */
export const status = signal<Status | null>(null);
/** Why what is shown may be old; null if it is not. */
export const broken = signal<string | null>(null);
/** Counts up with each news of the queue. */
export const news = signal(0);
/** All queues of the experiment. */
export const queues = signal<readonly string[]>([]);

/** Reads the names of queues, and shows the first if none is shown. */
export async function findQueues(): Promise<void> {
  const { queues: files } = await read<{ queues: string[] }>(["queue", ""]);
  queues.value = files.map((file) => file.replace(/-queue\.yaml$/, ""));
}

let ending: AbortController | null = null;
let followed: string | null = null;

effect(() => {
  const queue = !who.value ? null : place.value.queue;
  if (queue === followed) return;
  followed = queue;
  ending?.abort();
  status.value = null;
  broken.value = null;
  if (queue === null) return;
  ending = new AbortController();
  const onStatus = (now: Status): void => {
    status.value = now;
    broken.value = null;
    news.value = news.peek() + 1;
  };
  void follow(queue, { onStatus, onBreak: (why) => broken.value = why }, ending.signal);
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
