/**
 * Chosen jobs of a queue changed together: fields set, moved in the order, deleted.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { CmsError, InvalidError, NotFoundError } from "../../errors.ts";
import { deleteJobs } from "../../operations/delete_jobs.ts";
import { moveSelected, type Place } from "../../operations/move_jobs.ts";
import { readSelection, type Selection } from "../../operations/select_jobs.ts";
import { setJobs } from "../../operations/set_jobs.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import {
  DeletedJobsSchema,
  ExperimentQuery,
  ForceQuery,
  nameArray,
  QueuePath,
  SelectionQuery,
  text,
  WarningsSchema,
} from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { gatherWarnings } from "../warnings.ts";
import { PATCHABLE } from "./jobs.ts";

const CHOICE = ExperimentQuery.extend(SelectionQuery.shape);

const set = operation({
  method: "patch",
  path: "/queue/{queue}/jobs",
  tags: ["more"],
  summary: "Queue Set",
  description: "Changes fields of the chosen jobs, all or none. What is left out stays; null gives a field its " +
    "default. A choice must be given. Jobs that run keep fields that cannot be changed then, and are in `failed`.",
  request: {
    params: QueuePath,
    query: CHOICE.strict(),
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject(PATCHABLE).openapi("JobsChange") } },
    },
  },
  responses: {
    ...jsonReply(
      "What became of the jobs.",
      z.object({
        changed: nameArray("Jobs that were changed.", "job1"),
        same: nameArray("Jobs that had these values before.", "job2"),
        failed: nameArray("Jobs that run; they stay as they are.", "job3"),
        missing: nameArray("Names that the queue does not have.", "job99"),
        warnings: WarningsSchema,
      }).openapi("SetJobs"),
    ),
    ...failures(400, 404),
  },
});

const move = operation({
  method: "put",
  path: "/queue/{queue}/move",
  tags: ["more"],
  summary: "Queue Move",
  description: "Moves the chosen jobs in the order of the queue. A choice must be given, and one of `before`, " +
    "`after` and `to`.",
  request: {
    params: QueuePath,
    query: CHOICE.extend({
      before: text("Right before this job.", "job1").optional(),
      after: text("Right after this job.", "job9").optional(),
      to: z.enum(["first", "last"]).optional().openapi({
        description: "To the beginning or the end.",
        example: "first",
      }),
    }).strict(),
  },
  responses: {
    ...jsonReply(
      "What was moved.",
      z.object({
        moved: nameArray("Jobs that were moved, in their order now; none if they stood there.", "job1"),
        missing: nameArray("Names that the queue does not have.", "job99"),
        warnings: WarningsSchema,
      }).openapi("MovedJobs"),
    ),
    ...failures(404),
  },
});

const remove = operation({
  method: "delete",
  path: "/queue/{queue}/jobs",
  tags: ["more"],
  summary: "Queue Delete Jobs",
  description: "Ends the chosen jobs if they run, removes their directories on the hosts, deletes them. " +
    "A choice must be given.",
  request: { params: QueuePath, query: CHOICE.extend({ force: ForceQuery }).strict() },
  responses: { ...jsonReply("What became of the jobs.", DeletedJobsSchema), ...failures(404, 502) },
});

/** Adds the routes. */
export function addChosenJobsRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps, connect } = service;

  app.openapi(set, async (c) => {
    const { experiment, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const warnings = gatherWarnings(service);
    const result = await setJobs(deps, { queue, selection, fields: c.req.valid("json") }, warnings);
    refuseMissing(result.missing, selection);
    const { changed, same, failed, missing } = result;
    const lists = { changed: [...changed], same: [...same], failed: [...failed], missing: [...missing] };
    return c.json({ ...lists, warnings: [...warnings.texts] }, 200);
  });

  app.openapi(move, async (c) => {
    const { experiment, before, after, to, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const warnings = gatherWarnings(service);
    const request = { queue, selection, to: placeOf(before, after, to) };
    const { moved, missing } = await moveSelected(deps, request, warnings);
    refuseMissing(missing, selection);
    return c.json({ moved: [...moved], missing: [...missing], warnings: [...warnings.texts] }, 200);
  });

  app.openapi(remove, async (c) => {
    const { experiment, force, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const warnings = gatherWarnings(service);
    const request = { queue, selection, force: force === "true" };
    const result = await deleteJobs(deps, request, warnings, connect);
    refuseMissing(result.missing, selection);
    const [failed] = result.failed;
    if (failed !== undefined && result.deleted.length === 0) {
      throw new CmsError("host", `Could not delete job:${failed}`);
    }
    return c.json({ ...result, warnings: [...warnings.texts] }, 200);
  });
}

/** If none of the names is there. @throws {NotFoundError} */
function refuseMissing(missing: readonly string[], { names }: Selection): void {
  const [first] = missing;
  if (first !== undefined && missing.length === names?.length) {
    throw new NotFoundError("job", first, `Job ${first} does not exist`);
  }
}

function placeOf(before: string | undefined, after: string | undefined, to: "first" | "last" | undefined): Place {
  const places: Place[] = [];
  if (before !== undefined) places.push({ type: "before", job: before });
  if (after !== undefined) places.push({ type: "after", job: after });
  if (to !== undefined) places.push({ type: to });
  const [place] = places;
  if (place === undefined || places.length > 1) throw new InvalidError(["Give one of before, after and to"]);
  return place;
}
