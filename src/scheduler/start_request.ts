/**
 * What a host gets to know of an attempt. Pure.
 *
 * @module
 */

import { attemptId } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import type { Devices } from "../cluster/devices.ts";
import type { Environment } from "../names/environment.ts";
import { ownVariables } from "../job/variables.ts";
import { jobScript } from "../job/script.ts";
import type { StartRequest, TimeLimit } from "../link/link.ts";
import { parseDuration } from "../names/units.ts";
import { sendsOf } from "./sends.ts";

/** What of a job its start depends on. */
const FIELDS = [
  "id",
  "status",
  "attempt",
  "user",
  "host",
  "command",
  "shell",
  "gpu",
  "pyenv",
  "output",
  "log",
  "time_limit",
  "grace",
  "env",
  "workdir",
  "send",
  "input",
  "params",
  "index",
  "gpus",
  "cpus",
  "memory",
  "slots",
  "hold",
  "after",
  "after_any",
  "after_notok",
] as const satisfies readonly (keyof Job)[];

/** True if what was decided about the start of one is right for the other. */
export function startsAlike(a: Job, b: Job): boolean {
  const text = (value: unknown): unknown => typeof value === "object" ? JSON.stringify(value) : value;
  return FIELDS.every((field) => a[field] === b[field] || text(a[field] ?? null) === text(b[field] ?? null));
}

/** Pause between TERM and KILL at a time limit, unless the job has its own. */
const GRACE_MS = 10_000;

/** The time limit of a job's attempt, or null. `fallback`: the run's, for jobs without one. */
export function timeLimitOf(job: Pick<Job, "time_limit" | "grace">, fallback: string | null): TimeLimit | null {
  const text = job.time_limit ?? fallback;
  if (text === null) return null;
  const { grace } = job;
  return { ms: parseDuration(text), graceMs: typeof grace === "string" ? parseDuration(grace) : GRACE_MS, text };
}

/** What a start depends on besides the job. */
export interface StartPlace {
  readonly gpu: string;
  readonly pyenv: string;
  /** Variables for all jobs of the host. */
  readonly env?: Environment;
  /** The devices that the job may see, where the host has devices to give. */
  readonly devices?: Devices;
  /** What the job knows the host by. */
  readonly host: string;
  readonly queue: string;
  readonly backlog: number | null;
  /** The earlier try whose files stand there; null for none. */
  readonly keep?: number | null;
  readonly timeLimit?: string | null;
  /** Number of its slot; null where its host gives one. */
  readonly number?: number | null;
}

/**
 * All that the host needs. The host's GPU goes before the job's; the job's python environment and variables before the
 * host's.
 */
export function startRequest(job: Job, attempt: number, place: StartPlace): StartRequest {
  const limit = timeLimitOf(job, place.timeLimit ?? null);
  const gpu = place.gpu !== "" ? place.gpu : job.gpu ?? "";
  // A person who names devices for a job that needs none means those.
  const devices = gpu !== "" && place.devices?.ids.length === 0 ? undefined : place.devices;
  const pyenv = job.pyenv !== null && job.pyenv !== "" ? job.pyenv : place.pyenv;
  return {
    job: job.name,
    attempt: attemptId({ id: job.id, attempt }),
    shell: job.shell,
    script: jobScript({ ...job, gpu: devices === undefined ? gpu : null, pyenv }),
    output: job.output,
    log: job.log,
    gpu: gpu === "" || devices !== undefined ? null : gpu,
    backlog: place.backlog,
    ...(limit === null ? {} : { limit }),
    variables: {
      ...place.env,
      ...job.env,
      ...ownVariables(job, place),
      ...deviceVariables(devices),
      ...slotVariable(place),
    },
    ...(job.workdir === undefined || job.workdir === null ? {} : { workdir: job.workdir }),
    ...sendsOf(job),
    ...(place.keep === undefined || place.keep === null ? {} : { keep: place.keep }),
  };
}

/** The last of the variables, as the agent looks for it there. */
function slotVariable({ number = null }: Pick<StartPlace, "number">): Environment {
  return number === null ? {} : { CMS_SLOT: String(number) };
}

/** The variables by which a job sees its GPUs, and no others. */
function deviceVariables(devices: Devices | undefined): Environment {
  if (devices === undefined) return {};
  const ids = devices.ids.join(",");
  const own = ids === "" ? {} : { CMS_GPUS: ids };
  if (devices.vendor === "amd") return { ROCR_VISIBLE_DEVICES: ids, ...own };
  // The numbers are those that nvidia-smi shows only in the order of the bus.
  return { CUDA_VISIBLE_DEVICES: ids, ...(ids === "" ? {} : { CUDA_DEVICE_ORDER: "PCI_BUS_ID" }), ...own };
}
