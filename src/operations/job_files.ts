/**
 * The files in the directory that a job has on its host: which there are, and parts of one.
 *
 * @module
 */

import { isLocal, type Machine, machineKey, machineOfJob } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { CmsError, InvalidError, NotFoundError } from "../errors.ts";
import { attemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import { fetchFiles, type RemoteFile } from "../link/fetch.ts";
import type { Connect } from "../link/link.ts";
import { isSafePath } from "../names/path_pattern.ts";
import { openQueue } from "../store/queue_file.ts";
import { readQueueId } from "../store/queue_id.ts";
import { liveJobs } from "../store/read_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { placesOf } from "./fetch_places.ts";
import { knownMachines, onMachines } from "./on_machines.ts";

/** Which job of which queue. */
export interface JobOf {
  readonly queue: StoreRef;
  readonly job: string;
}

/** How a machine is asked for its files. */
export interface AskingFiles {
  /** Ends the asking: what is silent is not waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Does the work when there is a place for one more session to the machine. */
  readonly visit?: (<T>(machine: Machine, work: () => Promise<T>) => Promise<T>) | undefined;
}

/** A job with more of them is refused: the list is kept in memory. */
const MOST_FILES = 100_000;

/**
 * Lists the files, sorted by path; without those that only the program needs, and those whose name is no text.
 * @param only Only this one.
 * @throws {CmsError} `not_found` if there is no such queue, job or directory; `host` if the host does not answer.
 */
export async function listJobFiles(
  deps: Deps,
  { queue, job: name }: JobOf,
  { signal, visit = (_machine, work) => work() }: AskingFiles = {},
  only?: string,
): Promise<RemoteFile[]> {
  const job = ranJob((await liveJobs(deps, queue)).get(name as JobName), name, queue);
  const machine = machineOfJob(job)!;
  const [place] = placesOf(job, [only === undefined ? "." : literally(only)]);
  const known = (await knownMachines(deps, queue.directory)).get(machineKey(machine)) ?? machine;
  let files: readonly RemoteFile[] | null = null;
  const directory = isLocal(machine) ? queue.directory : queue.experiment;
  const queueId = await readQueueId(deps, queue);
  await visit(
    known,
    () =>
      fetchFiles(deps, { machine: known, directory, queueId, signal, mostFiles: MOST_FILES }, [place!], {
        choose: ([found]) => {
          files = found!.isGone ? null : found!.files;
          return Promise.resolve([]);
        },
        take: () => Promise.resolve(),
      }),
  );
  if (files === null) throw new CmsError("not_found", `Job ${name} has no directory on its host`);
  return (files as readonly RemoteFile[]).filter(({ path }) => isSafePath(path) && !place!.isOwn(path))
    .sort((a, b) => a.path < b.path ? -1 : 1);
}

/**
 * Reads a part of a file. @throws {InvalidError} If the path leads out of the directory. @throws {CmsError} As
 * {@link listJobFiles}.
 */
export async function readFileOfJob(
  deps: Deps,
  { queue, job: name, path, from, maxBytes }: JobOf & { path: string; from: number; maxBytes: number },
  connect: Connect,
): Promise<Uint8Array> {
  checkPath(path);
  const store = await openQueue(deps, queue);
  try {
    const job = ranJob(store.jobs.get(name as JobName), name, queue);
    let bytes = null as Uint8Array | null;
    let why = "";
    const warn = (text: string) => void (why = text);
    const unreached = await onMachines(deps, { connect, store, role: "onlooker", warn, jobs: [job] }, async (link) => {
      bytes = await link.read(attemptOf(job), path, { from, maxBytes });
    });
    if (unreached.length > 0) throw new CmsError("host", why);
    if (bytes === null) throw noFile(name, path);
    return bytes;
  } finally {
    store.close();
  }
}

/** The file of a job as its host has it. @throws {CmsError} As {@link listJobFiles}, and if there is no such file. */
export async function jobFile(deps: Deps, of: JobOf, path: string, asking: AskingFiles = {}): Promise<RemoteFile> {
  checkPath(path);
  const found = (await listJobFiles(deps, of, asking, path)).find((file) => file.path === path);
  if (found === undefined) throw noFile(of.job, path);
  return found;
}

function checkPath(path: string): void {
  if (!isSafePath(path)) {
    throw new InvalidError([
      `Cannot read ${JSON.stringify(path.slice(0, 200))}: give a path below the job's directory`,
    ]);
  }
}

function noFile(job: string, path: string): CmsError {
  return new CmsError("not_found", `Job ${job} has no file ${path} on its host`);
}

function ranJob(job: Job | undefined, name: string, queue: StoreRef): Job {
  if (job === undefined) throw new NotFoundError("job", name, `Job ${name} does not exist in queue ${queue.name}`);
  if (job.attempt === 0 || machineOfJob(job) === null) throw new CmsError("not_found", `Job ${name} has not run`);
  return job;
}

/** A path as a pattern that only it fits. */
function literally(path: string): string {
  return path.replace(/[*?[\\]/g, (c) => c === "\\" ? "[\\\\]" : `[${c}]`);
}
