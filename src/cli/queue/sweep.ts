/**
 * The options of `cms queue add` that make many jobs from few words.
 *
 * @module
 */

import { InvalidError } from "../../errors.ts";
import { EXPAND_LIMIT } from "../../names/expand.ts";
import { storeError } from "../../store/file_errors.ts";
import type { AddJobsRequest } from "../../operations/add_jobs.ts";
import { AGREED_LIMITS } from "../../operations/copies.ts";
import { readParam, type Source } from "../../operations/sweep.ts";
import { readAllLines, readLines, readRows } from "../../operations/sweep_files.ts";
import { eachJobOfSweep } from "../../operations/sweep_words.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import type { Context } from "../context.ts";
import { readArguments } from "./read_arguments.ts";
import type { SweepWords } from "./sweep_words.ts";

const SHOWN = 10;

/** The jobs that the words, and the sources behind them, make; null for a dry run, which has printed them. */
export async function sweepOf(
  context: Context,
  words: SweepWords,
  sources: readonly string[],
  template: { readonly name: string; readonly spec: AddJobsRequest["spec"] },
): Promise<Iterable<Omit<AddJobsRequest, "queue">> | null> {
  const comments = words.comments === true;
  const files: Source[] = [];
  for (const path of words.paramFile ?? []) files.push(readRows(await read(context, path), path));
  const { eachLine, link, sample, seed } = words;
  const lines = eachLine === undefined ? undefined : readLines(await read(context, eachLine), { comments });
  if (lines?.length === 0) throw new InvalidError([`Cannot use ${eachLine}: it has no lines`]);
  const inputs = await readArguments(
    sources,
    async (path) => readAllLines(await read(context, path), { comments }),
  );
  const params = (words.param ?? []).map((text) => readParam(text, AGREED_LIMITS.names));
  const isAgreed = words.yes === true || words.dryRun === true;
  // More than that only for who has said that it is meant.
  const most = isAgreed ? AGREED_LIMITS.names : EXPAND_LIMIT;
  const parts = { params, files, lines, inputs, link, sample, seed, most };
  const jobs = eachJobOfSweep({ ...parts, mayAgree: !isAgreed }, template);
  if (words.dryRun !== true) return jobs;
  await show(context, words, [...jobs]);
  return null;
}

/** Prints what would be added: the number of jobs, the first ones and the last, or all of them in another form. */
export async function show(
  context: Context,
  words: SweepWords,
  jobs: readonly Omit<AddJobsRequest, "queue">[],
): Promise<void> {
  const shown = (words.format === undefined ? [...jobs.slice(0, SHOWN), ...jobs.slice(SHOWN).slice(-1)] : jobs)
    .map(({ name, spec }) => ({ name, command: spec.command, params: spec.params ?? null, extra: {} }));
  if (words.format !== undefined) {
    context.io.out(await renderFor(context.io, words.format, ["name", "command", "params"], shown));
    return;
  }
  const rows = shown.map(({ name, command }) => `  ${name}: ${printable(command)}\n`);
  if (jobs.length > SHOWN + 1) rows.splice(SHOWN, 0, "  ...\n");
  context.io.out(`${jobs.length} ${jobs.length === 1 ? "job" : "jobs"} would be added:\n${rows.join("")}`);
}

/** The text of a file of the manager; `-` is standard input. */
export async function read({ deps, io }: Context, path: string): Promise<string> {
  const text = path === "-" ? await io.readAll?.() ?? "" : await deps.files.readText(absolute(deps, path))
    .catch((error) => {
      throw storeError(path, "read", error);
    });
  if (text === null) throw new InvalidError([`Cannot read ${path}: there is no such file`]);
  return text;
}

function absolute({ environment }: Context["deps"], path: string): string {
  return path.startsWith("/") ? path : `${environment.cwd()}/${path}`;
}
