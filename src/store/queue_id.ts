/**
 * The id by which hosts know a queue, without reading the queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { storePaths } from "./paths.ts";
import type { StoreRef } from "./store.ts";

/** Longer than any first line of a journal. */
const HEAD_BYTES = 64 * 1024;

/** The id; null where no journal says one: then no host knows the queue. */
export async function readQueueId(deps: Deps, ref: StoreRef): Promise<string | null> {
  let head = "";
  try {
    const decoder = new TextDecoder();
    for await (const piece of deps.files.pieces(storePaths(ref, "queue").journal, 0)) {
      head += decoder.decode(piece, { stream: true });
      if (head.includes("\n") || head.length > HEAD_BYTES) break;
    }
    const { queue } = JSON.parse(head.split("\n")[0]!) as { queue?: unknown };
    return typeof queue === "string" ? queue : null;
  } catch {
    return null;
  }
}
