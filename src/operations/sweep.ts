/**
 * Many jobs from few words: the product of parameters, rows of files, lines of a list. Pure; whoever calls it has read
 * the files.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { EXPAND_LIMIT } from "../names/expand.ts";
import { fillCommand, fillText, hasPlaceholder, type Values } from "../job/template.ts";
import type { AddJobsRequest } from "./add_jobs.ts";
import { AGREED_LIMITS } from "./copies.ts";

/** One parameter and its values. */
export interface Param {
  readonly name: string;
  readonly values: readonly string[];
}

/** One source of jobs; sources are multiplied. Rows have the same names. */
export type Source = readonly Readonly<Record<string, string>>[];

/** One source of values without names: a row for each job, several values where sources are linked. */
export type InputSource = readonly (readonly string[])[];

/** A template of jobs. */
export interface SweepRequest {
  /** Rows of parameters; each source multiplies the ones before, the last varies fastest. */
  readonly sources: readonly Source[];
  /** A job for each line; null for none. */
  readonly lines: readonly string[] | null;
  /** What follows the command line, multiplied after the lines: rows of values for `{1}`, `{2}` ... */
  readonly inputs?: readonly InputSource[];
  readonly name: string;
  readonly spec: AddJobsRequest["spec"];
  /** Take so many of the product, chosen by a seed; null for all. */
  readonly sample: { readonly count: number; readonly seed: number } | null;
  /** Most jobs. @default EXPAND_LIMIT */
  readonly most?: number | undefined;
  /** True if there may be more for who says so. */
  readonly mayAgree?: boolean | undefined;
}

/** Of which a sample is taken. */
const MOST_COMBINATIONS = 10_000_000;

const RANGE = /^(-?[0-9]{1,15})-(-?[0-9]{1,15})$/;
const STEPS = /^([^:]+):([^:]+):(log)?([^:]+)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

/**
 * Reads `NAME=VALUES`: values between commas, `1-10`, `0:1:0.25`, `1e-4:1e-1:log4`. @throws {InvalidError} If it is
 * none.
 */
export function readParam(text: string, most: number = EXPAND_LIMIT): Param {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at));
  if (!NAME.test(name)) {
    throw new InvalidError([
      `Cannot use ${
        JSON.stringify(text.slice(0, 200))
      } as a parameter: write NAME=VALUES, such as lr=0.1,0.01 or seed=1-5`,
    ]);
  }
  const values = text.slice(at + 1).split(",").flatMap((part) => range(name, part, most));
  if (values.length > most) throw tooMany(values.length, most);
  return { name, values };
}

function range(name: string, part: string, most: number): string[] {
  const whole = RANGE.exec(part);
  if (whole !== null) {
    const [low, high] = [Number(whole[1]), Number(whole[2])];
    if (high < low) throw new InvalidError([`Cannot use ${name}=${part}: the range runs backwards`]);
    if (high - low >= most) throw tooMany(high - low + 1, most);
    const width = /^0[0-9]/.test(whole[1]!) ? whole[1]!.length : 0;
    return Array.from({ length: high - low + 1 }, (_, i) => String(low + i).padStart(width, "0"));
  }
  const steps = STEPS.exec(part);
  const [from, to, step] = [Number(steps?.[1]), Number(steps?.[2]), Number(steps?.[4])];
  if (steps === null || [from, to, step].some(Number.isNaN)) return [part];
  const isLog = steps[3] !== undefined;
  if (isLog ? !(from > 0 && to > 0 && Number.isInteger(step) && step >= 2) : !(step > 0 && to >= from)) {
    throw new InvalidError([`Cannot use ${name}=${part}: write FROM:TO:STEP or FROM:TO:logCOUNT, with FROM below TO`]);
  }
  const count = isLog ? step : Math.floor((to - from) / step + 1e-9) + 1;
  if (count > most) throw tooMany(count, most);
  return Array.from({ length: count }, (_, i) => {
    const value = isLog ? from * (to / from) ** (i / (count - 1)) : from + i * step;
    return String(Number(value.toPrecision(12)));
  });
}

/** The rows of parameters that are multiplied. */
export function productOf(params: readonly Param[]): Source[] {
  return params.map(({ name, values }) => values.map((value) => ({ [name]: value })));
}

/** The rows of parameters that go together by position. @throws {InvalidError} If their numbers differ. */
export function linkedRows(params: readonly Param[]): Source[] {
  const [first] = params;
  if (first === undefined) return [];
  const other = params.find(({ values }) => values.length !== first.values.length);
  if (other !== undefined) {
    throw new InvalidError([
      `Cannot link parameters: ${first.name} has ${first.values.length} values, ${other.name} has ${other.values.length}`,
    ]);
  }
  return [first.values.map((_, i) => Object.fromEntries(params.map(({ name, values }) => [name, values[i]!])))];
}

/** How many jobs a request makes. */
export function countOf(request: SweepRequest): number {
  const all = totalOf(request);
  const { sample } = request;
  return sample === null ? all : Math.min(all, sample.count);
}

/** The jobs of {@link eachSweepJob}. */
export function sweepJobs(request: SweepRequest): Omit<AddJobsRequest, "queue">[] {
  return [...eachSweepJob(request)];
}

/**
 * The jobs, in order: the first source varies slowest, lines fastest. Made one by one, as they are taken.
 * @throws {InvalidError} If there are too many, or a value cannot be used.
 */
