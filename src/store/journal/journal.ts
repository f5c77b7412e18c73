/**
 * The text of a journal: what happened to a queue since its YAML was last written.
 *
 * Line 1 is the header: `{"cms":1,"queue":ID,"at":"HOST:DIRECTORY","yaml":SHA256,"begun":HEX}`, where `yaml` is the
 * hash of the YAML that the records start from. Then one JSON object for each change. The lines of one commit belong
 * together: all but the last have `"more":1`, and a commit whose last line is missing never happened.
 *
 * Torn is what a crash may leave at the end: no newline, a last line that is no JSON, a commit without its last line.
 * It is passed over here and cut off by the next writer. All other damage is an error that names the line.
 *
 * @module
 */

import type { FileStamp } from "../../deps.ts";
import { StoreError } from "../../errors.ts";
import type { JobName } from "../../names/grammar.ts";
import type { Job, JobFields } from "../../job/job.ts";
import { jobRecord, normalizeJob, problemOfFields, problemsOfMeaning } from "../yaml/job_record.ts";

/** First line of a journal. */
export interface JournalHeader {
  /** Id of the queue. */
  readonly queue: string;
  /** Where the queue lived when the journal was begun; elsewhere it is a copy and gets an id of its own. */
  readonly at: string;
  /** Hash of the YAML that the records start from. */
  readonly yaml: string;
  /**
   * Random hex, new for each journal: with the number of a line it names a place for good. Missing in older journals.
   */
  readonly begun?: string;
  /**
   * The YAML's stamp, if the program wrote it: while it has this one, it is the text of that hash. Only of a large one.
   */
  readonly written?: WrittenStamp;
  /**
   * So many of the first records stood in the journal before this one, too: they were written while the YAML was. Only
   * where there are any.
   */
  readonly carried?: number;
}

/** What of a stamp says that a file is as it was written. */
export interface WrittenStamp extends Pick<FileStamp, "sizeBytes" | "modifiedMs" | "inode"> {
  /** The version of the program that wrote it: another may quote otherwise. */
  readonly by: string;
  /** What the jobs in it come to, see `summary_text.ts`. */
  readonly summary?: unknown;
}

/** One line of a journal after the first. */
export type JournalRecord =
  /** `was`: id of the job that was replaced, or null. */
  | { readonly type: "put"; readonly job: Job; readonly was: string | null }
  /**
   * `id`: the job's id before. `was`: the fields before. `whole`: the whole job before, where this record says that it
   * is in flight.
   */
  | {
    readonly type: "set";
    readonly job: JobName;
    readonly id: string;
    readonly fields: JobFields;
    readonly was: JobFields;
    readonly whole: Job | null;
    /** When it was written, epoch ms; only where the state moves, and not in older journals. */
    readonly at?: number;
  }
  | { readonly type: "delete"; readonly job: JobName; readonly id: string }
  | { readonly type: "move"; readonly jobs: readonly JobName[]; readonly before: JobName | null }
  | { readonly type: "kill"; readonly jobs: readonly JobName[] }
  /**
   * The YAML was about to be written with this hash, holding the first so many records of this journal. In older
   * journals: all before this one.
   */
  | { readonly type: "fold"; readonly yaml: string; readonly records?: number };

/** The job that a record is about; null if it is about none, or asks for several. */
export function subjectOf(record: JournalRecord): JobName | null {
  return record.type === "put" ? record.job.name : "job" in record ? record.job : null;
}

