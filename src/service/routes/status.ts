/**
 * How a queue stands, everything of one job, and why jobs do not run.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { isoSeconds } from "../../job/job.ts";
import { JOB_STATES } from "../../job/states.ts";
import { explainJobs } from "../../operations/explain_jobs.ts";
import { type QueueStatus, queueStatus } from "../../operations/queue_status.ts";
import { showJob } from "../../operations/show_job.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { jobReply } from "../records.ts";
import { ExperimentQuery, JobPath, JobSchema, JobStateSchema, QueuePath } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const text = (description: string, example: string) => z.string().openapi({ description, example });
const count = (description: string, example: number) => z.number().int().openapi({ description, example });
const seconds = (description: string) => z.number().nullable().openapi({ description, example: 12.5 });

const StatusSchema = z.object({
  queue: text("Name of the queue.", "a"),
  run: z.object({
    pid: count("Id of its process", 1117),
    scheduler: z.enum(["fifo", "fifo_multi"]).openapi({ description: "How it chooses hosts.", example: "fifo_multi" }),
    slots: count("Jobs that it may run at once.", 8),
    since: z.string().nullable().openapi({ description: "When it began.", example: "2026-01-31T12:00:00Z" }),
    ending: z.string().nullable().openapi({
      description: "Why it starts no more jobs; null while it does.",
      example: "halted (soon,fail=3)",
    }),
    machines: z.record(z.string(), z.enum(["up", "down"])).openapi({
      description: "Machines, and whether they answer.",
    }),
  }).nullable().openapi({ description: "The run that works on the queue; null for none." }),
  pause: z.object({
    reason: z.string().nullable().openapi({ description: "What the person who paused it said.", example: "new disk" }),
    by: z.string().nullable().openapi({ description: "Who paused it.", example: "pi@manager" }),
    since: z.string().nullable().openapi({ description: "Since when.", example: "2026-01-31T12:00:00Z" }),
  }).nullable().openapi({ description: "Null if the queue is not paused." }),
  last_run: z.object({
    began: text("When it began.", "2026-01-31T12:00:00Z"),
    ended: z.string().nullable().openapi({ description: "When it ended.", example: "2026-01-31T12:30:00Z" }),
    outcome: text("How it ended.", "halted"),
    ran: z.number().int().nullable().openapi({ description: "Jobs that it ran.", example: 4 }),
    failed: z.number().int().nullable().openapi({ description: "Of these did not end well.", example: 3 }),
    waiting: z.number().int().nullable().openapi({ description: "Jobs that it left.", example: 6 }),
  }).nullable().openapi({ description: "The run that was last, while none goes on; null if there was none." }),
  hosts: z.array(z.object({
    machine: text("The machine.", "pi@red"),
    link: z.enum(["up", "down"]).nullable().openapi({ description: "Whether it answers the run.", example: "up" }),
    slots: z.number().int().nullable().openapi({ description: "Jobs that it may run at once.", example: 2 }),
    used: count("Slots in use.", 1),
  })).openapi({ description: "Machines of the run, and of jobs that run." }),
  total: count("Jobs of the queue.", 100),
  counts: z.object(Object.fromEntries(JOB_STATES.map((state) => [state, z.number().int()]))).openapi({
    description: "Jobs by state.",
  }),
  failed: count("Jobs that are over and did not end well.", 2),
  kept: count("Waiting jobs that may not start yet: held, after others, before a next try.", 3),
  rate: seconds("Ends for each second, in the last minute; null without a run."),
  left: z.tuple([z.number(), z.number()]).nullable().openapi({
    description: "Between how many seconds the rest takes; null where nothing is known.",
    example: [60, 90],
  }),
  ends: z.tuple([z.string(), z.string()]).nullable().openapi({
    description: "Between when and when it is done.",
    example: ["2026-01-31T12:01:00Z", "2026-01-31T12:01:30Z"],
  }),
  failures: z.array(z.object({
    job: text("Name of the job.", "job3"),
    reason: text("Why it failed.", "exit code 3"),
    machine: z.string().nullable().openapi({ description: "Where it ran.", example: "pi@red" }),
    ended: z.string().nullable().openapi({ description: "When it ended.", example: "2026-01-31T12:00:00Z" }),
  })).openapi({ description: "The last five, the newest first." }),
  plan: z.object({
    jobs: count("Jobs of the plan.", 40),
    makespan: seconds("What the last plan said, in seconds."),
    took: seconds("How long the run that followed took; null before its end."),
  }).nullable().openapi({ description: "The last plan, and the run that followed; null if there was none." }),
}).openapi("QueueStatus");

const NeighbourSchema = z.object({
  name: text("Name of the job.", "prep2"),
  status: JobStateSchema.nullable(),
}).openapi("Neighbour");

const StorySchema = z.object({
  job: JobSchema,
  reason: text("Why it is where it is.", "exit code 3"),
  duration: seconds("What its last attempt took, in seconds."),
  try: count("Number of its try, from 1.", 1),
  tries: count("Tries that it may have.", 4),
  waits_for: z.array(NeighbourSchema).openapi({ description: "Jobs that it waits for." }),
  needed_by: z.array(NeighbourSchema).openapi({ description: "Jobs that wait for it." }),
}).openapi("JobStory");

const ExplanationSchema = z.object({
  job: z.object({ name: text("Name of the job.", "job3"), reason: text("What holds it.", "held") }).nullable(),
  reasons: z.array(z.object({ reason: text("What holds them.", "held"), count: count("How many.", 2) })).openapi({
    description: "Of all jobs that wait, where no job is named.",
  }),
  hosts: z.array(z.object({ host: text("Its id.", "red01"), stand: text("How it stands.", "full (2 of 2)") })),
}).openapi("Explanation");

const status = operation({
  method: "get",
  path: "/queue/{queue}/status",
  tags: ["more"],
  summary: "Queue Status",
  description: "How a queue stands: its run, counts, rate, time left, last failures.",
  request: { params: QueuePath, query: ExperimentQuery },
  responses: { ...jsonReply("How it stands.", StatusSchema), ...failures(404) },
});

const show = operation({
  method: "get",
  path: "/queue/{queue}/job/{job}/show",
  tags: ["more"],
  summary: "Job Show",
  description: "Everything of a job: its record, reason, tries, and the jobs around it.",
  request: { params: JobPath, query: ExperimentQuery },
  responses: { ...jsonReply("The job.", StorySchema), ...failures(404) },
});

const explain = operation({
  method: "get",
  path: "/queue/{queue}/explain",
  tags: ["more"],
  summary: "Queue Explain",
  description: "Why jobs do not run, and how each host stands.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      job: z.string().max(200).optional().openapi({ description: "A job (default: all that wait).", example: "job3" }),
    }),
  },
  responses: { ...jsonReply("The reasons.", ExplanationSchema), ...failures(404) },
});

/** Adds the routes. */
export function addStatusRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps } = service;

  app.openapi(status, async (c) => {
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    return c.json(statusReply(await queueStatus(deps, { queue }), deps.clock.epochMs()), 200);
  });

  app.openapi(show, async (c) => {
    const { job } = c.req.valid("param");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const story = await showJob(deps, { queue, job });
    return c.json({
      job: jobReply(story.job),
      reason: story.reason,
      duration: story.durationMs === null ? null : story.durationMs / 1000,
      try: story.try,
      tries: story.tries,
      waits_for: story.waitsFor.map((one) => ({ ...one })),
      needed_by: story.neededBy.map((one) => ({ ...one })),
    }, 200);
  });

  app.openapi(explain, async (c) => {
    const { job, ...query } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...query });
    const { job: one, reasons, hosts } = await explainJobs(deps, { queue, job });
    const plain = { reasons: reasons.map((each) => ({ ...each })), hosts: hosts.map((host) => ({ ...host })) };
    return c.json({ job: one === null ? null : { ...one }, ...plain }, 200);
  });
}

