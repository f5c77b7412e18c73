/**
 * The course of a world: the queue and the cluster are made, runs are started and started again, trouble comes as
 * planned, then calm; in the end all must be done, and true.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { parseMachine } from "../cluster/machine.ts";
import { addHostsOfSpecs } from "../operations/add_hosts.ts";
import { chunks } from "../link/requests.ts";
import { EXPAND_LIMIT } from "../names/expand.ts";
import { addJobsOfSpecs } from "../operations/add_jobs.ts";
import { createCluster } from "../operations/create_cluster.ts";
import { createQueue } from "../operations/create_queue.ts";
import { refreshQueue } from "../operations/refresh_queue.ts";
import { Notices } from "../operations/notices/notices.ts";
import { runQueue, type RunRequest } from "../operations/run_queue.ts";
import { setHostFields } from "../operations/set_host_field.ts";
import type { RunResult } from "../scheduler/report.ts";
import { openQueue } from "../store/queue_file.ts";
import { checkCompleted, checkEnd, checkNoneWaits } from "./end_checks.ts";
import { applyFault } from "./faults.ts";
import { letStrangersIn } from "./gpus.ts";
import type { SimProcess } from "./process.ts";
import { Neighbour } from "./neighbour.ts";
import { endPause, openHosts } from "./people.ts";
import type { JobPlan } from "./scenario.ts";
import { MOST_RETRIES, released, wishesAmong } from "./wishes.ts";
import type { World } from "./world.ts";
import type { Run, Stage } from "./stage.ts";
import { LIMIT_GRACE_MS } from "./truth.ts";
import { workOf } from "./wrapper.ts";

/** Time that a world may take after its trouble, besides the work of its jobs. */
const CALM_MS = 900_000;
/** How long a name leads to one of its machines when all is calm. */
const ALTERNATE_MS = 60_000;
/** An attempt to connect, and the pause after it. */
const CONNECT_MS = 11_000;

/** What goes on in a world. */
export class Course implements Stage {
  readonly world: World;
  /** Runs that go on, in order of their starts; more than one only where a lock is broken. */
  readonly runs: Run[] = [];
  isCalm = false;
  readonly #calmed = new AbortController();
  readonly calm = this.#calmed.signal;
  lastResult: RunResult | null = null;
  /** When each run that has ended began and ended, epoch ms. */
  readonly spans: { readonly beganMs: number; readonly endedMs: number }[] = [];
  /** Numbers for new names. */
  added = 0;
  /** Names whose deletion somebody asked for. */
  readonly deleted: string[] = [];
  readonly neighbour: Neighbour | null;
  #isRestarting = false;
  #commands = 0;
  /** Since when nobody does anything but the run. */
  #quietSinceMs = 0;

  constructor(world: World) {
    this.world = world;
    this.neighbour = world.scenario.neighbour === undefined ? null : new Neighbour(this);
  }

