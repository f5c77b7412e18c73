/**
 * What jobs write until they are over, as a stream; see `output_streams.ts`.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { allJobs } from "../../operations/list_jobs.ts";
import type { JobFile } from "../../operations/output_files.ts";
import { readSelection, selectJobs } from "../../operations/select_jobs.ts";
import { noSuchJob } from "../../operations/sentences.ts";
import { NotFoundError } from "../../errors.ts";
import { storePaths } from "../../store/paths.ts";
import { readQueueId } from "../../store/queue_id.ts";
import { Refusal } from "../errors.ts";
import { failures, operation } from "../operation.ts";
import { OutputStreams } from "../output_streams.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, QueuePath, SelectionQuery } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

/** Of each all is looked for twice a second. */
const MOST_JOBS = 1_000;
const MOST_LINES = 100_000;
const FILES: Readonly<Record<"output" | "error" | "both" | "log", readonly JobFile[]>> = {
  output: ["output"],
  error: ["error"],
  both: ["output", "error"],
  log: ["log"],
};

const EXAMPLE = `event: output
data: {"job":"job1","attempt":1,"file":"output","text":"hello\\n"}

event: end
data: {"failed":0,"exit_code":0}

`;

const follow = operation({
  method: "get",
  path: "/queue/{queue}/follow",
  tags: ["more"],
  summary: "Queue Follow",
  description:
    "Server-Sent Events: `output` has what a job writes from now on; `attempt` says that it is tried again, " +
    "`host` that a machine does not answer (`reason`), or answers again (null). `end` comes when all jobs are over, " +
    "and then the stream ends.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend(SelectionQuery.shape).extend({
      file: z.enum(["output", "error", "both", "log"]).default("output").openapi({
        description: "What is followed: stdout, stderr, both, or the states.",
        example: "both",
      }),
      tail: z.coerce.number().int().min(1).max(MOST_LINES).optional().openapi({
        description: "First the last lines of what was written before.",
        example: 20,
      }),
      all: z.enum(["true", "false"]).optional().openapi({
        description: "First all that was written before.",
        example: "true",
      }),
    }).strict(),
  },
  responses: {
    200: {
      description: "The stream.",
      content: { "text/event-stream": { schema: z.string().openapi({ example: EXAMPLE }) } },
    },
    ...failures(404),
  },
});

/** Adds the route. */
export function addFollowRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const streams = new OutputStreams(service);
  app.openapi(follow, async (c) => {
    const { file, experiment, tail, all, ...words } = c.req.valid("query");
    if (tail !== undefined && all === "true") throw new Refusal(422, "Cannot show both tail and all; give one of them");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const selection = readSelection({ ...words, failed: words.failed === "true" });
    const { chosen, missing } = selectJobs(await allJobs(service.deps, { queue }), selection);
    const [none] = missing;
    if (none !== undefined) throw new NotFoundError("job", none, noSuchJob(queue, none));
    if (chosen.length > MOST_JOBS) {
      throw new Refusal(422, `Cannot follow ${chosen.length} jobs: ${MOST_JOBS} are the most; choose some`);
    }
    const id = await readQueueId(service.deps, queue) ?? "";
    const stamp = await service.deps.files.stamp(storePaths(queue, "queue").file);
    const names = new Set(chosen.map(({ name }) => name));
    const body = streams.open({
      store: { ref: queue, id },
      names,
      files: FILES[file],
      since: all === "true" ? "begin" : tail ?? 0,
      sizeBytes: stamp?.sizeBytes ?? 0,
    });
    return c.body(body, 200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });
}
