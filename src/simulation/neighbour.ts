/**
 * A second queue of the same experiment, whose jobs have the names of those of the first, on the same hosts at the same
 * time: with runs and people of its own. What its agents do to what others made, and the other way round, is watched by
 * `truth.ts`.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { addJobsOfSpecs } from "../operations/add_jobs.ts";
import { createQueue } from "../operations/create_queue.ts";
import { deleteJobs } from "../operations/delete_jobs.ts";
import { killJobs } from "../operations/kill_jobs.ts";
import { resetJobs } from "../operations/reset_jobs.ts";
import { jobsNamed } from "../operations/select_jobs.ts";
import { runQueue } from "../operations/run_queue.ts";
import { openQueue } from "../store/queue_file.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { Random } from "./random.ts";
import { drawCommand } from "./draw_scenario.ts";
import type { Stage } from "./stage.ts";

/** Pause before the next run. */
const AGAIN_MS = 2_000;

/** The second queue of a world. */
export class Neighbour {
  readonly #stage: Stage;
  readonly #ref: StoreRef;
  #commands = 0;
  /** How many commands there were in all. */
  #deeds = 0;
  #isRunning = false;
  /** False until the queue has its jobs: whoever makes it may be killed, or find the disk full. */
  #isMade = false;
  /** The last run has seen all that was done before it began. */
  #isDone = false;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#ref = { ...stage.world.queue, name: "n" };
  }

  /** Nothing of it goes on, and all its jobs have been run. */
  get isDone(): boolean {
    return this.#isDone && !this.#isRunning && this.#commands === 0;
  }

  /** Makes the queue and begins to run it. */
  begin(): void {
    const jobs = this.#stage.world.scenario.neighbour!.map(({ name, command }) => ({ name, spec: { command } }));
    this.#command("neighbour adds", async (deps) => {
      await createQueue(deps, { queue: this.#ref });
      await addJobsOfSpecs(deps, { queue: this.#ref, jobs });
      this.#isMade = true;
    });
    this.#runSoon();
  }

  /** Somebody does something to it. */
  act(dice: readonly number[]): void {
    const random = new Random(Math.floor((dice[0] ?? 0) * 2 ** 32));
    const queue = this.#ref;
    const all = this.#stage.world.scenario.neighbour!.map(({ name }) => name);
    const names = [...new Set(Array.from({ length: 1 + random.below(4) }, () => random.pick(all)))];
    const watch = { warn: (text: string) => this.#stage.world.trace("neighbour is warned:", text) };
    switch (random.below(4)) {
      case 0:
        return this.#command(
          "neighbour resets",
          (deps) => resetJobs(deps, { queue, selection: jobsNamed(names) }, watch),
        );
      case 1:
        return this.#command(
          "neighbour deletes",
          (deps) => deleteJobs(deps, { queue, selection: jobsNamed(names), force: true }, watch),
        );
      case 2:
        return this.#command("neighbour kills", (deps) => killJobs(deps, { queue, names }, watch));
      default: {
        const jobs = names.map((name) => ({ name, spec: { command: drawCommand(random, 500) } }));
        return this.#command("neighbour adds", (deps) => addJobsOfSpecs(deps, { queue, jobs }));
      }
    }
  }

  /** At the end of time: its jobs have ended, and as their states say. */
  async check(): Promise<void> {
    const { world } = this.#stage;
    let isRead = false;
    world.command("neighbour looks", async (deps) => {
      const store = await this.#open(deps, this.#ref);
      for (const job of store.jobs.values()) {
        const last = world.truth.attemptsOf(job.id).find(({ number }) => number === job.attempt);
        const isWrong = job.status === "end" && last?.how !== "exit";
        if (isWrong || isWaiting(job.status)) world.truth.fail(`job ${job.name} of the neighbour is ${job.status}`);
        const isAway = last?.host?.isUp !== true || !last.host.isReachable;
        if (isInFlight(job.status) && !isAway) world.truth.fail(`job ${job.name} of the neighbour is ${job.status}`);
      }
      store.close();
    }, () => isRead = true);
    await world.runUntil(() => isRead, { untilMs: Infinity, what: "the neighbour does not look" });
  }

  /** Whoever opens the queue: it is known to the truth from now on. */
  async #open(deps: Deps, ref: StoreRef): Promise<QueueStore> {
    const store = await openQueue(deps, ref);
    this.#stage.world.truth.neighbours.add(store);
    return store;
  }

  #command(name: string, act: (deps: Deps) => Promise<unknown>): void {
    this.#isDone = false;
    this.#commands++;
    this.#deeds++;
    const end = (): void => {
      this.#commands--;
      this.#isDone = false;
      this.#runSoon();
    };
    this.#stage.world.command(name, act, end).onKilled = end;
  }

  #runSoon(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#stage.world.timeline.after(AGAIN_MS, () => this.#run());
  }

  #run(): void {
    const { world } = this.#stage;
    if (!this.#isMade && this.#commands === 0) this.begin();
    const { timeoutMs } = world.scenario;
    const request = {
      queue: this.#ref,
      scheduler: "fifo_multi",
      hosts: [],
      cluster: world.cluster,
      timeoutMs,
    } as const;
    const watch = { stop: new AbortController().signal, leave: new AbortController().signal, onEvent: () => {} };
    const end = (): void => {
      this.#isRunning = false;
      if (!this.#isDone) this.#runSoon();
    };
    // Within a run each job is considered once.
    const deeds = this.#commands === 0 ? this.#deeds : -1;
    world.command("neighbour runs", async (deps) => {
      const { outcome } = await runQueue(deps, request, watch, undefined, (itsDeps, ref) => this.#open(itsDeps, ref));
      this.#isDone = outcome === "done" && deeds === this.#deeds && this.#stage.isCalm;
    }, end).onKilled = end;
  }
}