  /** Plays the whole. Afterwards `world.truth.violation` says whether all is well. */
  async play(): Promise<void> {
    const { world } = this;
    const { scenario, timeline, truth } = world;
    await this.#setUp();
    const beginMs = timeline.nowMs;
    for (const fault of scenario.faults) timeline.at(beginMs + fault.atMs, () => applyFault(this, fault));
    letStrangersIn(world, beginMs);
    this.startRun();
    this.neighbour?.begin();
    let isOver = false;
    timeline.at(beginMs + scenario.troubleMs, () => isOver = true);
    await world.runUntil(() => isOver, { untilMs: Infinity, what: "trouble is not over" });
    if (truth.violation !== null) return;
    this.#calm();
    // Twice, as jobs may be reset. `fifo` tries to connect anew for jobs of a host that stays away.
    const tries = scenario.jobs.some(({ wishes }) => wishes !== undefined) ? 2 * (1 + MOST_RETRIES) : 2;
    const triesMs = scenario.scheduler === "fifo" ? tries * CONNECT_MS * scenario.jobs.length : 0;
    const workMs = triesMs + tries * scenario.jobs.reduce((sum, { command }) => sum + (workOf(command)?.ms ?? 0), 0);
    const untilDone = async (): Promise<void> => {
      this.lastResult = null;
      const limits = { untilMs: timeline.nowMs + CALM_MS + workMs, what: "the run has not ended" };
      await world.runUntil(() => this.#isAllDone(), limits);
    };
    await untilDone();
    if (truth.violation !== null) return;
    await checkNoneWaits(this.world, this.lastResult);
    // What became of jobs that were given up is for the hosts to say; one that runs after all is followed by the next
    // run.
    await this.#refresh();
    if (truth.violation === null) await untilDone();
    await checkEnd(this.world);
    if (truth.violation === null) await this.neighbour?.check();
  }

  /** A command of a person, beside what runs. */
  command(name: string, act: (deps: Deps, process: SimProcess) => Promise<unknown>, onDone = () => {}): SimProcess {
    this.#commands++;
    const end = () => {
      this.#commands--;
      this.#quietSinceMs = this.world.timeline.nowMs;
      this.lastResult = null;
      onDone();
    };
    const process = this.world.command(name, act, end);
    process.onKilled = end;
    return process;
  }

  /** Starts a run, as a person does who sees that none goes on. */
  startRun(): void {
    const { world } = this;
    const stop = new AbortController();
    const leave = new AbortController();
    const run: { process: SimProcess | null } = { process: null };
    const beganMs = world.timeline.nowMs;
    const ended = (): void => {
      this.spans.push({ beganMs, endedMs: world.timeline.nowMs });
      const at = this.runs.findIndex(({ process }) => process === run.process);
      if (at >= 0) this.runs.splice(at, 1);
      if (this.runs.length === 0) this.#restartSoon();
    };
    const process = world.command("run", async (deps, self) => {
      const telling = world.told.begins(self);
      const own = telling === null ? deps : { ...deps, post: telling.post };
      const warn = (text: string): void => world.trace(self.name, "warns:", text);
      const notices = telling === null ? undefined : new Notices(own, world.queue, telling.wishes, warn);
      const result = await runQueue(
        own,
        { ...this.request(), notices },
        {
          stop: stop.signal,
          leave: leave.signal,
          onEvent: (event) => {
            world.told.begun(self);
            if (event.type === "warning") world.trace(self.name, "warns:", event.text);
            if (event.type === "same_machine") {
              world.routes.of(event.machine)?.heard.join(self, event.machine, event.as);
            }
            if (event.type === "machine_up" || event.type === "machine_down") {
              world.trace(self.name, event.type, event.machine, "reason" in event ? event.reason : "");
            }
          },
        },
        undefined,
        async (itsDeps, ref) => {
          const store = await openQueue(itsDeps, ref);
          world.stores.set(self, store);
          return world.options.makeStore?.(store) ?? store;
        },
      );
      checkCompleted(this.world, result);
      // One that was already ending when somebody did the last thing has not seen it.
      if (beganMs >= this.#quietSinceMs) this.lastResult = result;
      if (notices !== undefined) {
        world.stores.delete(self);
        await notices.finish(result, 0, leave.signal);
        world.told.finished(self, world.timeline.nowMs);
      }
      return `${result.outcome}: ${result.completed.length} completed, ${result.failed.length} failed, ${result.waiting} wait`;
    }, ended);
    run.process = process;
    process.onKilled = () => {
      world.told.killed(process);
      ended();
    };
    this.runs.push({ process, stop });
  }

  request(): RunRequest {
    const { scenario, queue, cluster } = this.world;
    const { scheduler, maxParallel, timeoutMs } = scenario;
    return scheduler === "fifo"
      ? { queue, scheduler, maxParallel, timeoutMs }
      : { queue, scheduler, hosts: [], cluster, timeoutMs };
  }

  /** Specs of jobs as `queue add` takes them. */
  specsOf(jobs: readonly JobPlan[]): ReturnType<Stage["specsOf"]> {
    const { hosts, scheduler } = this.world.scenario;
    const names = new Set(jobs.map(({ name }) => name));
    return jobs.map(({ name, command, host, wishes }) => {
      const limitMs = workOf(command)?.limitMs ?? null;
      const limited = limitMs === null ? {} : { time_limit: `${limitMs / 1000}s`, grace: `${LIMIT_GRACE_MS / 1000}s` };
      const sends = this.world.scenario.sends?.includes(name) === true;
      const sending = sends ? { send: ["data/./shared", `data/./own-${name}`] } : {};
      const spec = { command, ...limited, ...sending, ...wishesAmong(wishes, names) };
      if (scheduler !== "fifo") return { name, spec };
      const { key, alias } = hosts[host % hosts.length]!;
      const { user, name: machine } = parseMachine(alias !== undefined && name.endsWith("3") ? alias : key);
      return { name, spec: { ...spec, user: user === "" ? "me" : user, host: machine } };
    });
  }

  async #setUp(): Promise<void> {
    const { world } = this;
    const { queue, cluster, scenario } = world;
    let isDone = false;
    world.command("setup", async (deps) => {
      await createQueue(deps, { queue });
      await createCluster(deps, { cluster });
      const entries = scenario.hosts.flatMap(({ key, alias = key, isIdleOnly = false, entries }) =>
        entries.map((entry) => ({ ...entry, isIdleOnly, machine: parseMachine(entry.isAlias ? alias : key) }))
      );
      await addHostsOfSpecs(deps, {
        cluster,
        hosts: entries.map(({ id, machine, gpu, gpus, cpus, capacity, isIdleOnly }) => ({
          cluster,
          id,
          spec: {
            name: machine.name,
            user: machine.user === "" ? "me" : machine.user,
            gpu,
            ...(gpus === undefined || gpus === 0
              ? {}
              : { gpus: `0-${gpus - 1}`, max_jobs_allowed: capacity, gpu_idle: isIdleOnly }),
            ...(cpus === undefined || cpus === 0 ? {} : { cpus }),
          },
        })),
      });
      for (const [capacity, some] of Map.groupBy(entries, (entry) => entry.capacity)) {
        const id = some.map((entry) => entry.id).join(",");
        if (capacity !== 1) await setHostFields(deps, { cluster, id, fields: { max_jobs_allowed: String(capacity) } });
      }
      await world.makeSent();
      for (const jobs of chunks(scenario.jobs, EXPAND_LIMIT)) {
        await addJobsOfSpecs(deps, { queue, jobs: this.specsOf(jobs) });
      }
    }, () => isDone = true);
    await world.runUntil(() => isDone, { untilMs: Infinity, what: "the queue is not made" });
    await world.makeInputs();
  }

  #restartSoon(): void {
    const { timeline, random } = this.world;
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    timeline.after(random.logBetween(20, this.isCalm ? 1_000 : 20_000), () => {
      this.#isRestarting = false;
      if (this.runs.length === 0 && (!this.isCalm || this.lastResult === null)) this.startRun();
    });
  }

