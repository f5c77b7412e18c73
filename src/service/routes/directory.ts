/**
 * The files of a job in its directory on its host: listed, and read in parts.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type AskingFiles, jobFile, listJobFiles, readFileOfJob } from "../../operations/job_files.ts";
import { Refusal } from "../errors.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, JobPath, text } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const MOST_BYTES = 16 * 1024 * 1024;
/** How long a machine may take to say what files there are. */
const LOOK_MS = 60_000;

const list = operation({
  method: "get",
  path: "/queue/{queue}/job/{job}/files",
  tags: ["more"],
  summary: "Job Files",
  description: "The files in the job's directory on its host, now; links are left out.",
  request: { params: JobPath, query: ExperimentQuery },
  responses: {
    ...jsonReply(
      "The files, sorted.",
      z.object({
        files: z.array(z.object({
          path: z.string().openapi({ example: "out/result.csv" }),
          size: z.number().int().openapi({ description: "Bytes.", example: 1024 }),
          modified: z.string().openapi({ example: "2026-01-31T12:00:00Z" }),
        })),
      }).openapi("JobFiles"),
    ),
    ...failures(404, 502),
  },
});

const read = operation({
  method: "get",
  path: "/queue/{queue}/job/{job}/files/{path}",
  tags: ["more"],
  summary: "Job Read File",
  description: `One file of the job's directory; also a part of it (\`Range\`). At most ${MOST_BYTES} bytes at once.`,
  request: {
    params: JobPath.extend({ path: text("Path below the job's directory.", "job1.out") }),
    query: ExperimentQuery,
    headers: z.object({
      range: z.string().max(200).optional().openapi({ description: "One range of bytes.", example: "bytes=0-99" }),
    }),
  },
  responses: {
    200: {
      description: "The bytes.",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    206: {
      description: "The part.",
      content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...failures(404, 502),
  },
});

/** Adds the routes. */
export function addDirectoryRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  /** Looks at what a machine has, for so long at most. */
  const look = async <T>(asking: (how: AskingFiles) => Promise<T>): Promise<T> => {
    const { clock } = service.deps;
    const [late, done] = [new AbortController(), new AbortController()];
    void clock.sleepUntil(clock.now() + LOOK_MS, done.signal).then(() => late.abort());
    return await asking({ signal: late.signal, visit: service.visit }).finally(() => done.abort());
  };

  app.openapi(list, async (c) => {
    const { queue: name, job } = c.req.valid("param");
    const queue = await queueAt(service, { queue: name, ...c.req.valid("query") });
    const files = await look((how) => listJobFiles(service.deps, { queue, job }, how));
    return c.json({
      files: files.map(({ path, sizeBytes, modifiedMs }) => ({
        path,
        size: sizeBytes,
        modified: new Date(modifiedMs).toISOString().replace(".000Z", "Z"),
      })),
    }, 200);
  });

  const answer = async (
    c: Context,
    { queue: name, job, path }: { queue: string; job: string; path: string },
    experiment: string,
  ): Promise<Response> => {
    const queue = await queueAt(service, { queue: name, experiment });
    const { sizeBytes } = await look((how) => jobFile(service.deps, { queue, job }, path, how));
    const part = rangeOf(c.req.header("range"), sizeBytes);
    const from = part?.from ?? 0;
    const bytes = (part?.to ?? sizeBytes) - from;
    if (bytes > MOST_BYTES) {
      throw new Refusal(413, `The file has ${sizeBytes} bytes; ask for parts of ${MOST_BYTES} by Range`);
    }
    const body = bytes === 0
      ? new Uint8Array()
      : await readFileOfJob(service.deps, { queue, job, path, from, maxBytes: bytes }, service.connect);
    return c.body(body as Uint8Array<ArrayBuffer>, part === null ? 200 : 206, {
      "Content-Type": "application/octet-stream",
      "Accept-Ranges": "bytes",
      ...(part !== null && { "Content-Range": `bytes ${from}-${from + body.length - 1}/${sizeBytes}` }),
    });
  };
  app.openapi(read, (c) => answer(c, c.req.valid("param"), c.req.valid("query").experiment));
  // A path of several parts. The document cannot say so.
  app.get("/queue/:queue/job/:job/files/:path{.+}", (c) => {
    const query = ExperimentQuery.safeParse(c.req.query());
    if (!query.success) throw new Refusal(422, "experiment is the only parameter");
    return answer(c, c.req.param(), query.data.experiment);
  });
}

/** The part that a `Range` of one range names; null for the whole. @throws {Refusal} If the file is shorter. */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | null {
  const [, first = "", last = ""] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (from >= to) throw new Refusal(416, "The file has no such part", { "Content-Range": `bytes */${size}` });
  return { from, to };
}
