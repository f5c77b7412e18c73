/**
 * Sweeps as requests have them: members of JSON, fields and files of a form, a body of CSV.
 *
 * @module
 */

import { z } from "@hono/zod-openapi";
import { InvalidError } from "../errors.ts";
import { isMapKind, OPTION_WORDS } from "../job/option_words.ts";
import { SPEC_FIELDS } from "../job/job.ts";
import { readParam, type Source } from "../operations/sweep.ts";
import { readLines, readRows, rowsOfRecords } from "../operations/sweep_files.ts";
import { jobsOfSweep, type SweepParts } from "../operations/sweep_words.ts";
import { type NewJob, readWholeJobs } from "../operations/whole_jobs.ts";
import { Refusal } from "./errors.ts";

const MOST = 100_000;
const value = z.string().max(MOST).refine((one) => one.isWellFormed(), "not well-formed Unicode");
const scalar = z.union([value, z.number(), z.boolean(), z.null()]);
const names = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "letters, digits and _");

/** The member `sweep` of a new job: the job is a template then. */
export const SweepSchema = z.strictObject({
  params: z.record(names, z.union([value, z.array(z.union([value, z.number()])).min(1).max(MOST)])).optional().openapi({
    description: "A job for each value: a list, or a text as `--param` has it. The product of all; the last varies " +
      "fastest.",
    example: { lr: ["0.1", "0.01"], seed: "1-5" },
  }),
  rows: z.array(z.record(names, scalar)).min(1).max(MOST).optional().openapi({
    description: "A job for each of these maps of parameters.",
    example: [{ lr: 0.1, batch: 32 }],
  }),
  lines: z.array(value).min(1).max(MOST).optional().openapi({
    description: "A job for each line, `{}` in the command.",
    example: ["data/a.csv", "data/b.csv"],
  }),
  arguments: z.array(z.array(value).min(1).max(MOST)).min(1).max(9).optional().openapi({
    description: "Values as `:::` gives them, a list for each.",
    example: [["a", "b"], ["1", "2"]],
  }),
  link: z.boolean().optional().openapi({ description: "Takes parameters and arguments together by position." }),
  sample: z.number().int().min(1).max(MOST).optional().openapi({
    description: "So many, chosen by chance.",
    example: 10,
  }),
  seed: z.number().int().min(0).max(2 ** 31).optional().openapi({ description: "The choice of `sample`.", example: 1 }),
}).openapi("Sweep");

/** The jobs of a body of JSON. */
export function jobsOfBody(
  jobs:
    readonly ({ readonly name: string; readonly sweep?: z.infer<typeof SweepSchema> | undefined } & NewJob["spec"])[],
): NewJob[] {
  return jobs.flatMap(({ name, sweep, ...spec }) => {
    if (sweep === undefined) return [{ name, spec }];
    const params = Object.entries(sweep.params ?? {}).map(([param, given]) =>
      typeof given === "string" ? readParam(`${param}=${given}`) : { name: param, values: given.map(String) }
    );
    const parts: SweepParts = {
      params,
      files: sweep.rows === undefined ? [] : [rowsOfRecords(sweep.rows, "rows")],
      lines: sweep.lines,
      inputs: sweep.arguments?.map((source) => source.map((one) => [one])),
      link: sweep.link,
      sample: sweep.sample,
      seed: sweep.seed,
    };
    return jobsOfSweep(parts, { name, spec });
  });
}

/** Words of a template that come as texts: of a form, or of a query beside a body of CSV. */
export type Words = ReadonlyMap<string, readonly string[]>;

/** Words that may be given several times. */
const MANY = [
  "param",
  ...OPTION_WORDS.filter(({ kind }) => isMapKind(kind) || kind === "paths").map(({ field }) => field),
];
const FLAGS = ["link", "comments"];
const OF_SWEEP = ["param", "sample", "seed", "each_line", ...FLAGS];
const KNOWN = new Set<string>([
  "name",
  "after_corr",
  ...SPEC_FIELDS,
  ...OPTION_WORDS.map(({ field }) => field),
  ...OF_SWEEP,
]);

/** The jobs that a template of words makes of rows. */
export function jobsOfWords(words: Words, files: readonly Source[]): NewJob[] {
  for (const [word, values] of words) {
    if (!KNOWN.has(word)) {
      throw new InvalidError([`unknown field ${JSON.stringify(word)}; /docs has those that there are`]);
    }
    if (values.length > 1 && !MANY.includes(word)) throw new InvalidError([`${word} is given twice; give it once`]);
  }
  const one = (word: string): string | undefined => words.get(word)?.[0];
  const name = one("name");
  const lines = one("each_line");
  const command = one("command") ?? "";
  if (name === undefined || name === "") throw new InvalidError(["name: field required"]);
  if (command === "" && lines === undefined) throw new InvalidError(["command: field required"]);
  const parts: SweepParts = {
    params: (words.get("param") ?? []).map((text) => readParam(text)),
    files,
    lines: lines === undefined ? undefined : readLines(lines, { comments: one("comments") === "true" }),
    link: one("link") === "true",
    sample: count(words, "sample"),
    seed: count(words, "seed"),
  };
  const spec = { command, ...specOf(words) } as NewJob["spec"];
  const isSweep = files.length > 0 || OF_SWEEP.some((word) => words.has(word));
  return isSweep ? jobsOfSweep(parts, { name, spec }) : [{ name, spec }];
}

function specOf(words: Words): Record<string, unknown> {
  const spec: Record<string, unknown> = {};
  for (const [word, values] of words) {
    if (word === "name" || OF_SWEEP.includes(word)) continue;
    const option = OPTION_WORDS.find(({ field }) => field === word);
    const isMap = option !== undefined && isMapKind(option.kind);
    spec[word] = isMap ? Object.fromEntries(values.map((pair) => split(pair, word))) : values[0];
  }
  return spec;
}

function split(pair: string, word: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 1) throw new InvalidError([`${word}: give NAME=VALUE`]);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function count(words: Words, word: string): number | undefined {
  const text = words.get(word)?.[0];
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidError([`${word}: not a whole number`]);
  return Number(text);
}

/**
 * The jobs of a form: the words of `queue add` with `_` for `-`, files for `param_file`, `each_line` and `from`.
 * @throws {Refusal} If it cannot be read as a form.
 */
export async function jobsOfForm(request: Request): Promise<NewJob[]> {
  const form = await request.formData().catch(() => {
    throw new Refusal(400, "The body is no form as its type says");
  });
  const words = new Map<string, string[]>();
  const files: Source[] = [];
  let whole: NewJob[] | null = null;
  for (const [word, given] of form) {
    const text = typeof given === "string" ? given : await given.text();
    const shown = typeof given === "string" ? word : given.name;
    if (word === "param_file") files.push(readRows(text, shown));
    else if (word === "from") whole = [...whole ?? [], ...readWholeJobs(text, shown)];
    else words.set(word, [...words.get(word) ?? [], text]);
  }
  if (whole === null) return jobsOfWords(words, files);
  const clash =
    [...words.keys()].find((word) =>
      !KNOWN.has(word) || ["name", "command", "after_corr", ...OF_SWEEP].includes(word)
    ) ??
      (files.length > 0 ? "param_file" : undefined);
  if (clash !== undefined) throw new InvalidError([`Cannot use ${clash} with from: its jobs are whole`]);
  return whole.map(({ name, spec }) => ({ name, spec: { ...spec, ...specOf(words) } }));
}
