/**
 * Sends files of jobs to one machine, over connections of its own: nothing else waits for them. Equal contents go once.
 * What comes while a copy is under way goes together in the next one; large contents go beside, so that jobs with small
 * files do not wait for them.
 *
 * @module
 */

import { machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import { Gate } from "./gate.ts";
import { PushError, rsync } from "./rsync.ts";
import {
  ChangedError,
  LARGE_BYTES,
  type SendJob,
  type SendPlace,
  type SendSession,
  type SessionResult,
} from "./send.ts";
import { SendLine, sendOnce } from "./send_line.ts";
import { SourceError, type SourceFile, type Sources, type Tree } from "./sources.ts";
import { CopyError } from "./stage.ts";
import type { FileSender, SendRequest } from "./transport.ts";

/** Ways that all machines share. */
export interface SendGates {
  readonly light: Gate;
  readonly heavy: Gate;
}

const JOBS_AT_ONCE = 100;
/** Sessions for one group of jobs while the one whose files are the cause of a failure is looked for. */
const MOST_SESSIONS = 32;
const TRIES = 3;
/** Before a connection that broke is tried again: longer in all than it takes the link to see that it is cut. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000] as const;
/** Jobs that come within this time go together. */
const GATHER_MS = 5;
const LARGE_AT_ONCE = 2;
/** So long a connection stays open for the next ones. */
const IDLE_MS = 10_000;

type Lane = "light" | "heavy";

/** Jobs that go together. */
interface Batch {
  readonly jobs: SendJob[];
  readonly failed: Map<JobName, Error>;
  /** What only this batch sends meanwhile. */
  readonly keys: Set<string>;
  hasBegun: boolean;
  readonly over: Promise<void>;
}

/** One machine's. */
export class Sender implements FileSender {
  readonly #deps: Deps;
  readonly #to: SendPlace;
  readonly #sources: Sources;
  readonly #gates: SendGates;
  /** Contents and directories that are there. */
  readonly #there = new Set<string>();
  readonly #batches = new Set<Batch>();
  readonly #lanes = { light: new Gate(1), heavy: new Gate(1) };
  readonly #pending: { light: Batch | null; heavy: Batch | null } = { light: null, heavy: null };
  readonly #largeLane = new Gate(LARGE_AT_ONCE);
  readonly #large = new Map<string, Promise<void>>();
  /** Connections that nobody uses, each with what ends its wait. */
  readonly #idle = new Map<Lane, { readonly line: SendLine; readonly wait: AbortController }>();
  #hasRsync = true;
  #isClosed = false;

  constructor(deps: Deps, to: SendPlace, sources: Sources, gates: SendGates) {
    this.#deps = deps;
    this.#to = to;
    this.#sources = sources;
    this.#gates = gates;
  }

  async send(request: SendRequest): Promise<string | null> {
    for (let tries = 1;; tries++) {
      try {
        const items = await Promise.all(
          request.paths.map(async ({ source, kept }) => ({ kept, tree: await this.#sources.tree(source) })),
        );
        await this.#send({ job: request.job, place: request.place, workdir: request.workdir, items });
        return null;
      } catch (error) {
        if (error instanceof ChangedError && tries < TRIES) continue;
        if (error instanceof LinkError) throw error;
        const isKnown = [ChangedError, CopyError, SourceError, PushError].some((kind) => error instanceof kind);
        if (!isKnown) throw error;
        return `cannot send files: ${(error as Error).message}`;
      }
    }
  }

  async forget(sources: Iterable<string>): Promise<void> {
    const contents = new Map<string, SourceFile>();
    const trees = new Map<string, Tree>();
    for (const source of sources) {
      const tree = await this.#sources.tree(source).catch((error) => {
        if (!(error instanceof SourceError)) throw error;
        return null; // It cannot be sent either.
      });
      for (const file of tree?.files ?? []) contents.set(file.key, file);
      if (tree?.isFile === false) trees.set(tree.key, tree);
    }
    try {
      await sendOnce(this.#deps, this.#to, { way: "forget", contents, trees: trees.values(), jobs: [] });
    } catch (error) {
      if (!(error instanceof CopyError)) throw error;
      throw new LinkError(machineText(this.#to.machine), error.message, true);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const idle = [...this.#idle.values()];
    this.#idle.clear();
    for (const { wait } of idle) wait.abort();
    await Promise.all(idle.map(({ line }) => line.close()));
  }

  async #send(job: SendJob): Promise<void> {
    const files = job.items.flatMap(({ tree }) => tree.files);
    const large = files.filter(({ key, bytes }) => bytes >= LARGE_BYTES && !this.#there.has(key));
    await Promise.all(large.map((file) => this.#sendLarge(file)));
    const keys = job.items.flatMap(({ tree }) => [...tree.files.map(({ key }) => key), tree.key]);
    for (;;) {
      const missing = keys.filter((key) => !this.#there.has(key));
      const others = [...this.#batches].filter(({ hasBegun, keys }) =>
        hasBegun && missing.some((key) => keys.has(key))
      );
      if (others.length === 0) return await this.#join(job, missing, files);
      await Promise.all(others.map(({ over }) => over));
    }
  }

  async #join(job: SendJob, missing: readonly string[], files: readonly SourceFile[]): Promise<void> {
    const lacks = new Set(missing);
    // What rsync has brought is there, and only not known to be whole.
    const isLeft = ({ key }: SourceFile): boolean => lacks.has(key) && !(this.#hasRsync && this.#large.has(key));
    const bytes = files.filter(isLeft).reduce((sum, file) => sum + file.bytes, 0);
    const lane: Lane = bytes >= LARGE_BYTES ? "heavy" : "light";
    let batch = this.#pending[lane];
    if (batch === null || batch.jobs.length >= JOBS_AT_ONCE) this.#pending[lane] = batch = this.#open(lane);
    batch.jobs.push(job);
    for (const key of missing) batch.keys.add(key);
    await batch.over;
    const error = batch.failed.get(job.job);
    if (error !== undefined) throw error;
  }

  #open(lane: Lane): Batch {
    const { clock } = this.#deps;
    const over = Promise.withResolvers<void>();
    const batch: Batch = { jobs: [], failed: new Map(), keys: new Set(), hasBegun: false, over: over.promise };
    this.#batches.add(batch);
    void this.#lanes[lane].pass(() =>
      this.#gates[lane].pass(async () => {
        await clock.sleepUntil(clock.now() + GATHER_MS);
        if (this.#pending[lane] === batch) this.#pending[lane] = null;
        batch.hasBegun = true;
        await this.#carryOut(batch, lane);
      })
    ).finally(() => {
      this.#batches.delete(batch);
      over.resolve();
    });
    return batch;
  }

  /** Sends a batch, in halves where it fails, until the job is alone whose files are the cause. Never rejects. */
  async #carryOut(batch: Batch, lane: Lane): Promise<void> {
    const parts: SendJob[][] = [batch.jobs];
    let sessions = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      sessions++;
      try {
        const failed = await this.#surely(part, lane);
        for (const [job, reason] of failed) batch.failed.set(job, new CopyError(reason));
      } catch (error) {
        const isJobs = error instanceof CopyError || error instanceof ChangedError;
        const half = Math.ceil(part.length / 2);
        if (isJobs && part.length > 1 && sessions < MOST_SESSIONS) parts.push(part.slice(0, half), part.slice(half));
        else for (const { job } of part) batch.failed.set(job, error as Error);
      }
    }
  }

  /** A session; made again where the connection broke, or what was there is gone. */
  async #surely(jobs: readonly SendJob[], lane: Lane): Promise<ReadonlyMap<JobName, string>> {
    for (let tries = 1;; tries++) {
      const known = this.#there.size;
      try {
        const failed = await this.#session(jobs, lane);
        if (failed.size === 0 || known === 0 || tries >= TRIES) return failed;
      } catch (error) {
        const isAgain = error instanceof CopyError && known > 0 && tries < TRIES;
        if (!isAgain) await this.#pause(error, tries);
      }
      this.#there.clear();
    }
  }

  async #session(jobs: readonly SendJob[], lane: Lane): Promise<ReadonlyMap<JobName, string>> {
    const contents = new Map<string, SourceFile>();
    const trees = new Map<string, Tree>();
    for (const { tree } of jobs.flatMap(({ items }) => items)) {
      if (this.#there.has(tree.key)) continue;
      if (!tree.isFile) trees.set(tree.key, tree);
      for (const file of tree.files) if (!this.#there.has(file.key)) contents.set(file.key, file);
    }
    const { failed, missing } = await this.#ask({ way: "send", contents, trees: trees.values(), jobs }, lane);
    const bytes = missing.reduce((sum, key) => sum + (contents.get(key)?.bytes ?? 0), 0);
    if (missing.length > 0) this.#to.onSent?.({ way: "tar", files: missing.length, bytes });
    for (const key of [...contents.keys(), ...trees.keys()]) this.#there.add(key);
    return failed;
  }

  /** A request over the connection of a lane, which has one at a time. */
  async #ask(session: SendSession, lane: Lane): Promise<SessionResult> {
    this.#mustBeOpen();
    const idle = this.#idle.get(lane);
    this.#idle.delete(lane);
    idle?.wait.abort();
    const line = idle?.line.isOpen === true ? idle.line : new SendLine(this.#deps, this.#to);
    try {
      return await line.carryOut(session);
    } finally {
      if (line.isOpen && !this.#isClosed) this.#keep(line, lane);
      else await line.close();
    }
  }

  /** Another link sends what this one has not begun. */
  #mustBeOpen(): void {
    if (this.#isClosed) throw new LinkError(machineText(this.#to.machine), "the link is closed", false);
  }

  #keep(line: SendLine, lane: Lane): void {
    const { clock } = this.#deps;
    const wait = new AbortController();
    this.#idle.set(lane, { line, wait });
    void clock.sleepUntil(clock.now() + IDLE_MS, wait.signal).then(() => {
      if (wait.signal.aborted) return;
      this.#idle.delete(lane);
      return line.close();
    });
  }

  /** A large content goes ahead by rsync, which sends what changed and goes on where it was cut off; else with its job.
   */
  #sendLarge(file: SourceFile): Promise<void> {
    const known = this.#large.get(file.key);
    if (known !== undefined) return known;
    const sent = this.#largeLane.pass(() => this.#gates.heavy.pass(() => this.#byRsync(file)));
    this.#large.set(file.key, sent);
    sent.catch(() => this.#large.delete(file.key));
    return sent;
  }

  async #byRsync(file: SourceFile): Promise<void> {
    const { directory, queueId, own, machine } = this.#to;
    const store = `.cms/${queueId}/${own}/sent/in/${file.key}`;
    const to = directory === "." ? store : `${directory}/${store}`;
    const contents = new Map([[file.key, file]]);
    for (let tries = 1; this.#hasRsync; tries++) {
      const ask = (way: "look" | "drop") => sendOnce(this.#deps, this.#to, { way, contents, trees: [], jobs: [] });
      try {
        const { missing } = await ask("look");
        if (missing.length === 0) return;
        this.#mustBeOpen();
        // All of it is compared: what is there may be of the same size and time.
        const said = await rsync(this.#deps, machine, ["-I", "-L", "-t", "--partial"], [file.source], to);
        if (said === null) this.#hasRsync = false;
        else this.#to.onSent?.({ way: "rsync", files: 1, bytes: file.bytes });
        return;
      } catch (error) {
        // The part of it that came would keep a full disk full.
        if (error instanceof PushError && !this.#isClosed) await ask("drop").catch(() => {});
        await this.#pause(error, tries);
      }
    }
  }

  /** Waits before what a broken connection was used for is tried again. @throws The error, if it is not. */
  async #pause(error: unknown, tries: number): Promise<void> {
    const pauseMs = PAUSES_MS[tries - 1];
    const isAgain = error instanceof LinkError && !error.lasting && pauseMs !== undefined;
    if (!isAgain || this.#isClosed) throw error;
    await this.#deps.clock.sleepUntil(this.#deps.clock.now() + pauseMs);
    this.#mustBeOpen();
  }
}
