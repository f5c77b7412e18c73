/**
 * The reply that holds all jobs of a queue. It is made once for each state of the queue, and a client that has it
 * already gets 304: who asks again and again costs little.
 *
 * @module
 */

import type { Context } from "hono";
import type { Jobs } from "../store/changes.ts";
import { jobsReply } from "./records.ts";

/** Bigger ones are made anew each time. */
const MOST_BYTES = 16 * 1024 * 1024;

interface Whole {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** Goes when the jobs change, as they are another map then. */
const kept = new WeakMap<Jobs, Whole>();

/** Answers with all jobs, or that nothing has changed. */
export async function wholeQueue(c: Context, jobs: Jobs): Promise<Response> {
  let whole = kept.get(jobs);
  if (whole === undefined) {
    const bytes = new TextEncoder().encode(JSON.stringify(jobsReply([...jobs.values()])));
    whole = { bytes, etag: `"${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 32)}"` };
    if (bytes.length <= MOST_BYTES) kept.set(jobs, whole);
  }
  c.header("ETag", whole.etag);
  const known = (c.req.header("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(whole.etag) || known.includes("*")) return c.body(null, 304);
  return c.body(whole.bytes, 200, { "Content-Type": "application/json" });
}