/** What a journal's bytes hold, from some line on. */
export interface JournalPart {
  /** null if the part begins later than the first line, or if the file has no whole first line. */
  readonly header: JournalHeader | null;
  /** Of whole commits only. */
  readonly records: readonly JournalRecord[];
  /** Bytes of the whole commits (and the header); what follows is torn. */
  readonly goodBytes: number;
  /** Lines of the same. */
  readonly goodLines: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The first line. */
export function encodeHeader(header: JournalHeader): string {
  return JSON.stringify({ cms: 1, ...header }) + "\n";
}

function plain(record: JournalRecord, more: { readonly more?: 1 }): Record<string, unknown> {
  if (record.type === "put") return { ...record, job: jobRecord(record.job), name: record.job.name, ...more };
  if (record.type !== "set") return { ...record, ...more };
  const { whole, ...rest } = record;
  return whole === null ? { ...rest, ...more } : { ...rest, whole: jobRecord(whole), ...more };
}

const MORE = { more: 1 } as const;
const LAST = {} as const;

/** Characters of lines that are encoded in one go. */
const ENCODED_AT_ONCE = 2 ** 24;

/** The lines of one commit, in pieces: of a large one all together would be as much memory as its queue. */
export function* encodePieces(records: readonly JournalRecord[]): Generator<Uint8Array> {
  const last = records.length - 1;
  let text = "";
  for (const [i, record] of records.entries()) {
    text += JSON.stringify(plain(record, i < last ? MORE : LAST)) + "\n";
    if (i < last && text.length < ENCODED_AT_ONCE) continue;
    yield encoder.encode(text);
    text = "";
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is JobName[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

/** What a line holds; null if it is no map. */
export function parseLine(line: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(line));
    return isMap(value) ? value : null;
  } catch {
    return null;
  }
}

/** Where a part of a journal begins and how it is read. */
export interface PartOptions {
  /** The file as errors name it. */
  readonly shown: string;
  /** Lines before this part; 0 reads the header. */
  readonly lines: number;
  /** Experiment of the store. */
  readonly experiment: string;
}

/**
 * Reads a journal's bytes from the start of a line.
 * @throws {StoreError} For damage that is not a torn end.
 */
export function parseJournal(bytes: Uint8Array, options: PartOptions): JournalPart {
  const records: JournalRecord[] = [];
  let open: JournalRecord[] = [];
  let header: JournalHeader | null = null;
  let goodBytes = 0;
  let goodLines = 0;
  let lines = 0;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) break;
    const value = parseLine(bytes.subarray(start, end));
    if (value === null && end + 1 === bytes.length) break;
    lines++;
    const damage = (reason: string) => new StoreError(options.shown, options.lines + lines, reason);
    if (value === null) throw damage("is damaged: the line is not a record");
    start = end + 1;
    if (options.lines + lines === 1) {
      header = readHeader(value, damage);
    } else {
      open.push(readRecord(value, options.experiment, damage));
      if (value.more === 1) continue;
      for (const record of open) records.push(record);
      open = [];
    }
    goodBytes = start;
    goodLines = lines;
  }
  return { header, records, goodBytes, goodLines };
}

/** Makes the error of a damaged line. */
export type Damage = (reason: string) => StoreError;

/** Reads the first line. @throws {StoreError} If it is none. */
export function readHeader(value: Record<string, unknown>, damage: Damage): JournalHeader {
  if (typeof value.cms === "number" && value.cms > 1) throw damage("was written by a newer version of the program");
  const { queue, at, yaml, begun, written, carried } = value;
  if (value.cms !== 1 || typeof queue !== "string" || typeof at !== "string" || typeof yaml !== "string") {
    throw damage("is damaged: the first line is no header");
  }
  return {
    queue,
    at,
    yaml,
    ...(typeof begun === "string" ? { begun } : {}),
    ...(isMap(written) ? { written: written as unknown as WrittenStamp } : {}),
    ...(isCount(carried) ? { carried } : {}),
  };
}

function readJob(name: unknown, value: unknown, experiment: string, damage: Damage): Job {
  if (typeof name !== "string" || !isMap(value)) throw damage("is damaged: the record holds no job");
  // A value of `extra` is kept as it is: only the first level is a map of fields.
  const { job, problems } = normalizeJob(name, new Map(Object.entries(value)), experiment);
  const problem = problems[0] ?? problemsOfMeaning(job)[0];
  if (problem !== undefined) throw damage(`is damaged: ${problem.text}`);
  return job;
}

/** null if members are missing. */
function readSet(value: Record<string, unknown>, experiment: string, damage: Damage): JournalRecord | null {
  const { job, id, fields, was } = value;
  if (typeof job !== "string" || typeof id !== "string" || !isMap(fields) || !isMap(was)) return null;
  const problem = problemOfFields(fields) ?? problemOfFields(was);
  if (problem !== null) throw damage(`is damaged: ${problem}`);
  const whole = value.whole === undefined ? null : readJob(job, value.whole, experiment, damage);
  const when = typeof value.at === "number" ? { at: value.at } : {};
  return { type: "set", job: job as JobName, id, fields, was, whole, ...when };
}

/** Reads any other line. @throws {StoreError} If it is none. */
export function readRecord(value: Record<string, unknown>, experiment: string, damage: Damage): JournalRecord {
  switch (value.type) {
    case "put": {
      if (value.was !== null && typeof value.was !== "string") break;
      return { type: "put", job: readJob(value.name, value.job, experiment, damage), was: value.was };
    }
    case "set": {
      const record = readSet(value, experiment, damage);
      if (record === null) break;
      return record;
    }
    case "delete":
      if (typeof value.job !== "string" || typeof value.id !== "string") break;
      return { type: "delete", job: value.job as JobName, id: value.id };
    case "move":
      if (!isNames(value.jobs) || (value.before !== null && typeof value.before !== "string")) break;
      return { type: "move", jobs: value.jobs, before: value.before as JobName | null };
    case "kill":
      if (!isNames(value.jobs)) break;
      return { type: "kill", jobs: value.jobs };
    case "fold":
      if (typeof value.yaml !== "string" || !(value.records === undefined || isCount(value.records))) break;
      return { type: "fold", yaml: value.yaml, ...(value.records === undefined ? {} : { records: value.records }) };
  }
  throw damage("is damaged: the line is no record of a known kind");
}
