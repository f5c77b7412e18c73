/**
 * Runs in the background: begun, listed, stopped; and single jobs killed. A run belongs to its queue, not to the
 * service.
 *
 * @module
 */

import { noSuchJob } from "../../operations/sentences.ts";
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { CmsError, NotFoundError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import { expand } from "../../names/expand.ts";
import { someNames } from "../../names/some_names.ts";
import { killJobs } from "../../operations/kill_jobs.ts";
import { listJobs } from "../../operations/list_jobs.ts";
import { listRuns, type QueueRun } from "../../operations/list_runs.ts";
import { noticeWords, webhookUrl } from "../../operations/notices/notice.ts";
import { startRun } from "../../operations/start_run.ts";
import { stopRun } from "../../operations/stop_run.ts";
import { parseHalt } from "../../scheduler/halt.ts";
import { Refusal } from "../errors.ts";
import { jsonInTurn, tableInTurn, textOrJobs } from "../large_replies.ts";
import { wantsJson } from "../negotiate.ts";
import { failures, jsonReply, operation, textReply } from "../operation.ts";
import { clustersAt, queueAt } from "../places.ts";
import {
  count,
  durationOr,
  durationText,
  ExperimentQuery,
  JobPath,
  JobsSchema,
  NoQuery,
  QueuePath,
  text,
} from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

/** A list of runs that is longer has the jobs of no further queue. */
const RAN_LENGTH = 16 * 1024 * 1024;

const timeout = durationOr(
  10,
  "How long a host may be silent before its jobs count as crashed: minutes, or a duration such as 90s or 1h30m.",
  { unit: "m", example: "90s" },
);

const halt = text(
  "When the run halts before its queue is through: soon or now, and how many jobs fail, end well (success), are done.",
  "soon,fail=3",
).optional();
const timeLimit = durationText("How long a job without a time limit of its own may run.", "30m").optional();

const command = (what: string) => text(what, "logger $CMS_JOB $CMS_STATE").optional();
/** Who is told of what; the same for both schedulers. */
const notices = {
  on_end: command("Command that the manager runs for each job that is over."),
  on_fail: command("The same for each job that did not end well."),
  on_done: command("The same for the end of the run."),
  webhook: text("Address to which all of that is posted as JSON.", "https://example.org/hook").optional(),
};

const collect = z.enum(["output", "all"]).optional().openapi({
  description:
    "What jobs have written (output), or all that fetch would bring, comes to the experiment directory as they end.",
  example: "output",
});

const path = text("A file or directory of the manager.", "data");
const push = z.union([path, z.array(path).max(100)]).optional().openapi({
  type: "array",
  items: { type: "string" },
  description:
    "Files and directories of the manager that each machine gets into its home directory before its first job.",
  example: ["data"],
});

const StartedSchema = z.object({
  result: z.string().openapi({ description: "What was started.", example: "started fifo scheduler: pid 4711" }),
  pid: z.number().int().openapi({ description: "Process of the scheduler.", example: 4711 }),
}).openapi("Started");

const runFifo = operation({
  method: "put",
  path: "/queue/{queue}/run_fifo",
  summary: "Queue Run Fifo",
  description: "Starts the fifo scheduler in the background and answers at once. Jobs need a user and a host.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      max_parallel: count("Most jobs that run at once.", { example: 4, min: 1, max: 1_000_000 }),
      timeout,
      halt,
      time_limit: timeLimit,
      collect,
      push,
      ...notices,
    }),
  },
  responses: { ...jsonReply("The scheduler runs.", StartedSchema), ...failures(404, 409) },
});

const runFifoMulti = operation({
  method: "put",
  path: "/queue/{queue}/run_fifo_multi",
  summary: "Queue Run Fifo Multi",
  description:
    "Starts the fifo_multi scheduler on the active hosts of a cluster, in the background, and answers at once.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      cluster: text("Name of the cluster, in the same experiment, or several with commas between them.", "a"),
      gpu_idle: z.enum(["true", "false"]).optional().openapi({
        description: "Leave GPUs alone that somebody else uses: hosts are asked before a start.",
        example: "true",
      }),
      timeout,
      halt,
      time_limit: timeLimit,
      collect,
      push,
      ...notices,
    }),
  },
  responses: { ...jsonReply("The scheduler runs.", StartedSchema), ...failures(404, 409) },
});

