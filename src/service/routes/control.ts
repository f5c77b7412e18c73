/**
 * What holds up a queue and lets it go on: jobs held and released, queues paused and resumed, many jobs killed.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { CmsError, NotFoundError } from "../../errors.ts";
import { someNames } from "../../names/some_names.ts";
import { holdJobs } from "../../operations/hold_jobs.ts";
import { killSelected } from "../../operations/kill_jobs.ts";
import { pauseQueue, resumeQueue } from "../../operations/pause_queue.ts";
import { readSelection } from "../../operations/select_jobs.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, nameArray, QueuePath, SelectionQuery, text, WarningsSchema } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { gatherWarnings } from "../warnings.ts";

const CHOICE = ExperimentQuery.extend(SelectionQuery.shape).strict();

const HeldSchema = z.object({
  changed: nameArray("Jobs that are held or released now, and were not before.", "job3"),
  running: nameArray("Of these, jobs that run: they go on, and only a further try is held.", "job2"),
  over: nameArray("Jobs that are over: nothing was done.", "job1"),
  missing: nameArray("Names that the queue does not have.", "job99"),
  warnings: WarningsSchema,
}).openapi("HeldJobs");

const PauseSchema = z.object({
  paused: z.boolean().openapi({ description: "Whether the queue is paused now.", example: true }),
  was_paused: z.boolean().openapi({ description: "Whether it was paused before.", example: false }),
  reason: z.string().nullable().openapi({ description: "Why.", example: "disk full on red" }),
  by: z.string().nullable().openapi({ description: "Who paused it.", example: "pi@manager" }),
  since: z.string().nullable().openapi({ description: "Since when.", example: "2026-01-31T12:00:00Z" }),
}).openapi("Pause");

const KilledSchema = z.object({
  killed: nameArray("Jobs that are in state `kill` now, and were not before.", "job1"),
  idle: nameArray("Jobs that do not run: nothing was done.", "job2"),
  missing: nameArray("Names that the queue does not have.", "job99"),
  failed: nameArray("Jobs that may still run: their host does not answer.", "job9"),
  warnings: WarningsSchema,
}).openapi("KilledJobs");

const hold = operation({
  method: "put",
  path: "/queue/{queue}/hold",
  tags: ["more"],
  summary: "Queue Hold",
  description: "Keeps jobs from being started until they are released. Without a choice, all that are not over.",
  request: { params: QueuePath, query: CHOICE },
  responses: { ...jsonReply("What became of the jobs.", HeldSchema), ...failures(404) },
});

const release = operation({
  method: "put",
  path: "/queue/{queue}/release",
  tags: ["more"],
  summary: "Queue Release",
  description: "Lets held jobs start. Without a choice, all.",
  request: { params: QueuePath, query: CHOICE },
  responses: { ...jsonReply("What became of the jobs.", HeldSchema), ...failures(404) },
});

const pause = operation({
  method: "put",
  path: "/queue/{queue}/pause",
  tags: ["more"],
  summary: "Queue Pause",
  description: "Lets no run start a job of the queue, until it is resumed. What runs goes on.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({ reason: text("Why, for those who look.", "disk full on red").optional() }),
  },
  responses: { ...jsonReply("The pause.", PauseSchema), ...failures(404) },
});

const resume = operation({
  method: "put",
  path: "/queue/{queue}/resume",
  tags: ["more"],
  summary: "Queue Resume",
  description: "Lets runs start jobs of a paused queue again.",
  request: { params: QueuePath, query: ExperimentQuery },
  responses: { ...jsonReply("That it is not paused.", PauseSchema), ...failures(404) },
});

const kill = operation({
  method: "put",
  path: "/queue/{queue}/kill",
  tags: ["more"],
  summary: "Queue Kill",
  description: "Kills the chosen jobs where they run and leaves them in the queue. A choice must be given.",
  request: { params: QueuePath, query: CHOICE },
  responses: { ...jsonReply("What became of the jobs.", KilledSchema), ...failures(404, 502) },
});

/** Adds the routes. */
export function addControlRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps, connect } = service;
  const refuse = ({ missing }: { missing: readonly string[] }, names: readonly string[] | null): void => {
    const [first] = missing;
    if (first !== undefined && missing.length === new Set(names).size) {
      throw new NotFoundError("job", first, `Job ${first} does not exist`);
    }
  };

  for (const [route, isHold] of [[hold, true], [release, false]] as const) {
    app.openapi(route, async (c) => {
      const { experiment, ...words } = c.req.valid("query");
      const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
      const selection = readSelection({ ...words, failed: words.failed === "true" });
      const warnings = gatherWarnings(service);
      const result = await holdJobs(deps, { queue, selection, hold: isHold }, warnings);
      refuse(result, selection.names);
      return c.json({ ...copied(result), warnings: [...warnings.texts] }, 200);
    });
  }

  app.openapi(pause, async (c) => {
    const { experiment, reason = null } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const { pause, before } = await pauseQueue(deps, { queue, reason });
    return c.json({ paused: true, was_paused: before !== null, ...pause }, 200);
  });

  app.openapi(resume, async (c) => {
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const { wasPaused } = await resumeQueue(deps, { queue });
    return c.json({ paused: false, was_paused: wasPaused, reason: null, by: null, since: null }, 200);
  });

  app.openapi(kill, async (c) => {
    const { experiment, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const warnings = gatherWarnings(service);
    const result = await killSelected(deps, { queue, selection }, warnings, connect);
    refuse(result, selection.names);
    if (result.failed.length > 0 && result.killed.length === 0) {
      throw new CmsError("host", `Cannot kill ${someNames(result.failed)}: the host does not answer; it may still run`);
    }
    return c.json({ ...copied(result), warnings: [...warnings.texts] }, 200);
  });
}

/** The lists of a result as replies have them. */
function copied<K extends string>(lists: Readonly<Record<K, readonly string[]>>): Record<K, string[]> {
  return Object.fromEntries(Object.entries<readonly string[]>(lists).map(([k, names]) => [k, [...names]])) as Record<
    K,
    string[]
  >;
}
