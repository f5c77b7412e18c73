/**
 * `cms queue add --from=FILE` and `--stdin`: whole jobs, of a file or one after another from a program.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import { addJobsOfSpecs } from "../../operations/add_jobs.ts";
import { AGREED_LIMITS, ASKING_LIMITS } from "../../operations/copies.ts";
import { addStream } from "../../operations/add_stream.ts";
import { type NewJob, readWholeJobs } from "../../operations/whole_jobs.ts";
import type { StoreRef } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { read, show } from "./sweep.ts";
import type { SweepWords } from "./sweep_words.ts";

/** What was asked for. */
export interface WholeRequest {
  readonly queue: StoreRef;
  readonly words: SweepWords;
  readonly name: string | undefined;
  readonly sources: readonly string[];
  /** Fields that hold for all jobs, before what each says itself. */
  readonly given: Partial<NewJob["spec"]>;
}

/** Adds the jobs. @throws {CmsError} If they cannot be used, or words are given that cannot go with whole jobs. */
export async function addWhole(context: Context, request: WholeRequest): Promise<void> {
  const { words, queue, given } = request;
  refuseOthers(request);
  if (words.stdin === true) return await addLines(context, request);
  const path = words.from!;
  const whole = readWholeJobs(await read(context, path), path === "-" ? "standard input" : path);
  const jobs = whole.map(({ name, spec }) => ({ name, spec: { ...spec, ...given } }));
  if (words.dryRun === true) return await show(context, words, jobs);
  const limits = words.yes === true ? AGREED_LIMITS : ASKING_LIMITS;
  const { added, warnings } = await addJobsOfSpecs(context.deps, { queue, jobs, limits });
  for (const job of added) context.lines.info(`Adding job ${job} to queue ${queue.name}`);
  for (const text of warnings) context.lines.warning(text);
}

async function addLines(context: Context, { queue, given }: WholeRequest): Promise<void> {
  const { deps, io } = context;
  if (io.pieces === undefined) throw new CmsError("usage", "Cannot use --stdin: there is no standard input");
  const refused = await addStream(deps, { queue, given }, io.pieces(), async (answers) => {
    io.out(answers.map((one) => `${JSON.stringify(one)}\n`).join(""));
    await io.flush();
  });
  if (refused > 0) context.status = 1;
}

function refuseOthers({ words, name, sources, given }: WholeRequest): void {
  const { from, stdin, dryRun, format, yes: _yes, ...sweep } = words;
  const isStream = stdin === true;
  const clashes = [
    isStream && from !== undefined ? "--from" : undefined,
    name === undefined ? undefined : "--name",
    given.command === undefined ? undefined : "--command",
    given.after_corr === undefined ? undefined : "--after-corr",
    isStream && dryRun !== undefined ? "--dry-run" : undefined,
    isStream && format !== undefined ? "--format" : undefined,
    ...Object.keys(sweep).map((word) => `--${word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`),
    sources[0],
  ].filter((clash) => clash !== undefined);
  if (clashes.length === 0) return;
  const option = isStream ? "--stdin" : "--from";
  throw new CmsError("usage", `Cannot use ${clashes[0]} with ${option}: its jobs are whole`);
}
