/**
 * What a job has written, read live from its host.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { TypedResponse } from "hono";
import type { JobFile } from "../../operations/output_files.ts";
import { readJobFile } from "../../operations/read_job_file.ts";
import { wantsJson } from "../negotiate.ts";
import { failures, operation, textReply } from "../operation.ts";
import { queueAt } from "../places.ts";
import { count, countOr, ExperimentQuery, JobPath } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const DEFAULT_BYTES = 1024 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;

const FileSchema = z.object({
  job: z.string().openapi({ description: "Name of the job.", example: "job1" }),
  text: z.string().openapi({ description: "The text, or its end.", example: "hello\n" }),
}).openapi("JobFile");

// deno-lint-ignore explicit-function-return-type
function route<const F extends JobFile>(file: F, what: string, example: string) {
  return operation({
    method: "get",
    path: `/queue/{queue}/job/{job}/${file}`,
    tags: ["more"],
    summary: `Job ${file}`,
    description: `${what}, read from the job's host now; it may still grow.`,
    request: {
      params: JobPath,
      query: ExperimentQuery.extend({
        max: countOr(DEFAULT_BYTES, "Bytes at most; from the end, where `from` is not given.", {
          example: 65_536,
          min: 1,
          max: MOST_BYTES,
        }),
        from: count("Bytes before those that are wanted.", { example: 65_536, min: 0, max: Number.MAX_SAFE_INTEGER })
          .optional(),
        try: count("Number of an earlier try.", { example: 1, min: 1, max: 1_000_000 }).optional(),
      }),
    },
    responses: { ...textReply("The text.", example, FileSchema), ...failures(404, 502) },
  });
}

/** Adds the routes. */
export function addJobFileRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const read = async (
    file: JobFile,
    { queue: name, job }: { queue: string; job: string },
    { experiment, max, from, try: number }: {
      experiment: string;
      max: number;
      from?: number | undefined;
      try?: number | undefined;
    },
  ): Promise<Uint8Array> => {
    const queue = await queueAt(service, { queue: name, experiment });
    return await readJobFile(service.deps, { queue, job, file, maxBytes: max, from, try: number }, service.connect);
  };
  const routes = [
    route("log", "The states of the job, with their times", "# cloudmesh state: start\n"),
    route("output", "What the command wrote to stdout", "hello\n"),
    route("error", "What the command wrote to stderr", "cat: x: No such file or directory\n"),
  ] as const;
  for (const one of routes) {
    const file = one.path.slice(one.path.lastIndexOf("/") + 1) as JobFile;
    app.openapi(one, async (c) => {
      const bytes = await read(file, c.req.valid("param"), c.req.valid("query"));
      if (wantsJson(c)) return c.json({ job: c.req.valid("param").job, text: new TextDecoder().decode(bytes) }, 200);
      // As they are: a text of them would be another copy, and what is no UTF-8 would be lost.
      const reply: unknown = c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
        "Content-Type": "text/plain; charset=UTF-8",
      });
      return reply as TypedResponse<string, 200, "text">;
    });
  }
}
