/**
 * Reads what a job has written, where it stands: on its host, also while it runs.
 *
 * @module
 */

import { noSuchJob } from "./sentences.ts";
import type { Deps } from "../deps.ts";
import { CmsError, NotFoundError } from "../errors.ts";
import { attemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { asOfTry } from "../job/past_tries.ts";
import { tryNumber } from "../job/retry.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { Connect, FilePart } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { openQueue } from "../store/queue_file.ts";
import { Collected } from "../store/collected.ts";
import type { StoreRef } from "../store/store.ts";
import { machineOfJob } from "../cluster/machine.ts";
import { readCollected } from "./collect/read_collected.ts";
import { type JobFile, pathOf } from "./output_files.ts";
import { onMachines } from "./on_machines.ts";

/** What {@link readJobFile} takes. Of a longer file, the last `maxBytes` are read, or those after the first `from`. */
export interface ReadJobFileRequest {
  readonly queue: StoreRef;
  readonly job: string;
  readonly file: JobFile;
  readonly maxBytes: number;
  readonly from?: number | undefined;
  /** Number of a try; the last one by default. */
  readonly try?: number | undefined;
}

/**
 * Reads a file of a job from its host.
 * @throws {CmsError} `not_found` if there is no such queue, job or file; `host` if the host does not answer.
 */
export async function readJobFile(
  deps: Deps,
  request: ReadJobFileRequest,
  connect: Connect = makeConnect(deps),
): Promise<Uint8Array> {
  const store = await openQueue(deps, request.queue);
  try {
    const job = store.jobs.get(request.job as JobName);
    if (job === undefined) {
      throw new NotFoundError("job", request.job, noSuchJob(request.queue, request.job));
    }
    const tried = request.try === undefined ? { job, endings: [""] } : asOfTry(job, request.try);
    if (tried === null) throw new CmsError("not_found", noSuchTry(job, request.try!));
    if (tried.job.attempt === 0 || machineOfJob(tried.job) === null) throw absent(job, request.file);
    const here = await collectedPart(deps, request, tried.job);
    if (here !== null) return here;
    let bytes = null as Uint8Array | null;
    let why = "";
    const warn = (text: string) => void (why = text);
    const part = partOf(request);
    const work = { connect, store, role: "visitor", warn, jobs: [tried.job] } as const;
    const unreached = await onMachines(deps, work, async (link) => {
      for (const ending of tried.endings) {
        bytes ??= await link.read(attemptOf(tried.job), pathOf(job, request.file) + ending, part);
      }
    });
    if (unreached.length > 0) throw new CmsError("host", why);
    if (bytes === null) throw absent(job, request.file);
    return bytes;
  } finally {
    store.close();
  }
}

/** What is said of a try that a job has not had, or of which nothing is known any more. */
export function noSuchTry(job: Job, number: number): string {
  const known = [...(job.history ?? []).map((past) => past.try), ...isWaiting(job.status) ? [] : [tryNumber(job)]];
  return `Job ${job.name} has no try ${number}${known.length === 0 ? "" : `; there are ${known.join(", ")}`}`;
}

/** What a run has collected of the file; null where it has not, and while the job goes on. */
async function collectedPart(deps: Deps, request: ReadJobFileRequest, job: Job): Promise<Uint8Array | null> {
  if (isWaiting(job.status) || isInFlight(job.status)) return null;
  const { queue, file } = request;
  return await readCollected(deps, await Collected.open(deps, queue), { job, file, part: partOf(request) });
}

function partOf({ maxBytes, from }: ReadJobFileRequest): FilePart {
  return { maxBytes, ...(from !== undefined && { from }) };
}

function absent(job: Job, file: JobFile): CmsError {
  return new CmsError("not_found", `Job ${job.name} has no ${file} on its host`);
}
