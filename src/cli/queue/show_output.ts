/**
 * Shows what jobs have written: parts of their files, or all that comes from now on.
 *
 * @module
 */

import { CmsError, NotFoundError } from "../../errors.ts";
import { machineOfJob, machineText } from "../../cluster/machine.ts";
import type { Job } from "../../job/job.ts";
import { asOfTry, type TriedJob } from "../../job/past_tries.ts";
import type { FilePart } from "../../link/link.ts";
import { isFailed } from "../../job/outcome.ts";
import { isInFlight, isWaiting } from "../../job/states.ts";
import { durationMs } from "../../job/where.ts";
import { makeConnect } from "../../link/connect.ts";
import type { JobName } from "../../names/grammar.ts";
import { renderDuration } from "../../names/units.ts";
import { followOutput } from "../../operations/follow_output.ts";
import { OutputReader, SilentError } from "../../operations/job_output.ts";
import type { JobFile } from "../../operations/output_files.ts";
import { noSuchTry } from "../../operations/read_job_file.ts";
import { type Selection, selectJobs } from "../../operations/select_jobs.ts";
import { firstLinesEnd, lastLinesStart } from "../../output/text_part.ts";
import { openQueue } from "../../store/queue_file.ts";
import type { StoreRef } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { warnOfMissing } from "./selection.ts";
import type { LogWords } from "./log_words.ts";
import { OutputWriter } from "./output_writer.ts";

/** Of one job, where nothing else is asked for; and pieces of what is shown whole. */
const MOST_BYTES = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const TAIL_LINES = 10;
/** The end of a file is read in steps, until it has the lines that are asked for. */
const TAIL_BYTES = [64 * 1024, 512 * 1024, 4 * 1024 * 1024, 16 * 1024 * 1024] as const;
const INTERRUPTED = 130;

/** What to show. */
export interface ShowRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  readonly words: LogWords;
}

/**
 * Shows it. The exit status is 1 if a host did not answer, or a name is not in the queue; of one job that is followed,
 * its own code.
 */
export async function showOutput(context: Context, request: ShowRequest): Promise<void> {
  const { deps, lines } = context;
  const { words } = request;
  const parts = (["tail", "head", "all"] as const).filter((part) => words[part] !== undefined);
  if (parts.length > 1) {
    throw new CmsError("usage", `Cannot show both --${parts[0]} and --${parts[1]}; give one of them`);
  }
  if (words.follow && words.try !== undefined) throw new CmsError("usage", "Cannot follow a try that is over");
  if (words.follow && words.head !== undefined) {
    throw new CmsError("usage", "Cannot use --head with --follow; --all shows what jobs wrote before, too");
  }
  const store = await openQueue(deps, request.queue);
  try {
    const { chosen, missing } = selectJobs(store.jobs, request.selection);
    warnOfMissing(context, request.queue, missing);
    if (chosen.length === 0) {
      if (missing.length === 0) lines.info(`No job of queue ${request.queue.name} fits.`);
      return;
    }
    const show = new Show(context, { words, isOne: chosen.length === 1 });
    if (words.follow) await show.follow(store, chosen);
    else await show.parts(new OutputReader(deps, store, makeConnect(deps)), chosen);
  } finally {
    store.close();
  }
}

class Show {
  readonly #context: Context;
  readonly #words: LogWords;
  readonly #isOne: boolean;
  readonly #files: readonly JobFile[];
  readonly #isRaw: boolean;

  constructor(context: Context, { words, isOne }: { words: LogWords; isOne: boolean }) {
    this.#context = context;
    this.#words = words;
    this.#isOne = isOne;
    this.#files = words.both ? ["output", "error"] : words.error ? ["error"] : words.states ? ["log"] : ["output"];
    this.#isRaw = words.raw === true || !context.io.outIsTerminal;
  }

