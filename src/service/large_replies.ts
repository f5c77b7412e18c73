/**
 * Replies with many records: one is made at a time, piece by piece with room for all else between two, so that whoever
 * asks for many large tables keeps nobody waiting who asks for something small.
 *
 * @module
 */

import type { Context, TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import type { Job } from "../job/job.ts";
import type { Pace } from "../output/table.ts";
import { Crowd } from "./limits.ts";
import { type TextOrJson, wantsJson } from "./negotiate.ts";
import { jobsJson, type JobsReply, jobsTable } from "./records.ts";
import type { Service } from "./service.ts";

/** Records that are a few milliseconds' work. */
const SMALL = 200;
const AT_ONCE = { most: 1, mostWaiting: 256 };
/** A piece of the work, and the rest after it, in which timers and sockets have their turn. */
const WORK_MS = 4;
const REST_MS = 1;

const crowds = new WeakMap<Service, Crowd>();

/**
 * Makes a reply of so many records.
 * @param make Calls what it is given after each piece of its work.
 * @throws {Refusal} If too many such replies wait already.
 */
export async function inItsTurn<T>(service: Service, records: number, make: (pace: Pace) => Promise<T>): Promise<T> {
  if (records <= SMALL) return await make(() => Promise.resolve());
  const crowd = crowds.get(service) ?? new Crowd(AT_ONCE);
  crowds.set(service, crowd);
  const { clock } = service.deps;
  let sinceMs = -Infinity;
  return await crowd.pass(() =>
    make(async () => {
      if (clock.now() - sinceMs < WORK_MS) return;
      // Where more large replies wait, they take no more than half of the time.
      await clock.sleepUntil(clock.now() + (crowd.waiting > 0 ? WORK_MS : REST_MS));
      sinceMs = clock.now();
    })
  );
}

/** The jobs as a table. */
export function tableInTurn(service: Service, jobs: readonly Job[]): Promise<string> {
  return inItsTurn(service, jobs.length, (pace) => jobsTable(jobs, pace));
}

/** The jobs as JSON text. */
export function jsonInTurn(service: Service, jobs: readonly Job[]): Promise<string> {
  return inItsTurn(service, jobs.length, (pace) => jobsJson(jobs, pace));
}

/** Answers with jobs: as text, which is their table unless another is given, or as JSON for whoever asks for it. */
export async function textOrJobs(
  c: Context,
  service: Service,
  jobs: readonly Job[],
  text: () => string | Promise<string> = () => tableInTurn(service, jobs),
): Promise<TextOrJson<JobsReply>> {
  const reply = wantsJson(c) ? await jobsBody(c, service, jobs) : c.text(await text(), 200);
  return reply as unknown as TextOrJson<JobsReply>;
}

/** Answers with jobs as JSON. */
export async function jobsBody(
  c: Context,
  service: Service,
  jobs: readonly Job[],
): Promise<Response & TypedResponse<JSONParsed<JobsReply>, 200, "json">> {
  const reply = c.body(await jsonInTurn(service, jobs), 200, { "Content-Type": "application/json" });
  return reply as unknown as Response & TypedResponse<JSONParsed<JobsReply>, 200, "json">;
}
