/**
 * The conditions of `--where`: `FIELD OP VALUE`, such as `status=end`, `exit_code!=0`, `param.lr<0.1`, `duration>30m`,
 * `command~train`. Pure.
 *
 * Two numbers are compared as numbers, two durations or sizes by their length, all else as text. `*` in a value of `=`
 * and `!=` stands for any characters; `~` means that the field holds the text, in any case of letters. A field that is
 * not set equals the empty value and holds no other condition.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { parseDuration, parseSize } from "../names/units.ts";
import type { Job } from "./job.ts";
import { isOptionName } from "./options.ts";
import { isFailed } from "./outcome.ts";

const OPERATORS = ["!=", "<=", ">=", "=", "<", ">", "~"] as const;

/** One of the comparisons. */
export type Operator = typeof OPERATORS[number];

/** One condition, read. */
export interface Condition {
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
}

/** Longest text of a condition. */
const LONGEST = 1_000;
const FORM = /^\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*(!=|<=|>=|=|<|>|~)([^]*)$/;

/** Fields that stand in no file. */
const MADE: Readonly<Record<string, (job: Job) => string | number | null>> = {
  duration: durationMs,
  failed: (job) => isFailed(job) ? "true" : "false",
};

/** Fields of every job. */
const PLAIN: ReadonlySet<string> = new Set<keyof Job>([
  ...["name", "id", "experiment", "directory", "input", "output", "log", "status", "gpu", "command", "shell"] as const,
  ...["pid", "host", "user", "pyenv", "exit_code", "started", "ended", "attempt", "slot"] as const,
]);

/** Reads a condition. @throws {InvalidError} If it is none, or names no field. */
export function parseWhere(text: string): Condition {
  const [, field = "", operator = "", value = ""] = text.length > LONGEST ? [] : FORM.exec(text) ?? [];
  const shown = JSON.stringify(text.slice(0, 200));
  if (field === "") {
    throw new InvalidError([
      `Cannot use ${shown} as a condition: write FIELD OP VALUE, such as exit_code!=0 or param.lr<0.1`,
    ]);
  }
  if (!isField(field)) {
    throw new InvalidError([
      `Cannot use ${shown} as a condition: there is no field ${field}; use one of the queue file, duration, param.NAME or tag.NAME`,
    ]);
  }
  const condition = { field, operator: operator as Operator, value: value.trim() };
  measureOf(condition, condition.value); // Says what is wrong with a duration or a size now, not at the first job.
  return condition;
}

/** True if the job holds the condition. */
export function holds(job: Job, condition: Condition): boolean {
  const { operator, value } = condition;
  const own = fieldOf(job, condition.field);
  const text = own === null ? "" : String(own);
  if (operator === "~") return text.toLowerCase().includes(value.toLowerCase());
  if (operator === "=" || operator === "!=") {
    const isEqual = value.includes("*") ? matches(text, value) : compare(condition, own) === 0;
    return isEqual === (operator === "=");
  }
  if (own === null || value === "") return false;
  const order = compare(condition, own);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    default:
      return operator satisfies never;
  }
}

/** How long the last attempt took, ms; null while that is not known. */
export function durationMs(job: Job): number | null {
  if (job.started === null || job.ended === null) return null;
  const ms = Date.parse(job.ended) - Date.parse(job.started);
  return Number.isNaN(ms) ? null : ms;
}

/** True for the name of a field that {@link fieldOf} knows. */
export function isField(field: string): boolean {
  return PLAIN.has(field) || Object.hasOwn(MADE, field) || isOptionName(field) ||
    /^(?:param|tag)\.[^.]/.test(field);
}

/**
 * The value of a field of a job: of its file, `duration` (ms), `failed`, `param.NAME`, `tag.NAME`; null if it is not
 * set.
 */
export function fieldOf(job: Job, field: string): string | number | null {
  const made = Object.hasOwn(MADE, field) ? MADE[field] : undefined;
  if (made !== undefined) return made(job);
  const [map, name] = splitAtPoint(field);
  if (name !== null) {
    const values = map === "param" ? job.params : job.tags;
    return values !== null && values !== undefined && Object.hasOwn(values, name) ? values[name]! : null;
  }
  const value = job[field as keyof Job] ?? null;
  if (typeof value === "string" || typeof value === "number" || value === null) return value;
  return Array.isArray(value) ? value.join(",") : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function splitAtPoint(field: string): [string, string | null] {
  const at = field.indexOf(".");
  return at < 0 ? [field, null] : [field.slice(0, at), field.slice(at + 1)];
}

/** Below 0, 0 or above 0, as the job's value is less than the condition's, equal, or more. */
function compare(condition: Condition, own: string | number | null): number {
  const { value } = condition;
  if (own === null || value === "") return (own ?? "") === value ? 0 : 1;
  const [a, b] = [measureOf(condition, own), measureOf(condition, value)];
  if (a !== null && b !== null) return a - b;
  const text = String(own);
  return text === value ? 0 : text < value ? -1 : 1;
}

/** A value as a number, where its field or the value itself is one; null for a text. */
function measureOf({ field }: Condition, value: string | number): number | null {
  if (typeof value === "number") return value;
  if (value === "" || value.includes("*")) return null;
  if (field === "duration" || field === "time_limit" || field === "grace" || field === "retry_delay") {
    return parseDuration(value);
  }
  if (field === "memory") return parseSize(value);
  return /^[-+]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][-+]?[0-9]{1,3})?$/.test(value)
    ? Number(value)
    : null;
}

/** Matches a text against one in which `*` stands for any characters; takes time in proportion to both. */
function matches(text: string, pattern: string): boolean {
  const parts = pattern.split("*");
  const [first, last] = [parts.shift()!, parts.pop()!];
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
