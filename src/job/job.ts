/**
 * A job's record: the fields of the queue file, in its order, and what makes a new one.
 *
 * The order and the names are those of the original program, so that its files load as they are. Its derived fields
 * (`remote_command`, `nohup_command`, `scriptname`, `shell_path`, `executable`, `arguments`) are read and dropped.
 * Fields that nobody knows are kept in `extra` and written back at the end.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { type JobOptions, setOptions } from "./options.ts";
import type { JobState } from "./states.ts";

/** One shell command with its name, its state, and what is known of its last attempt. */
export interface Job extends JobOptions {
  readonly name: JobName;
  /** 32 hex digits, new for each `add`. */
  readonly id: string;
  readonly experiment: string;
  /** `./EXPERIMENT`, as the original has it. */
  readonly directory: string;
  readonly input: string;
  readonly output: string;
  readonly log: string;
  readonly status: JobState;
  /** Value of CUDA_VISIBLE_DEVICES; null or `""` for none. */
  readonly gpu: string | null;
  readonly command: string;
  readonly shell: string;
  /** Process id of the last attempt on its host, as text. */
  readonly pid: string | null;
  readonly host: string | null;
  readonly user: string | null;
  /** Argument of `source`, run before the command; null or `""` for none. */
  readonly pyenv: string | null;
  readonly last_probe_check: string | null;
  /** Exit code of the last attempt; 128+n for a signal. */
  readonly exit_code: number | null;
  /** Start and end of the last attempt by the host's clock, ISO 8601 in UTC with seconds. */
  readonly started: string | null;
  readonly ended: string | null;
  /** How often a start was decided; the number of the last attempt. Never decreases while the job exists. */
  readonly attempt: number;
  /** Boot of the machine when the start was decided; only in flight, and in a crash that nobody but the manager saw. */
  readonly boot: string | null;
  /** Id of the host whose slot the job holds; likewise. */
  readonly slot: string | null;
  /**
   * Its directory on the host, where that is not the one of its name: `JOB.QUEUE`, as `JOB` belongs to another queue
   * there.
   */
  readonly job_directory: string | null;
  /** Unknown fields of the file, kept as they are. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Fields that a change may set (a job keeps its name). */
export type JobFields = Partial<Omit<Job, "name" | "extra">>;

/**
 * What `queue add` takes for each job. Unset members get the original's defaults; options that are not set are left
 * out.
 */
export interface JobSpec extends JobOptions {
  readonly command: string;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly status?: JobState | undefined;
  readonly gpu?: string | undefined;
  readonly user?: string | undefined;
  readonly host?: string | undefined;
  readonly shell?: string | undefined;
  readonly log?: string | undefined;
  readonly pyenv?: string | undefined;
  /** Fields that mean nothing to the program, kept as they are. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** The fields of {@link JobSpec} that each job has. */
export const SPEC_FIELDS = [
  "command",
  "input",
  "output",
  "status",
  "gpu",
  "user",
  "host",
  "shell",
  "log",
  "pyenv",
] as const satisfies readonly (keyof JobSpec)[];

/** Makes a new job's record. `id`: 32 hex digits, different for every job. Pure; the spec has been checked. */
export function makeJob(name: JobName, spec: JobSpec, at: { id: string; experiment: string }): Job {
  const user = spec.user ?? null;
  const host = spec.host ?? null;
  return {
    name,
    id: at.id,
    experiment: at.experiment,
    directory: at.experiment.startsWith("/") ? at.experiment : `./${at.experiment}`,
    input: spec.input ?? `${name}/input`,
    output: spec.output ?? `${name}.out`,
    log: spec.log ?? `${name}.log`,
    status: spec.status ?? (user !== null && host !== null ? "ready" : "undefined"),
    gpu: spec.gpu ?? null,
    command: spec.command,
    shell: spec.shell ?? "bash",
    pid: null,
    host,
    user,
    pyenv: spec.pyenv ?? null,
    last_probe_check: null,
    exit_code: null,
    started: null,
    ended: null,
    attempt: 0,
    boot: null,
    slot: null,
    job_directory: null,
    ...setOptions(spec),
    extra: spec.extra ?? {},
  };
}

/** True if the job is a crash because its machine was silent for too long: it may still run there. */
export function isGivenUp(job: { status: JobState; boot: string | null }): boolean {
  return job.status === "crash" && job.boot !== null;
}

/** Epoch ms as the file has it: `2026-01-31T12:00:00Z`. */
export function isoSeconds(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Where a job runs or ran, as people write it: `pi@red`, or `red` where no user is set; null before it has a host. */
export function placeOf({ user, host }: Pick<Job, "user" | "host">): string | null {
  return host === null || user === null || user === "" ? host : `${user}@${host}`;
}
