/**
 * What a run would do.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { InvalidError } from "../../errors.ts";
import { parseDuration } from "../../names/units.ts";
import { MOST_MORE, planRun } from "../../operations/plan_run.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { clustersAt, queueAt } from "../places.ts";
import { count, countOr, durationText, ExperimentQuery, nameArray, QueuePath, text } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const number = (description: string, example: number) => z.number().openapi({ description, example });

const PlanSchema = z.object({
  queue: z.string().openapi({ description: "Name of the queue.", example: "a" }),
  slots: number("Jobs at once.", 8),
  makespan: number("Until the last job ends, in seconds.", 600),
  idle: number("Part of the time of all slots in which they have no job.", 0.1),
  known: z.number().nullable().openapi({
    description: "Jobs that told by their own times what the others take; null where `duration` says it.",
    example: 12,
  }),
  more: z.object({ hosts: number("So many more.", 4), makespan: number("What it is with them.", 400) }).nullable(),
  never: z.array(z.object({
    reason: z.string().openapi({ description: "What keeps them.", example: "held" }),
    jobs: nameArray("Jobs that never start.", "job3"),
  })),
  jobs: z.array(z.object({
    job: z.string().openapi({ description: "Name of the job.", example: "job1" }),
    host: z.string().nullable().openapi({ description: "Host that gives the slot.", example: "red01" }),
    machine: z.string().openapi({ description: "Where it runs.", example: "pi@red01" }),
    start: number("When it starts, in seconds from the begin.", 0),
    end: number("When it ends.", 60),
  })).openapi({ description: "In order of their starts; at most `limit` of them." }),
}).openapi("Plan");

const plan = operation({
  method: "put",
  path: "/queue/{queue}/plan",
  tags: ["more"],
  summary: "Queue Plan",
  description:
    "Who would run where and when, by the scheduler itself on a simulated clock. Starts nothing. What it says is kept, " +
    "and compared with the run that follows: see `status`.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      cluster: text("Cluster whose active hosts are used, or several with commas between them.", "a").optional(),
      max_parallel: count("Plan a run of fifo with so many jobs at once.", { example: 4, min: 1, max: 100_000 })
        .optional(),
      duration: durationText("What each job takes (default: what jobs took so far).", "10m").optional(),
      time_limit: durationText("Time limit of jobs without one.", "30m").optional(),
      more: countOr(0, "So many hosts more.", { example: 4, min: 0, max: MOST_MORE }),
      limit: countOr(1000, "At most so many jobs are listed.", { example: 1000, min: 0, max: 100_000 }),
    }),
  },
  responses: { ...jsonReply("The plan.", PlanSchema), ...failures(404) },
});

/** Adds the route. */
export function addPlanRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(plan, async (c) => {
    const { cluster: name, max_parallel: maxParallel, duration, time_limit: timeLimit, more, limit, experiment } = c
      .req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    if ((name === undefined) === (maxParallel === undefined)) {
      throw new InvalidError(["Cannot plan: give either cluster or max_parallel"]);
    }
    const way = maxParallel !== undefined ? { scheduler: "fifo", maxParallel } as const : {
      scheduler: "fifo_multi",
      hosts: [],
      cluster: await clustersAt(service, { clusters: name!, experiment }),
    } as const;
    const durationMs = duration === undefined ? null : parseDuration(duration);
    const made = await planRun(service.deps, { queue, way, durationMs, timeLimit, more });
    return c.json({
      queue: made.queue,
      slots: made.slots,
      makespan: made.makespanMs / 1000,
      idle: made.idle,
      known: made.known,
      more: made.more === null ? null : { hosts: made.more.hosts, makespan: made.more.makespanMs / 1000 },
      never: made.never.map(({ reason, jobs }) => ({ reason, jobs: [...jobs] })),
      jobs: made.jobs.slice(0, limit).map(({ job, host, machine, startMs, endMs }) => ({
        job,
        host,
        machine,
        start: startMs / 1000,
        end: endMs / 1000,
      })),
    }, 200);
  });
}