export function eachSweepJob(request: SweepRequest): Iterable<Omit<AddJobsRequest, "queue">> {
  const { name } = request;
  const total = totalOf(request);
  if (/[[\],]/.test(name)) {
    throw new InvalidError([
      `Cannot use the list ${
        JSON.stringify(name.slice(0, 200))
      } as the name of a sweep: write a placeholder, such as job-{#}`,
    ]);
  }
  const { most = EXPAND_LIMIT, mayAgree = false } = request;
  if (total > MOST_COMBINATIONS || countOf(request) > most) {
    throw tooMany(countOf(request), most, mayAgree && countOf(request) <= AGREED_LIMITS.names);
  }
  const chosen = request.sample === null ? null : sampleOf(total, request.sample);
  const taken = new Map<string, number>();
  const isTold = isToldApart(request);
  const spec = withInputs(request);
  const fields = Object.keys(spec).filter((field) =>
    FILLED.has(field) && spec[field as keyof typeof spec] !== undefined
  );
  const count = chosen?.length ?? total;
  return (function* () {
    for (let i = 0; i < count; i++) {
      const values = valuesAt(request, chosen?.[i] ?? i, i + 1);
      const params = Object.keys(values.params).length === 0 ? {} : { params: values.params };
      yield {
        name: unique(safeName(fillText(isTold ? name : `${name}-{#}`, values)), taken),
        spec: { ...filled(spec, fields, values), ...params },
      };
    }
  })();
}

/** Jobs of the whole product. */
function totalOf({ sources, lines, inputs = [] }: SweepRequest): number {
  return [...sources, ...inputs].reduce((count, rows) => count * rows.length, lines?.length ?? 1);
}

/** The spec; values that the command has no place for stand at its end. */
function withInputs(request: SweepRequest): SweepRequest["spec"] {
  const { spec, inputs = [] } = request;
  if (inputs.length === 0 || spec.command === "" || hasPlaceholder(spec.command, valuesAt(request, 0, 1))) return spec;
  return { ...spec, command: `${spec.command} {}` };
}

/** Fields besides the command in which placeholders count, also within their lists and maps. */
const FILLED = new Set(["input", "output", "log", "gpu", "env", "workdir", "tags", "send", "fetch"]);

/** The spec with its placeholders filled. @param fields Those of {@link FILLED} that it has. */
function filled(spec: SweepRequest["spec"], fields: readonly string[], values: Values): SweepRequest["spec"] {
  const fill = (value: unknown): unknown => {
    if (typeof value === "string") return fillText(value, values);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one)]));
  };
  const isLine = values.inputs.length > 0 && spec.command === "";
  const command = isLine ? values.inputs.join(" ") : fillCommand(spec.command, values);
  if (fields.length === 0) return { ...spec, command };
  const given = spec as unknown as Readonly<Record<string, unknown>>;
  return { ...spec, command, ...Object.fromEntries(fields.map((field) => [field, fill(given[field])])) };
}

function valuesAt({ sources, lines, inputs = [] }: SweepRequest, position: number, index: number): Values {
  const params: Record<string, string> = {};
  let rest = position;
  const given: string[] = [];
  for (const rows of inputs.toReversed()) {
    given.unshift(...rows[rest % rows.length]!);
    rest = Math.floor(rest / rows.length);
  }
  const line = lines === null ? null : lines[rest % lines.length]!;
  if (lines !== null) rest = Math.floor(rest / lines.length);
  // In the order in which they were given, the last first to be taken.
  const rowsOf: Readonly<Record<string, string>>[] = [];
  for (let i = sources.length - 1; i >= 0; i--) {
    const rows = sources[i]!;
    rowsOf[i] = rows[rest % rows.length]!;
    rest = Math.floor(rest / rows.length);
  }
  for (const row of rowsOf) for (const name in row) params[name] = row[name]!;
  return { params, inputs: line === null ? given : [line, ...given], index };
}

/** True if the name has a placeholder, or only one job is made. */
function isToldApart(request: SweepRequest): boolean {
  return countOf(request) <= 1 || hasPlaceholder(request.name, valuesAt(request, 0, 1));
}

/** A name of the grammar of jobs: what is not in it becomes `_`. */
function safeName(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._+-]/g, "_").slice(0, 190);
  return /^[A-Za-z0-9_]/.test(plain) ? plain : `_${plain}`;
}

/** Names that meet get `-2`, `-3` ... */
function unique(name: string, taken: Map<string, number>): string {
  const before = taken.get(name) ?? 0;
  taken.set(name, before + 1);
  if (before === 0) return name;
  const next = `${name}-${before + 1}`;
  return taken.has(next) ? unique(name, taken) : unique(next, taken);
}

/** So many of `total` positions, in order: each choice as likely, by a generator that a seed begins. */
function sampleOf(total: number, { count, seed }: { count: number; seed: number }): number[] {
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const chosen: number[] = [];
  for (let at = 0; at < total && chosen.length < count; at++) {
    if (random() * (total - at) < count - chosen.length) chosen.push(at);
  }
  return chosen;
}

function tooMany(count: number, most: number, mayAgree: boolean = false): InvalidError {
  return new InvalidError([
    mayAgree
      ? `Cannot add ${count} jobs at once without --yes: they are more than ${most}; --sample=N takes some`
      : `Cannot add ${count} jobs at once: the most is ${most}; split the sweep, or --sample=N takes some`,
  ]);
}
