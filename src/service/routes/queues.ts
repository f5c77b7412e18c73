/**
 * Queues as a whole: made, listed, reset, refreshed, deleted.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { CmsError, NotFoundError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import { filterOf, readSelection } from "../../operations/select_jobs.ts";
import { createQueue } from "../../operations/create_queue.ts";
import { deleteQueue } from "../../operations/delete_queue.ts";
import { allJobs, listJobs, pageJobs } from "../../operations/list_jobs.ts";
import { refreshQueue } from "../../operations/refresh_queue.ts";
import { resetJobs } from "../../operations/reset_jobs.ts";
import { stateChangeLines } from "../../output/state_changes.ts";
import { Refusal } from "../errors.ts";
import { jobsBody, tableInTurn, textOrJobs } from "../large_replies.ts";
import { textOrJson } from "../negotiate.ts";
import { failures, jsonReply, operation, textReply } from "../operation.ts";
import { namesBody } from "../names_body.ts";
import { linkToNext } from "../page_link.ts";
import { experimentAt, queueAt } from "../places.ts";
import { sharedWork } from "../shared_work.ts";
import {
  ExperimentQuery,
  ForceQuery,
  JobsSchema,
  PageQuery,
  QueuePath,
  RefreshedSchema,
  ResetSchema,
  SelectionQuery,
  text,
  WarningsSchema,
} from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { gatherWarnings } from "../warnings.ts";
import { wholeQueue } from "../whole_queue.ts";

/** An example of the table of a queue. */
export const JOBS_TABLE = `\
+------+--------+----------+-----+----------+----------+------------+
| name | status | command  | gpu | output   | log      | experiment |
+------+--------+----------+-----+----------+----------+------------+
| job1 | ready  | sleep 10 | 0   | job1.out | job1.log | experiment |
+------+--------+----------+-----+----------+----------+------------+
`;

const list = operation({
  method: "get",
  path: "/queue/",
  summary: "List Queues",
  description: "The queues of an experiment, by the names of their files.",
  request: { query: ExperimentQuery },
  responses: {
    ...jsonReply(
      "File names, sorted.",
      z.object({ queues: z.array(z.string()).openapi({ example: ["a-queue.yaml"] }) }),
    ),
    ...failures(404),
  },
});

const create = operation({
  method: "post",
  path: "/queue/",
  summary: "Queue Create",
  description: "Makes an empty queue, and its directory. One that exists is left as it is.",
  request: { query: ExperimentQuery.extend({ name: text("Name of the queue.", "a") }) },
  responses: { ...jsonReply("The jobs of the queue; none if it is new.", JobsSchema), ...failures() },
});

const get = operation({
  method: "get",
  path: "/queue/{queue}",
  summary: "Queue Get",
  description: "The jobs of a queue in file order. With `limit`, the `Link` header leads to the next page.",
  request: {
    params: QueuePath,
    query: PageQuery.extend(SelectionQuery.shape),
    headers: z.object({
      "if-none-match": z.string().max(1000).optional().openapi({
        description: "`ETag` of a reply with all jobs, to get it again only if it has changed.",
        example: '"0123456789abcdef0123456789abcdef"',
      }),
    }),
  },
  responses: {
    ...jsonReply("Jobs by name. With all jobs there is an `ETag`.", JobsSchema),
    304: { description: "All jobs are as they were." },
    ...failures(404),
  },
});

const info = operation({
  method: "get",
  path: "/queue/{queue}/info",
  summary: "Queue Info",
  description: "The jobs of a queue as a table.",
  request: {
    params: QueuePath,
    query: PageQuery.extend(SelectionQuery.shape),
  },
  responses: { ...textReply("The jobs; `None` if there are none.", JOBS_TABLE, JobsSchema), ...failures(404) },
});

const remove = operation({
  method: "delete",
  path: "/queue/{queue}",
  summary: "Queue Delete",
  description: "Ends the queue's jobs, removes their directories on the hosts, and deletes the queue. " +
    "A queue that is being run is refused: stop it first.",
  request: { params: QueuePath, query: ExperimentQuery.extend({ force: ForceQuery }) },
  responses: {
    ...textReply(
      "`Delete Successful`, or a line for each job whose directory may still be on its host.",
      "Delete Successful",
      z.object({
        left: z.array(z.object({ job: z.string(), user: z.string().nullable(), host: z.string().nullable() }))
          .openapi({ description: "Jobs whose directory may still be on its host.", example: [] }),
        warnings: WarningsSchema,
      }).openapi("DeletedQueue"),
    ),
    ...failures(404, 409, 502),
  },
});

