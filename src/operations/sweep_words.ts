/**
 * From what a person gives to a sweep: the values of parameters, rows, lines and arguments, however they came, put
 * together in one order. Pure.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import {
  eachSweepJob,
  type InputSource,
  linkedRows,
  type Param,
  productOf,
  type Source,
  type SweepRequest,
} from "./sweep.ts";
import type { NewJob } from "./whole_jobs.ts";

/** What was given; what was not is left out. */
export interface SweepParts {
  readonly params?: readonly Param[] | undefined;
  /** Rows of parameters, a list for each file. */
  readonly files?: readonly Source[] | undefined;
  readonly lines?: readonly string[] | undefined;
  readonly inputs?: readonly InputSource[] | undefined;
  readonly link?: boolean | undefined;
  readonly sample?: number | undefined;
  readonly seed?: number | undefined;
  /** As in {@link SweepRequest}. */
  readonly most?: number | undefined;
  readonly mayAgree?: boolean | undefined;
}

/** The jobs that a template makes of them: files vary slowest, then parameters, then lines, then inputs. */
export function jobsOfSweep(parts: SweepParts, template: Pick<SweepRequest, "name" | "spec">): NewJob[] {
  return [...eachJobOfSweep(parts, template)];
}

/** The same, made one by one as they are taken. */
export function eachJobOfSweep(parts: SweepParts, template: Pick<SweepRequest, "name" | "spec">): Iterable<NewJob> {
  const { params = [], files = [], lines, inputs = [], sample, seed = 1 } = parts;
  if (lines?.length === 0) throw new InvalidError(["Cannot make jobs of lines: there are none"]);
  const sources = [...files, ...(parts.link === true ? linkedRows(params) : productOf(params))];
  checkNames(sources);
  return eachSweepJob({
    ...template,
    most: parts.most,
    mayAgree: parts.mayAgree,
    sources,
    lines: lines ?? null,
    inputs: parts.link === true ? linkedInputs(inputs) : inputs,
    sample: sample === undefined ? null : { count: sample, seed },
  });
}

/** Sources that go together by position. @throws {InvalidError} If their numbers differ. */
export function linkedInputs(sources: readonly InputSource[]): InputSource[] {
  const [first, ...others] = sources;
  if (first === undefined) return [];
  const other = others.find((source) => source.length !== first.length);
  if (other !== undefined) {
    throw new InvalidError([`Cannot link sources: one has ${first.length} values, another ${other.length}`]);
  }
  return [others.reduce(paired, first)];
}

/** Two sources by position, as far as the shorter one goes. */
export function paired(before: InputSource, rows: InputSource): InputSource {
  return before.slice(0, rows.length).map((row, i) => [...row, ...rows[i]!]);
}

function checkNames(sources: readonly Source[]): void {
  const seen = new Set<string>();
  for (const name of sources.flatMap((rows) => Object.keys(rows[0] ?? {}))) {
    if (seen.has(name)) throw new InvalidError([`Cannot use the parameter ${name}: it is given twice`]);
    seen.add(name);
  }
}