/** How a queue stands, as replies have it. */
export function statusReply(status: QueueStatus, nowMs: number): z.infer<typeof StatusSchema> {
  const { run, lastRun, hosts, ratePerS, leftMs, failures, plan, ...rest } = status;
  const about = run?.isRunning === true ? run : null;
  return {
    ...rest,
    counts: { ...rest.counts },
    run: about === null ? null : {
      pid: about.pid,
      scheduler: about.about.scheduler,
      slots: about.about.slots,
      since: about.about.began === undefined ? null : isoSeconds(about.about.began),
      ending: about.about.ending ?? null,
      machines: { ...about.about.machines },
    },
    last_run: lastRun === null ? null : {
      began: lastRun.began,
      ended: lastRun.ended,
      outcome: lastRun.outcome,
      ran: lastRun.ran,
      failed: lastRun.failed,
      waiting: lastRun.waiting,
    },
    hosts: hosts.map((host) => ({ ...host })),
    plan: plan === null ? null : {
      jobs: plan.jobs,
      makespan: plan.makespanMs / 1000,
      took: plan.tookMs === null ? null : plan.tookMs / 1000,
    },
    rate: ratePerS,
    left: leftMs === null ? null : [leftMs[0] / 1000, leftMs[1] / 1000] as [number, number],
    ends: leftMs === null ? null : [isoSeconds(nowMs + leftMs[0]), isoSeconds(nowMs + leftMs[1])] as [string, string],
    failures: failures.map((failure) => ({ ...failure })),
  };
}