  /** Trouble is over: everything works again, but for some hosts that stay away. */
  #calm(): void {
    const { world } = this;
    world.trace("calm");
    this.isCalm = true;
    this.#calmed.abort();
    this.lastResult = null;
    this.#quietSinceMs = world.timeline.nowMs;
    world.manager.setFull(false);
    for (const { process } of this.runs) process.setStopped(false);
    const hosts = [...world.hosts.values()];
    for (const [i, host] of hosts.entries()) {
      // What was sent to a machine that a name leads to no more keeps its slots until it is heard of: it comes back.
      const mayStay = i > 0 && !(host.isUp && host.isReachable) && world.random.chance(0.2);
      const stays = mayStay && !world.rerouted.includes(host.name);
      host.isFull = false;
      host.isRefusing = false;
      host.wrapperDiesIn = Infinity;
      if (stays) continue;
      host.powerOn();
      host.setReachable(true);
    }
    // All of them: a command that was to do it may have failed.
    const { ids } = world.capacities;
    for (const id of ids) world.capacities.set(id, { isActive: true });
    openHosts(this, ids);
    if (world.stillTimes.isPaused) endPause(this);
    for (const name of world.rerouted) this.#alternate(name);
    if (this.runs.length === 0) this.#restartSoon();
  }

  /** A name that leads to several machines leads to each of them now and then. */
  #alternate(name: string): void {
    const { world } = this;
    world.timeline.after(ALTERNATE_MS, () => {
      world.reroute(name, true);
      this.#alternate(name);
    });
  }

  #isAllDone(): boolean {
    if (this.#commands > 0 || this.runs.length > 0 || this.world.files.isTorn) return false;
    this.#release();
    if (this.lastResult === null || this.lastResult.outcome !== "done") {
      this.lastResult = null;
      this.#restartSoon();
      return false;
    }
    return this.neighbour?.isDone ?? true;
  }

  /** Nothing is held any more. */
  #release(): void {
    const { world } = this;
    const { faults, jobs } = world.scenario;
    // To look through a large file takes long, and nobody was there to hold anything.
    if (faults.length === 0 && jobs.every(({ wishes }) => wishes === undefined)) return;
    const text = world.manager.disk.textNow(world.files.yamlPath) ?? "";
    if (released(text) === text) return;
    world.editorSaved(released(text));
    this.lastResult = null;
  }

  async #refresh(): Promise<void> {
    const { world } = this;
    let isDone = false;
    world.command("refresh", async (deps) => {
      await refreshQueue(deps, { queue: world.queue }, { warn: () => {} });
    }, () => isDone = true);
    const limits = { untilMs: world.timeline.nowMs + CALM_MS, what: "refresh has not ended" };
    await world.runUntil(() => isDone, limits);
  }
}