const RunSchema = z.object({
  queue: z.string().openapi({ description: "Name of the queue.", example: "a" }),
  experiment: z.string().openapi({ description: "Its directory.", example: "experiment" }),
  running: z.boolean().openapi({ description: "Whether its scheduler runs now.", example: true }),
  scheduler: z.enum(["fifo", "fifo_multi"]).openapi({ description: "The scheduler of the last run.", example: "fifo" }),
  cluster: z.string().nullable().openapi({ description: "The clusters of the last run.", example: "a" }),
  pid: z.number().int().openapi({ description: "Process of the last run.", example: 4711 }),
  hostname: z.string().openapi({ description: "The machine that it is on.", example: "manager" }),
  jobs: JobsSchema.nullable().openapi({ description: "Null where the reply would be too long with them." }),
}).openapi("Run");

const ran = operation({
  method: "put",
  path: "/queue/ran",
  summary: "Queue Ran",
  description: "All queues that have been run, in all experiments, and whether they run now. Beyond 16 MiB the jobs " +
    "of further queues are left out.",
  request: { query: NoQuery },
  responses: {
    ...textReply(
      "A line and a table for each queue.",
      "No ran queues.",
      z.object({ runs: z.array(RunSchema).openapi({ description: "One for each queue." }) }),
    ),
    ...failures(),
  },
});

const stop = operation({
  method: "put",
  path: "/queue/{queue}/stop",
  summary: "Queue Stop",
  description: "Ends the scheduler that runs the queue and kills its jobs. The text is empty if nothing ran.",
  request: {
    params: QueuePath,
    query: ExperimentQuery.extend({
      kill: z.enum(["true", "false"]).optional().openapi({
        description: "`false`: its jobs run on, and the next run follows them (default: true).",
        example: "false",
      }),
    }),
  },
  responses: { ...textReply("The jobs.", "None\n", JobsSchema), ...failures(404, 409, 502) },
});

const kill = operation({
  method: "post",
  path: "/queue/{queue}/job/{job}/kill",
  tags: ["more"],
  summary: "Kill Job",
  description:
    "Kills a job, or a list such as job[1-3], and leaves it in the queue. Jobs that do not run stay as they are.",
  request: { params: JobPath, query: ExperimentQuery },
  responses: { ...textReply("The jobs that were named.", "None\n", JobsSchema), ...failures(404, 502) },
});

/** What a request may ask of a run beside where it runs. */
interface RunWords {
  readonly halt?: string | undefined;
  readonly time_limit?: string | undefined;
  readonly collect?: "output" | "all" | undefined;
  readonly push?: string | string[] | undefined;
  readonly gpu_idle?: "true" | "false" | undefined;
  readonly on_end?: string | undefined;
  readonly on_fail?: string | undefined;
  readonly on_done?: string | undefined;
  readonly webhook?: string | undefined;
}

/** The same as options of the command. @throws {InvalidError} If one cannot be used. */
function runWords(
  { halt, time_limit: limit, collect, push = [], gpu_idle: isIdle, on_end, on_fail, on_done, webhook }: RunWords,
): string[] {
  return [
    ...isIdle === "true" ? ["--gpu-idle"] : [],
    ...halt === undefined ? [] : [`--halt=${parseHalt(halt).text}`],
    ...limit === undefined ? [] : [`--time-limit=${limit}`],
    ...collect === undefined ? [] : [`--collect=${collect}`],
    ...[push].flat().map((path) => `--push=${path}`),
    ...noticeWords({
      onEnd: on_end,
      onFail: on_fail,
      onDone: on_done,
      webhook: webhook === undefined ? undefined : webhookUrl(webhook),
    }),
  ];
}

