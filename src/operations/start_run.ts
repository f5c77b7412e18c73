/**
 * Starts `cms queue run` as a process of its own, in the background: it belongs to the queue and outlives whoever
 * started it. Its output goes to `.NAME-queue.log` beside the queue.
 *
 * @module
 */

import type { Child, Deps } from "../deps.ts";
import { CmsError, InvalidError } from "../errors.ts";
import { readClusters } from "../store/cluster_file.ts";
import { storeError } from "../store/file_errors.ts";
import { storePaths } from "../store/paths.ts";
import { openQueue } from "../store/queue_file.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { noFreeHosts } from "./no_free_hosts.ts";
import { runsAlready } from "./process_state.ts";
import { readRefusal } from "./refusal.ts";

/** What to run in the background. */
export type StartRunRequest =
  | {
    readonly queue: StoreRef;
    readonly scheduler: "fifo";
    /** Jobs at once in all; a whole number from 1. */
    readonly maxParallel: number;
    /** A machine silent for so long is given up. */
    readonly timeoutMs: number;
    /** Further options of the run, as words. */
    readonly options?: readonly string[];
  }
  | {
    readonly queue: StoreRef;
    readonly scheduler: "fifo_multi";
    /** A cluster of the same experiment, or several, whose active hosts are used; null for none. */
    readonly cluster: StoreRef | null;
    /** Hosts as `--hosts` takes them. */
    readonly hosts?: string | undefined;
    readonly timeoutMs: number;
    readonly options?: readonly string[];
  };

/** How long the process may take to begin. A first start of the executable unpacks it. */
const BEGIN_LIMIT_MS = 30_000;
/** How long a command that holds the queue for a moment is waited for. */
const COMMAND_LIMIT_MS = 5_000;
const LOOK_MS = 20;
/** More than what is left of a disk that is full. */
const DISK_BYTES = 16 * 1024;
/** A log that has grown beyond the first number keeps its last part, at the next start. */
const LOG_BYTES = { most: 1024 * 1024, kept: 64 * 1024 } as const;

/**
 * The process is not a child of ours but of this shell. The shell ends as soon as the start has been seen, so that no
 * parent has to wait for the process. The service's credentials are not for the jobs.
 */
const BEHIND = 'log=$1; shift; unset CMS_USER CMS_PASSWORD; "$@" </dev/null >>"$log" 2>&1 & echo "pid $!"; ' +
  'wait "$!"; echo "ended $?"';

/**
 * Starts a run and returns when it has taken the queue, or has ended already.
 * @returns The pid of its process, and its log as messages name it.
 * @throws {CmsError} `not_found` if there is no such queue or cluster; `conflict` if the queue is run already;
 * `invalid` if no host may get jobs; `store` if the process does not start. Nothing runs then.
 */
export async function startRun(deps: Deps, request: StartRunRequest): Promise<{ pid: number; log: string }> {
  const { environment } = deps;
  if (environment.self === undefined) throw new RangeError("Cannot start a run: the program does not know itself");
  const store = await openQueue(deps, request.queue);
  try {
    await refuse(deps, request, store);
    const { log, shown, shownLog, refusal } = storePaths(request.queue, "queue");
    const from = await shortenLog(deps, log).catch((error) => Promise.reject(storeError(shown, "run", error)));
    await deps.files.remove(refusal);
    const words = [...runWords(request), `--refusal=${refusal}`];
    const odd = words.find((word) => word.includes("\0"));
    if (odd !== undefined) throw new InvalidError([`Cannot run: ${odd.replace(/=.*/s, "")} has a NUL character`]);
    const command = ["sh", "-c", BEHIND, "sh", log, ...environment.self, ...words];
    const shell = deps.processes.spawn(command, { cwd: environment.cwd() });
    void shell.stdin.close().catch(() => {});
    void shell.stderr.cancel().catch(() => {});
    const said = new ShellOutput(shell);
    try {
      const pid = await begun(deps, { store, said, log, from, refusal, shown, queue: request.queue.name });
      return { pid, log: shownLog };
    } finally {
      await deps.files.remove(refusal).catch(() => false);
      // Ends the shell alone: the process goes on without it.
      shell.kill("SIGKILL");
    }
  } finally {
    store.close();
  }
}

function runWords(request: StartRunRequest): string[] {
  const { name, experiment } = request.queue;
  const how = request.scheduler === "fifo" ? [`--max_parallel=${request.maxParallel}`] : [
    ...request.cluster === null ? [] : [`--hostfile=${request.cluster.name}`],
    ...request.hosts === undefined ? [] : [`--hosts=${request.hosts}`],
  ];
  const common = [`--queue=${name}`, `--experiment=${experiment}`, `--timeout=${request.timeoutMs / 1000}s`];
  return ["queue", "run", request.scheduler, ...common, ...how, ...request.options ?? []];
}