const refresh = operation({
  method: "put",
  path: "/queue/{queue}/refresh",
  summary: "Queue Refresh",
  description: "Asks the hosts what became of the jobs that were running.",
  request: { params: QueuePath, query: ExperimentQuery },
  responses: { ...textReply("The jobs as they are now.", JOBS_TABLE, RefreshedSchema), ...failures(404) },
});

const reset = operation({
  method: "put",
  path: "/queue/{queue}/reset",
  summary: "Queue Reset",
  description: "Makes jobs ready to run again: kills them if they run, removes their directories on the hosts. " +
    "Without a choice, all jobs that are not in state `end`.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend(SelectionQuery.shape).extend({
      cascade: z.enum(["true", "false"]).optional().openapi({
        description: "`true`: also all jobs that come after these.",
        example: "false",
      }),
    }),
  },
  responses: {
    ...textReply(
      "A line for each job that changed, as the command prints it.",
      "job1 \t old_status:end \t new_state:ready\n\n",
      ResetSchema,
    ),
    ...failures(404, 502),
  },
});

/** Adds the routes. */
export function addQueueRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps, connect } = service;

  const find = sharedWork((directory) => namesBody(deps, { directory, kind: "queue" }));
  app.openapi(list, async (c) => {
    const { experiment } = c.req.valid("query");
    const body = await find(await experimentAt(service, experiment));
    if (body === null) throw new Refusal(404, `Directory ${experiment} does not exist`);
    return c.body(body, 200, { "Content-Type": "application/json" }) as never;
  });

  app.openapi(create, async (c) => {
    const { name, experiment } = c.req.valid("query");
    const queue = await queueAt(service, { queue: name, experiment });
    await createQueue(deps, { queue });
    return await jobsBody(c, service, await listJobs(deps, { queue }));
  });

  app.openapi(get, async (c) => {
    const query = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...query });
    const { limit, cursor } = query;
    const keep = keepOf(query);
    if (keep === undefined && limit === undefined && cursor === undefined) {
      return await wholeQueue(c, service, await allJobs(deps, { queue }));
    }
    const page = await pageJobs(deps, { queue, limit, cursor, keep });
    linkToNext(c, page.next);
    return await jobsBody(c, service, page.records);
  });

  app.openapi(info, async (c) => {
    const query = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), ...query });
    const { limit, cursor } = query;
    const page = await pageJobs(deps, { queue, limit, cursor, keep: keepOf(query) });
    linkToNext(c, page.next);
    return await textOrJobs(c, service, page.records);
  });

  app.openapi(remove, async (c) => {
    const { experiment, force } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const warnings = gatherWarnings(service);
    const request = { queue, force: force === "true" };
    const { left } = await deleteQueue(deps, request, warnings, connect);
    const lines = left.map(({ name, user, host }) => `Could not delete ${name} dir on ${user ?? ""}@${host ?? ""}\n`);
    return await textOrJson(c, () => lines.length === 0 ? "Delete Successful" : lines.join(""), {
      left: left.map(({ name, user, host }) => ({ job: name, user, host })),
      warnings: [...warnings.texts],
    });
  });

  app.openapi(refresh, async (c) => {
    const queue = await queueAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const warnings = gatherWarnings(service);
    const result = await refreshQueue(deps, { queue }, warnings, connect);
    const table = async () => tableInTurn(service, await listJobs(deps, { queue }));
    return await textOrJson(c, table, { ...result, warnings: [...warnings.texts] });
  });

  app.openapi(reset, async (c) => {
    const { cascade, experiment, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const warnings = gatherWarnings(service);
    const result = await resetJobs(deps, { queue, selection, cascade: cascade === "true" }, warnings, connect);
    if (result.changes.length === 0 && result.failed.length > 0) {
      throw new CmsError("host", `Could not reset job:${result.failed.slice(0, 20).join(", job:")}`);
    }
    const [missing] = result.missing;
    if (missing !== undefined && result.missing.length === selection.names?.length) {
      throw new NotFoundError("job", missing, `Could not reset job:${missing}`);
    }
    return await textOrJson(c, () => stateChangeLines(result.changes), { ...result, warnings: [...warnings.texts] });
  });
}

/** Which jobs the query chooses; undefined for all. @throws {InvalidError} If it cannot be read. */
function keepOf({ failed, ...words }: z.infer<typeof SelectionQuery>): ((job: Job) => boolean) | undefined {
  const { name, status, where, tag, exit_code } = words;
  return filterOf(readSelection({ name, status, where, tag, exit_code, failed: failed === "true" }));
}
