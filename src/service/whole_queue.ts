/**
 * The reply that holds all jobs of a queue. It is made once for each state of the queue, and a client that has it
 * already gets 304: who asks again and again costs little.
 *
 * @module
 */

import type { Context } from "hono";
import type { Jobs } from "../store/changes.ts";
import { inItsTurn } from "./large_replies.ts";
import { jobsJson } from "./records.ts";
import type { Service } from "./service.ts";

/** Bigger ones are made anew each time. */
const MOST_BYTES = 16 * 1024 * 1024;

interface Whole {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** Goes when the jobs change, as they are another map then. */
const kept = new WeakMap<Jobs, Whole>();

/** Answers with all jobs, or that nothing has changed. */
export async function wholeQueue(c: Context, service: Service, jobs: Jobs): Promise<Response> {
  const whole = kept.get(jobs) ?? await inItsTurn(service, jobs.size, async (pace) => {
    // Another request may have made it while this one waited.
    const known = kept.get(jobs);
    if (known !== undefined) return known;
    const bytes = new TextEncoder().encode(await jobsJson([...jobs.values()], pace));
    const hash = await service.deps.files.hash([bytes]);
    const made = { bytes, etag: `"${hash.slice(0, 32)}"` };
    if (bytes.length <= MOST_BYTES) kept.set(jobs, made);
    return made;
  });
  c.header("ETag", whole.etag);
  const known = (c.req.header("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(whole.etag) || known.includes("*")) return c.body(null, 304);
  return c.body(whole.bytes, 200, { "Content-Type": "application/json" });
}