/** What the process would refuse as well, said at once and in better words. */
async function refuse(deps: Deps, request: StartRunRequest, store: QueueStore): Promise<void> {
  const limitAtMs = deps.clock.now() + COMMAND_LIMIT_MS;
  let runner = await store.runner();
  while (runner !== null && runner.about === undefined && deps.clock.now() < limitAtMs) {
    await deps.clock.sleepUntil(deps.clock.now() + LOOK_MS);
    runner = await store.runner();
  }
  if (runner !== null) throw await runsAlready(deps, "run", request.queue, runner);
  if (request.scheduler === "fifo" || request.cluster === null || request.hosts !== undefined) return;
  const hosts = await readClusters(deps, request.cluster);
  if (![...hosts.values()].some((host) => host.status === "active" && host.max_jobs_allowed > 0)) {
    throw new CmsError("invalid", await noFreeHosts(deps, request.cluster));
  }
}

/** Makes the log, or cuts away all but its last part. @returns Its size. */
async function shortenLog(deps: Deps, path: string): Promise<number> {
  const file = await deps.files.openAppend(path, { create: true });
  if (file === null) return 0;
  try {
    const size = await file.size();
    if (size <= LOG_BYTES.most) return size;
    const text = new TextDecoder().decode(await file.readFrom(size - LOG_BYTES.kept));
    const kept = text.slice(text.indexOf("\n") + 1);
    await deps.files.replace(path, kept);
    return new TextEncoder().encode(kept).length;
  } finally {
    file.close();
  }
}

/** What the shell says: the pid, and the end if that comes while it is there. */
class ShellOutput {
  pid = 0;
  /** Exit status of the process; null while it runs. */
  ended: number | null = null;
  /** True when nothing more will be said. */
  isOver = false;

  constructor(shell: Child) {
    void this.#read(shell);
  }

  async #read(shell: Child): Promise<void> {
    let text = "";
    try {
      for await (
        const part of shell.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
      ) {
        text += part;
        this.pid = Number(/^pid ([0-9]+)\n/.exec(text)?.[1] ?? 0);
        const end = /^ended ([0-9]+)\n/m.exec(text);
        if (end !== null) this.ended = Number(end[1]);
      }
    } catch {
      // It was ended: what it said is all.
    }
    this.isOver = true;
  }
}

interface Beginning {
  readonly store: QueueStore;
  readonly said: ShellOutput;
  readonly log: string;
  /** Where its lines begin. */
  readonly from: number;
  /** The file in which the process says why it does not begin. */
  readonly refusal: string;
  /** The queue's file, as messages name it. */
  readonly shown: string;
  readonly queue: string;
}

/** Waits until the process holds the queue, or has ended. */
async function begun(deps: Deps, { store, said, log, from, refusal, shown, queue }: Beginning): Promise<number> {
  const limitAtMs = deps.clock.now() + BEGIN_LIMIT_MS;
  while (deps.clock.now() < limitAtMs) {
    // The launcher becomes the program, and `deno run` is it: the pid is the run's own.
    const runner = await store.runner();
    if (said.pid !== 0 && runner?.about !== undefined && runner.pid === said.pid) return said.pid;
    if (said.ended !== null || said.isOver) break;
    await deps.clock.sleepUntil(deps.clock.now() + LOOK_MS);
  }
  // 0 and 1: it has run to its end, with every job well or not.
  if (said.pid !== 0 && (said.ended === null ? !said.isOver : said.ended <= 1)) {
    const last = await store.lastRun();
    if (said.ended === null || last?.pid === said.pid) return said.pid;
  }
  const refused = await readRefusal(deps, refusal);
  if (refused !== null) throw refused;
  const line = await lastLine(deps, log, from);
  if (line === "") await checkDisk(deps, refusal, shown);
  throw new CmsError("store", `Cannot run queue ${queue}: its process ended at once${line === "" ? "" : `: ${line}`}`);
}

/** On a full disk the process can write nowhere why it ended. @throws {StoreError} If that is why. */
async function checkDisk(deps: Deps, refusal: string, shown: string): Promise<void> {
  try {
    await deps.files.replace(refusal, " ".repeat(DISK_BYTES));
  } catch (error) {
    throw storeError(shown, "run", error);
  }
}

/** The last line of the log from an offset on: what a shell says, say, that finds no program. */
async function lastLine(deps: Deps, log: string, from: number): Promise<string> {
  const file = await deps.files.openAppend(log, { create: false });
  try {
    const text = new TextDecoder().decode(await file?.readFrom(from) ?? new Uint8Array());
    return text.trimEnd().split("\n").at(-1) ?? "";
  } finally {
    file?.close();
  }
}