/** Adds the routes. */
export function addRunRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { deps, connect, log } = service;
  const watch = { warn: (line: string) => log.warning(line) };

  app.openapi(runFifo, async (c) => {
    const { experiment, max_parallel: maxParallel, timeout: timeoutMs, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const options = runWords(words);
    const { pid } = await startRun(deps, { queue, scheduler: "fifo", maxParallel, timeoutMs, options });
    return c.json({ result: `started fifo scheduler: pid ${pid}`, pid }, 200);
  });

  app.openapi(runFifoMulti, async (c) => {
    const { experiment, cluster: name, timeout: timeoutMs, ...words } = c.req.valid("query");
    const queue = await queueAt(service, { ...c.req.valid("param"), experiment });
    const cluster = await clustersAt(service, { clusters: name, experiment });
    const options = runWords(words);
    const { pid } = await startRun(deps, { queue, scheduler: "fifo_multi", cluster, timeoutMs, options });
    return c.json({ result: `started fifo_multi scheduler: pid ${pid}`, pid }, 200);
  });

  app.openapi(ran, async (c) => {
    const texts = await ranTexts(service, wantsJson(c) ? runJson : runText, watch);
    if (!wantsJson(c)) return c.text(texts.length === 0 ? "No ran queues." : texts.join("\n"), 200);
    return c.text(`{"runs":[${texts.join(",")}]}`, 200, { "Content-Type": "application/json" });
  });

  app.openapi(stop, async (c) => {
    const { queue: name } = c.req.valid("param");
    const { experiment, kill } = c.req.valid("query");
    const queue = await queueAt(service, { queue: name, experiment });
    const stopping = stopRun(deps, { queue, kill: kill !== "false" }, watch, connect);
    const { wasRunning, failed } = await stopping.catch((error) => {
      if (error instanceof NotFoundError) throw new Refusal(404, `Queue ${name} ps could not be found`);
      throw error;
    });
    if (failed.length > 0) throw unkilled(failed);
    const jobs = await listJobs(deps, { queue });
    return wasRunning ? await textOrJobs(c, service, jobs) : await textOrJobs(c, service, jobs, () => "");
  });

  app.openapi(kill, async (c) => {
    const { job, queue: name } = c.req.valid("param");
    const queue = await queueAt(service, { queue: name, ...c.req.valid("query") });
    const names = new Set<string>(expand(job));
    const present = new Set<string>((await listJobs(deps, { queue })).map((one) => one.name));
    for (const one of names) {
      if (!present.has(one)) throw new NotFoundError("job", one, noSuchJob(queue, one));
    }
    const { failed } = await killJobs(deps, { queue, names: [...names] }, watch, connect);
    if (failed.length > 0) throw unkilled(failed);
    const jobs = (await listJobs(deps, { queue })).filter((one) => names.has(one.name));
    return await textOrJobs(c, service, jobs);
  });
}

function unkilled(names: readonly string[]): CmsError {
  return new CmsError("host", `Cannot kill ${someNames(names)}: the host does not answer; it may still run`);
}

type RunText = (service: Service, run: QueueRun, jobs: readonly Job[] | null) => Promise<string>;

/** All runs; one after the other, so that only one queue's jobs are held at a time. */
async function ranTexts(
  service: Service,
  textOf: RunText,
  watch: { warn: (line: string) => void },
): Promise<string[]> {
  const { deps, root } = service;
  const texts: string[] = [];
  let length = 0;
  for (const run of await listRuns(deps, { root }, watch)) {
    const jobs = length > RAN_LENGTH ? null : await listJobs(deps, { queue: run.queue }).catch(() => []);
    const text = await textOf(service, run, jobs);
    length += text.length;
    texts.push(text);
  }
  return texts;
}

async function runText(service: Service, run: QueueRun, jobs: readonly Job[] | null): Promise<string> {
  return `${line(run)}\n${
    jobs === null ? "Its jobs are left out, as the list is too long\n" : await tableInTurn(service, jobs)
  }`;
}

async function runJson(service: Service, { queue, run }: QueueRun, jobs: readonly Job[] | null): Promise<string> {
  const { about, pid, hostname, isRunning } = run;
  const head = JSON.stringify({
    queue: queue.name,
    experiment: queue.experiment,
    running: isRunning,
    scheduler: about.scheduler,
    cluster: about.cluster,
    pid,
    hostname,
  });
  return `${head.slice(0, -1)},"jobs":${jobs === null ? null : await jsonInTurn(service, jobs)}}`;
}

function line({ queue, run }: QueueRun): string {
  const status = run.isRunning ? "Running" : "Not Running";
  return `Queue: ${queue.name} Experiment: ${queue.experiment} Cluster: ${
    run.about.cluster ?? "None"
  } STATUS:${status}`;
}
