/**
 * What a line of the journal says of the state of one job, for those who need nothing else of it. The usual line, which
 * changes a few fields, is not read to its end.
 *
 * @module
 */

import type { JobName } from "../../names/grammar.ts";
import type { JobState } from "../../job/states.ts";

/** A state and an exit code. Members that are missing stay as they were. */
export interface StateFields {
  readonly status?: JobState;
  readonly exitCode?: number | null;
}

/** What a record says of one job. */
export interface StateMove extends StateFields {
  readonly type: "put" | "set" | "delete";
  readonly name: JobName;
  /** Of `set`: the same members, as they were before. */
  readonly was?: StateFields;
  /** Of `put`: there was no job of that name. */
  readonly isNew?: boolean;
}

/** One line. */
export interface StateLine {
  /** null if it says nothing of one job. */
  readonly move: StateMove | null;
  /** The hash of the YAML that is about to be written; null of any other line. */
  readonly fold: string | null;
  /** Further lines of the same commit follow. */
  readonly isOpen: boolean;
}

/** What stands before the job as a whole; longer ones are read as any other. */
const QUICK_BYTES = 512;
/** In values quotes are escaped, so that no text of a job looks like this. */
const QUICK = /^\{"type":"set","job":"([^"\\]+)","id":"[^"\\]*","fields":\{([^{}]*)\},"was":\{([^{}]*)\}[,}]/;
const STATUS = /(?:^|,)"status":"([a-z_]+)"/;
const EXIT_CODE = /(?:^|,)"exit_code":(null|-?[0-9]+)(?:,|$)/;
const OPEN_END = new TextEncoder().encode(',"more":1}');
const BRACE = 125;
const decoder = new TextDecoder();

/** Reads a line without its end; null if it is no record. */
export function readLine(line: Uint8Array): StateLine | null {
  const quick = line.at(-1) === BRACE ? QUICK.exec(decoder.decode(line.subarray(0, QUICK_BYTES))) : null;
  if (quick !== null) {
    const [, name, fields, was] = quick as unknown as [string, JobName, string, string];
    return {
      move: { type: "set", name, ...quickFields(fields), was: quickFields(was) },
      fold: null,
      isOpen: isOpen(line),
    };
  }
  const record = parseLine(line);
  if (record === null) return null;
  return {
    move: moveOf(record),
    fold: record.type === "fold" ? String(record.yaml ?? "") : null,
    isOpen: record.more === 1,
  };
}

/** The line as JSON; null if it is none. */
export function parseLine(line: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(line));
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

function quickFields(text: string): StateFields {
  const status = STATUS.exec(text)?.[1] as JobState | undefined;
  const code = EXIT_CODE.exec(text)?.[1];
  return {
    ...(status !== undefined && { status }),
    ...(code !== undefined && { exitCode: code === "null" ? null : Number(code) }),
  };
}

function isOpen(line: Uint8Array): boolean {
  const from = line.length - OPEN_END.length;
  return OPEN_END.every((byte, i) => line[from + i] === byte);
}

function moveOf(record: Record<string, unknown>): StateMove | null {
  const { type } = record;
  if (type === "put") {
    return { type, name: record.name as JobName, ...fieldsIn(record.job), isNew: record.was === null };
  }
  if (type === "set") {
    return { type, name: record.job as JobName, ...fieldsIn(record.fields), was: fieldsIn(record.was) };
  }
  return type === "delete" ? { type, name: record.job as JobName } : null;
}

function fieldsIn(fields: unknown): StateFields {
  const { status, exit_code } = (fields ?? {}) as { status?: JobState; exit_code?: number | null };
  return { ...(status !== undefined && { status }), ...(exit_code !== undefined && { exitCode: exit_code }) };
}
