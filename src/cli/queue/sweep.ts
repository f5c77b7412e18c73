/**
 * The options of `cms queue add` that make many jobs from few words.
 *
 * @module
 */

import { InvalidError } from "../../errors.ts";
import type { AddJobsRequest } from "../../operations/add_jobs.ts";
import { linkedRows, productOf, readParam, type Source, sweepJobs, type SweepRequest } from "../../operations/sweep.ts";
import { readAllLines, readLines, readRows } from "../../operations/sweep_files.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import type { Context } from "../context.ts";
import { readArguments } from "./argument_sources.ts";
import type { SweepWords } from "./sweep_words.ts";

const SHOWN = 10;

/** The jobs that the words, and the sources behind them, make; null for a dry run, which has printed them. */
export async function sweepOf(
  context: Context,
  words: SweepWords,
  sources: readonly string[],
  template: { readonly name: string; readonly spec: AddJobsRequest["spec"] },
): Promise<Omit<AddJobsRequest, "queue">[] | null> {
  const params = (words.param ?? []).map(readParam);
  const files: Source[] = [];
  for (const path of words.paramFile ?? []) files.push(readRows(await read(context, path), path));
  const lines = words.eachLine === undefined
    ? null
    : readLines(await read(context, words.eachLine), { comments: words.comments === true });
  if (lines !== null && lines.length === 0) throw new InvalidError([`Cannot use ${words.eachLine}: it has no lines`]);
  const sample = words.sample === undefined ? null : { count: words.sample, seed: words.seed ?? 1 };
  const inputs = await readArguments(sources, {
    isLinked: words.link === true,
    lines: async (path) => readAllLines(await read(context, path), { comments: words.comments === true }),
  });
  const rows = [...files, ...(words.link ? linkedRows(params) : productOf(params))];
  checkNames(rows);
  const request: SweepRequest = { sources: rows, lines, inputs, sample, ...template };
  const jobs = sweepJobs(request);
  if (words.dryRun !== true) return jobs;
  await show(context, words, jobs);
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

function checkNames(sources: readonly Source[]): void {
  const seen = new Set<string>();
  for (const name of sources.flatMap((rows) => Object.keys(rows[0] ?? {}))) {
    if (seen.has(name)) throw new InvalidError([`Cannot use the parameter ${name}: it is given twice`]);
    seen.add(name);
  }
}

/** The text of a file of the manager; `-` is standard input. */
export async function read({ deps, io }: Context, path: string): Promise<string> {
  const text = path === "-" ? await io.readAll?.() ?? "" : await deps.files.readText(absolute(deps, path));
  if (text === null) throw new InvalidError([`Cannot read ${path}: there is no such file`]);
  return text;
}

function absolute({ environment }: Context["deps"], path: string): string {
  return path.startsWith("/") ? path : `${environment.cwd()}/${path}`;
}
