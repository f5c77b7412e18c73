/**
 * Brings what jobs have written to the manager while a run goes on: as they end, in batches, over one connection to
 * each machine beside the run's own. Nothing of it holds up the run or makes it fail.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import { isLocal, type Machine, machineKey, machineOfJob, machineText } from "../../cluster/machine.ts";
import { LinkError } from "../../errors.ts";
import { attemptId } from "../../job/attempt.ts";
import type { Job } from "../../job/job.ts";
import { isInFlight, isWaiting } from "../../job/states.ts";
import type { Connect } from "../../link/link.ts";
import type { JobName } from "../../names/grammar.ts";
import { someNames } from "../../names/some_names.ts";
import { Collected, stampOfFile } from "../../store/collected.ts";
import type { QueueStore } from "../../store/store.ts";
import type { RunEvent } from "../../scheduler/report.ts";
import { JOB_FILES } from "../output_files.ts";
import { fetchFromMachine } from "../fetch_jobs.ts";
import { knownMachines } from "../on_machines.ts";
import { OutputReader, SilentError } from "../job_output.ts";
import { collectedName } from "./read_collected.ts";

/** Jobs of one machine whose files are read at once. */
const AT_ONCE = 16;
const PART_BYTES = 256 * 1024;
/** The same, where all of their files come. */
const FILES_AT_ONCE = 256;
/** Pauses before a machine that does not answer is asked again. */
const AGAIN_MS = [1_000, 30_000] as const;
/** After the run: how long may pass without a job that is collected. */
const REST_MS = 30_000;

interface Place {
  readonly shown: string;
  readonly waiting: Set<JobName>;
  isWorking: boolean;
}

/** The collector of one run. */
export class Collector {
  readonly #deps: Deps;
  readonly #store: Pick<QueueStore, "ref" | "id" | "jobs">;
  readonly #warn: (text: string) => void;
  readonly #collected: Collected;
  readonly #reader: OutputReader;
  readonly #what: "output" | "all";
  #machines: Promise<Map<string, Machine>> | null = null;
  readonly #places = new Map<string, Place>();
  readonly #stop = new AbortController();
  /** Told when a machine has nothing left. */
  #progress: (() => void) | null = null;

  private constructor(
    deps: Deps,
    store: Pick<QueueStore, "ref" | "id" | "jobs">,
    collected: Collected,
    { connect, warn, what }: { connect: Connect; warn: (text: string) => void; what: "output" | "all" },
  ) {
    this.#deps = deps;
    this.#what = what;
    this.#store = store;
    this.#warn = warn;
    this.#collected = collected;
    this.#reader = new OutputReader(deps, store, connect, { isRemoteOnly: true });
  }

  /** Begins with what earlier runs have left on hosts. */
  static async begin(
    deps: Deps,
    store: Pick<QueueStore, "ref" | "id" | "jobs">,
    options: { connect: Connect; warn: (text: string) => void; what: "output" | "all" },
  ): Promise<Collector> {
    const collector = new Collector(deps, store, await Collected.open(deps, store.ref), options);
    for (const job of store.jobs.values()) collector.#add(job);
    return collector;
  }

  /** Takes in an event of the run. */
  event(event: RunEvent): void {
    if (event.type !== "ended" && event.type !== "found") return;
    const job = this.#store.jobs.get(event.job);
    if (job !== undefined) this.#add(job);
  }

