/**
 * The words of a command line: quotes around a value, the forms in which a queue or cluster is named, and the types of
 * option values.
 *
 * @module
 */

import { InvalidArgumentError } from "@commander-js/extra-typings";
import { CmsError } from "../errors.ts";
import { durationField, isDuration, parseDuration } from "../names/units.ts";
import { isJobState, JOB_STATES, type JobState } from "../job/states.ts";
import { type Format, FORMATS } from "../output/records.ts";

/**
 * A value that is wrapped whole in one pair of quotes loses that pair: commands written for the original's own shell
 * (`--command="'sleep 10'"`) and for a plain shell both work.
 */
export function unquote(value: string): string {
  const mark = value[0];
  if (value.length < 2 || (mark !== "'" && mark !== '"') || value.at(-1) !== mark) return value;
  const inner = value.slice(1, -1);
  return inner.includes(mark) ? value : inner;
}

/**
 * The name of the queue or cluster that is meant: `a`, `queue=a` or `--queue=a`.
 * @returns undefined if none was given.
 * @throws {CmsError} `usage` if two different ones were given.
 */
export function pickName(
  kind: "queue" | "cluster",
  word: string | undefined,
  option: string | undefined,
): string | undefined {
  const prefix = `${kind}=`;
  const named = word?.startsWith(prefix) ? unquote(word.slice(prefix.length)) : word;
  if (named !== undefined && option !== undefined && named !== option) {
    throw new CmsError("usage", `Two names for one ${kind}: ${JSON.stringify(named)} and ${JSON.stringify(option)}`);
  }
  return named ?? option;
}

/** Reads a state of a job. */
export function stateValue(value: string): JobState {
  const state = unquote(value);
  if (isJobState(state)) return state;
  throw new InvalidArgumentError(`Use one of ${JOB_STATES.join(", ")}.`);
}

/** Reads a form of output. */
export function formatValue(value: string): Format {
  const format = FORMATS.find((known) => known === unquote(value));
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`Use one of ${FORMATS.join(", ")}.`);
}

/** Reads a whole number from 1 on. */
export function countValue(value: string): number {
  const text = unquote(value);
  if (/^[0-9]{1,9}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError("Give a whole number, 1 or more.");
}

/** Reads minutes, such as `10` or `0.5`, or a duration, such as `90s`, as milliseconds. */
export function minutesValue(value: string): number {
  const text = unquote(value);
  const ms = /^[0-9]{0,7}(\.[0-9]{1,9})?$/.test(text) ? Math.round(Number(text) * 60_000) : 0;
  // In the background it is handed on in seconds.
  if (ms > 0 && isDuration(`${ms / 1000}s`)) return ms;
  if (/[a-z]$/.test(text) && isDuration(text)) return parseDuration(text);
  throw new InvalidArgumentError("Give minutes, such as 10 or 0.5, or a duration such as 90s or 2h.");
}

/** Reads a duration, such as `30m`; a bare number is minutes. @returns It as text. */
export function durationText(value: string): string {
  try {
    return durationField(unquote(value));
  } catch {
    throw new InvalidArgumentError("Give a duration such as 90s, 30m, 2h, 1d or 1h30m.");
  }
}

/** Reads a TCP port. */
export function portValue(value: string): number {
  const port = unquote(value);
  if (/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new InvalidArgumentError("Give a number from 1 to 65535.");
}

/** Reads a TCP port to listen on; 0 is any that is free. */
export function portOrAnyValue(value: string): number {
  if (/^[0-9]{1,9}$/.test(unquote(value)) && Number(unquote(value)) <= 65_535) return Number(unquote(value));
  throw new InvalidArgumentError("Give a number from 0 to 65535; 0 is any port that is free.");
}

/** Reads a form of the access log. */
export function logFormatValue(value: string): "text" | "json" | "none" {
  const format = (["text", "json", "none"] as const).find((known) => known === unquote(value));
  if (format !== undefined) return format;
  throw new InvalidArgumentError("Use one of text, json, none.");
}
