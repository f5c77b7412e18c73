import assert from "node:assert/strict";
import type { Files } from "../../src/deps.ts";
import { WatchedFiles } from "../../src/scheduler/watched_files.ts";

Deno.test("a pause that comes between the look at its file and the reading of it does not stay when it has gone", async () => {
  let isPaused = false;
  let onStamp = (): void => {};
  const files = {
    stamp: () => {
      const stamp = isPaused ? { inode: 1 } : null;
      onStamp();
      return Promise.resolve(stamp);
    },
  } as unknown as Files;
  const pause = { file: "pause", read: () => Promise.resolve(isPaused ? { reason: null } : null) };
  const watched = new WatchedFiles(files, { readHosts: null, hostFiles: [], pause }, () => {});
  const look = async (): Promise<unknown[]> =>
    (await watched.look()).map((event) => event.type === "pause" && event.isPaused);
  isPaused = true;
  assert.deepEqual(await look(), [true]);
  isPaused = false;
  onStamp = () => isPaused = true;
  assert.deepEqual(await look(), [true]);
  onStamp = () => {};
  isPaused = false;
  assert.deepEqual(await look(), [false]);
  assert.deepEqual(await look(), []);
});