  /** Waits until all is here, `leave` aborts, or no more comes. */
  async finish(leave: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const end = () => this.#stop.abort("left");
    leave.addEventListener("abort", end, { once: true });
    if (leave.aborted) end();
    for (let count = this.#left(); count > 0 && !this.#stop.signal.aborted;) {
      const moved = new AbortController();
      this.#progress = () => moved.abort("moved");
      if (this.#left() === count) await clock.sleepUntil(clock.now() + REST_MS, AbortSignal.any([moved.signal, leave]));
      if (this.#left() === count) break;
      count = this.#left();
    }
    end();
    leave.removeEventListener("abort", end);
    for (const { shown, waiting } of this.#places.values()) {
      if (waiting.size > 0) {
        this.#warn(`Not collected from ${shown}: ${someNames([...waiting])}; the next run with --collect does`);
      }
    }
    await this.#reader.close();
  }

  #left(): number {
    return [...this.#places.values()].reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  #add(job: Job): void {
    const machine = machineOfJob(job);
    // On this machine it stands here already. What never started has written nothing.
    if (machine === null || isLocal(machine) || job.attempt === 0 || job.status === "fail_start") return;
    if (isWaiting(job.status) || isInFlight(job.status)) return;
    if (this.#collected.has(job.name, attemptId(job), this.#what)) return;
    const key = machineKey(machine);
    const place = this.#places.get(key) ?? { shown: machineText(machine), waiting: new Set(), isWorking: false };
    this.#places.set(key, place);
    place.waiting.add(job.name);
    if (!place.isWorking) void this.#work(place);
  }

  async #work(place: Place): Promise<void> {
    const { clock } = this.#deps;
    place.isWorking = true;
    let pauseMs: number = AGAIN_MS[0];
    while (place.waiting.size > 0 && !this.#stop.signal.aborted) {
      const failure = await this.#collectSome(place);
      this.#progress?.();
      if (failure === null) {
        pauseMs = AGAIN_MS[0];
        continue;
      }
      // A machine that is silent is asked again; what cannot be written here will not be better a moment later.
      if (!(failure instanceof SilentError)) {
        this.#warn(`Cannot collect from ${place.shown}: ${(failure as Error).message}`);
        place.waiting.clear();
        break;
      }
      await clock.sleepUntil(clock.now() + pauseMs, this.#stop.signal);
      pauseMs = Math.min(AGAIN_MS[1], pauseMs * 2);
    }
    place.isWorking = false;
  }

  /** Takes from those that wait what was collected. @returns What went wrong; null if nothing did. */
  async #collectSome(place: Place): Promise<unknown> {
    const most = this.#what === "all" ? FILES_AT_ONCE : AT_ONCE;
    const batch = [...place.waiting].slice(0, most);
    const here: JobName[] = [];
    let failure: unknown = null;
    for (let at = 0; at < batch.length && failure === null; at += AT_ONCE) {
      const some = batch.slice(at, at + AT_ONCE);
      const results = await Promise.allSettled(some.map((name) => this.#collect(name)));
      for (const [i, result] of results.entries()) {
        if (result.status === "fulfilled") here.push(some[i]!);
        else failure ??= result.reason;
      }
    }
    try {
      if (this.#what === "all") await this.#fetchAll(here);
      for (const name of here) place.waiting.delete(name);
    } catch (error) {
      failure = error instanceof LinkError ? new SilentError(error.reason, { cause: error }) : error;
    }
    return failure;
  }

  /** All other files of some jobs of one machine, over one session. */
  async #fetchAll(names: readonly JobName[]): Promise<void> {
    const { ref, jobs: all } = this.#store;
    const jobs = names.flatMap((name) => all.get(name) ?? [])
      .filter(({ status }) => !isWaiting(status) && !isInFlight(status));
    const machine = jobs[0] === undefined ? null : machineOfJob(jobs[0]);
    if (machine === null) return;
    this.#machines ??= knownMachines(this.#deps, ref.directory);
    const own = (await this.#machines).get(machineKey(machine)) ?? machine;
    const request = { queue: ref, patterns: [], to: null, layout: "job", maxBytes: null, force: false } as const;
    const what = { ...request, isDry: false, isOutputElsewhere: true };
    await fetchFromMachine(this.#deps, what, { machine: own, jobs }, { warn: this.#warn });
    for (const job of jobs) if (this.#collected.has(job.name, attemptId(job))) await this.#collected.noteAll(job.name);
  }

  /** The files of one job. One that was reset meanwhile has none any more. */
  async #collect(name: JobName): Promise<void> {
    const job = this.#store.jobs.get(name);
    if (job === undefined || isWaiting(job.status) || isInFlight(job.status)) return;
    if (this.#collected.has(name, attemptId(job))) return;
    const { ref, id } = this.#store;
    const names = JOB_FILES.map((file) => collectedName(job.name, file));
    const directory = await this.#collected.directoryFor(name, id, names);
    await this.#deps.files.makeDirectory(`${ref.directory}/${directory}`);
    const stamps: Record<string, ReturnType<typeof stampOfFile>> = {};
    for (const file of JOB_FILES) {
      const own = collectedName(name, file);
      const path = `${ref.directory}/${directory}/${own}`;
      let from = 0;
      for (;;) {
        const bytes = await this.#reader.read(job, file, { maxBytes: PART_BYTES, from });
        if (bytes === null) break;
        await this.#write(path, bytes, from);
        from += bytes.length;
        if (bytes.length < PART_BYTES) break;
      }
      const stamp = await this.#deps.files.stamp(path);
      if (stamp !== null) stamps[own] = stampOfFile(stamp);
    }
    await this.#collected.note({ job: name, attempt: attemptId(job), directory, files: stamps });
  }

  async #write(path: string, bytes: Uint8Array, from: number): Promise<void> {
    const file = await this.#deps.files.openAppend(path, { create: true });
    try {
      if (from === 0) await file?.truncate(0);
      await file?.append(bytes);
    } finally {
      file?.close();
    }
  }
}