  /** Parts of files, in the order of the queue. */
  async parts(reader: OutputReader, jobs: readonly Job[]): Promise<void> {
    const silent = new Map<string, string>();
    try {
      for (const own of jobs) {
        const tried = this.#words.try === undefined ? { job: own, endings: [""] } : asOfTry(own, this.#words.try);
        if (tried === null) {
          this.#context.lines.warning(noSuchTry(own, this.#words.try!));
          this.#context.status = 1;
          continue;
        }
        const { job } = tried;
        const machine = machineOfJob(job);
        const key = machine === null ? "" : machineText(machine);
        if (!this.#isOne) this.#out(`==> ${titleOf(job)} <==\n`);
        try {
          const known = silent.get(key);
          if (known !== undefined) throw new SilentError(known);
          for (const file of this.#files) await this.#part(reader, tried, file);
        } catch (error) {
          if (!(error instanceof SilentError)) throw error;
          silent.set(key, error.message);
          this.#context.lines.warning(`${key} does not answer: ${error.message} (${job.name})`);
          this.#context.status = 1;
        }
        if (!this.#isOne) this.#out("\n");
      }
    } finally {
      await reader.close();
    }
  }

  async #part(reader: OutputReader, tried: TriedJob, name: JobFile): Promise<void> {
    const { tail, head, all } = this.#words;
    const mark = this.#words.both ? `${name === "error" ? "err" : "out"}| ` : "";
    const writer = new OutputWriter(this.#context.io, { isRaw: this.#isRaw, mark });
    const lineCount = tail ?? (this.#isOne ? null : TAIL_LINES);
    const isThere = all || head !== undefined
      ? await this.#fromBegin(reader, tried, { name, head: head ?? Infinity, writer })
      : lineCount === null
      ? await this.#lastBytes(reader, tried, name, writer)
      : await this.#lastLines(reader, tried, { name, lineCount, writer });
    if (!isThere) return this.#absent(tried.job, name);
    await writer.end({ isClosed: !this.#isOne });
  }

  async #lastBytes(reader: OutputReader, tried: TriedJob, name: JobFile, writer: OutputWriter): Promise<boolean> {
    const bytes = await readTried(reader, tried, name, { maxBytes: MOST_BYTES + 1 });
    if (bytes === null) return false;
    if (bytes.length > MOST_BYTES) {
      this.#context.lines.warning(`Shown is the last 1 MiB of ${tried.job.name}; --all shows all of it`);
    }
    await writer.take(bytes.subarray(-MOST_BYTES));
    return true;
  }

  async #lastLines(
    reader: OutputReader,
    tried: TriedJob,
    { name, lineCount, writer }: { name: JobFile; lineCount: number; writer: OutputWriter },
  ): Promise<boolean> {
    const isAsked = this.#words.tail !== undefined;
    for (const maxBytes of TAIL_BYTES) {
      const bytes = await readTried(reader, tried, name, { maxBytes });
      if (bytes === null) return false;
      const start = lastLinesStart(bytes, lineCount);
      const isLast = maxBytes === TAIL_BYTES.at(-1);
      if (start === 0 && bytes.length === maxBytes && isAsked && !isLast) continue;
      if (start === 0 && bytes.length === maxBytes && isAsked) {
        this.#context.lines.warning(`Shown is the last ${maxBytes / MOST_BYTES} MiB of ${tried.job.name}`);
      }
      await writer.take(bytes.subarray(start));
      return true;
    }
    return true;
  }

  /** Piece by piece: a file may be larger than the memory. */
  async #fromBegin(
    reader: OutputReader,
    tried: TriedJob,
    { name, head, writer }: { name: JobFile; head: number; writer: OutputWriter },
  ): Promise<boolean> {
    let left = head;
    for (let from = 0; left > 0 && this.#context.io.isGone?.() !== true;) {
      const bytes = await readTried(reader, tried, name, { maxBytes: PIECE_BYTES, from });
      if (bytes === null) return from > 0;
      const { end, lines } = firstLinesEnd(bytes, left);
      await writer.take(bytes.subarray(0, end));
      left -= lines;
      from += bytes.length;
      if (bytes.length < PIECE_BYTES) break;
    }
    return true;
  }

  /** What comes from now on, after what is asked for of what is there. */
  async follow(store: Parameters<typeof followOutput>[1]["store"], jobs: readonly Job[]): Promise<void> {
    const { deps, io, lines } = this.#context;
    const writers = new Map<string, OutputWriter>();
    const interrupts = io.interrupts();
    const gone = new AbortController();
    const writerOf = (job: Job, file: JobFile): OutputWriter => {
      const key = `${job.name}/${file}`;
      const known = writers.get(key);
      if (known !== undefined) return known;
      const stream = this.#words.both ? (file === "error" ? "err| " : "out| ") : "";
      const writer = new OutputWriter(io, {
        isRaw: this.#isRaw,
        mark: this.#isOne ? stream : `${job.name}: ${stream}`,
      });
      writers.set(key, writer);
      return writer;
    };
    // One after the other, though several machines are read at once.
    let written: Promise<void> = Promise.resolve();
    const next = (write: () => void | Promise<void>): Promise<void> => written = written.then(write);
    const watch = {
      stop: AbortSignal.any([interrupts.stop, gone.signal]),
      onPart: async (job: Job, file: JobFile, bytes: Uint8Array) => {
        await next(() => writerOf(job, file).take(bytes));
        // Nobody reads any more.
        if (io.isGone?.() === true) gone.abort();
      },
      onAttempt: (job: Job) =>
        void next(async () => {
          for (const file of this.#files) await writers.get(`${job.name}/${file}`)?.end();
          lines.info(`Job ${job.name} is tried again (attempt ${job.attempt})`);
        }),
      onSilence: (machine: string, reason: string | null) =>
        lines.warning(
          reason === null ? `${machine} answers again` : `${machine} does not answer: ${reason}; trying again`,
        ),
    };
    try {
      const names = new Set<JobName>(jobs.map(({ name }) => name));
      const since = this.#words.all ? "begin" : this.#words.tail ?? 0;
      const over = await followOutput(deps, { store, names, files: this.#files, since }, watch, makeConnect(deps));
      await next(async () => {
        for (const writer of writers.values()) await writer.end();
      });
      this.#context.status = interrupts.stop.aborted ? INTERRUPTED : statusOf(over);
    } finally {
      interrupts.release();
    }
  }

  #absent(job: Job, file: JobFile): void {
    if (isWaiting(job.status) && job.attempt === 0) return this.#context.lines.info(`Job ${job.name} has not run yet.`);
    this.#context.lines.warning(
      new NotFoundError("job", job.name, `Job ${job.name} has no ${file} on its host`).message,
    );
    this.#context.status = 1;
  }

  #out(text: string): void {
    this.#context.io.out(text);
  }
}

/** The part of the first file that is there. */
async function readTried(
  reader: OutputReader,
  { job, endings }: TriedJob,
  name: JobFile,
  part: FilePart,
): Promise<Uint8Array | null> {
  for (const ending of endings) {
    const bytes = await reader.read(job, name, part, ending);
    if (bytes !== null) return bytes;
  }
  return null;
}

/** `job3 (pi@red01, end 1, 4m12s)`. */
function titleOf(job: Job): string {
  const machine = machineOfJob(job);
  const tookMs = durationMs(job);
  const state = job.status === "end" ? `end ${job.exit_code ?? "?"}` : job.status;
  const parts = [machine === null ? "" : machineText(machine), state, tookMs === null ? "" : renderDuration(tookMs)];
  return `${job.name} (${parts.filter((part) => part !== "").join(", ")})`;
}

/** One job: its own code. Several: 1 if one did not end well. */
function statusOf(jobs: readonly Job[]): number {
  const [first] = jobs;
  if (jobs.length === 1 && first !== undefined && first.status === "end") return first.exit_code ?? 1;
  return jobs.some((job) => isFailed(job) || isInFlight(job.status)) ? 1 : 0;
}
