/**
 * `queue run`: runs a queue to its end with one of the schedulers.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import type { Machine } from "../cluster/machine.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import type { PushReport } from "../link/push.ts";
import { storePaths } from "../store/paths.ts";
import { type RunEnd, RunHistory } from "../store/run_history.ts";
import { openQueue } from "../store/queue_file.ts";
import { readPause } from "../store/queue_pause.ts";
import { clustersOf, readClusters } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";
import { Core } from "../scheduler/core.ts";
import type { Halt } from "../scheduler/halt.ts";
import { fifo, fifoMulti } from "../scheduler/policies.ts";
import type { RunEvent, RunResult } from "../scheduler/report.ts";
import { runLoop } from "../scheduler/run.ts";
import type { RunWatch } from "../scheduler/run_parts.ts";
import { UnknownFieldWatch } from "./entry_warnings.ts";
import { noFreeHosts } from "./no_free_hosts.ts";
import { Collector } from "./collect/collector.ts";
import type { Notices } from "./notices/notices.ts";
import { pushedPaths, pushFirst } from "./push_files.ts";
import { runsAlready } from "./process_state.ts";
import { capacitiesOf, RunHosts, slotsOf } from "./run_hosts.ts";
import { RunTeller } from "./tell_run.ts";
import { whoIsHere } from "./who.ts";

/** What to run, and where. */
export type RunRequest =
  | {
    readonly queue: StoreRef;
    readonly scheduler: "fifo";
    /** Jobs at once in all; a whole number from 1. */
    readonly maxParallel: number;
    /** A machine silent for this long is given up. */
    readonly timeoutMs: number;
    readonly halt?: Halt | undefined;
    /** Tells of its jobs; whoever made them tells of the end. */
    readonly notices?: Notices | undefined;
    /** Whether what jobs have written comes to the manager as they end. */
    readonly collect?: "output" | "all" | undefined;
    /** Files that each machine gets before its first job. */
    readonly push?: readonly string[] | undefined;
    /** Is told of them, machine by machine. */
    readonly onPushed?: ((machine: Machine, report: PushReport) => void) | undefined;
    /** Time limit of jobs without one, such as `30m`. */
    readonly timeLimit?: string | undefined;
  }
  | {
    readonly queue: StoreRef;
    readonly scheduler: "fifo_multi";
    /** Each entry gives one slot; the same machine may stand here several times. */
    readonly hosts: readonly Machine[];
    /** A cluster, or several, whose active hosts give slots after those; followed while the run goes on. */
    readonly cluster: StoreRef | null;
    readonly timeoutMs: number;
    readonly halt?: Halt | undefined;
    readonly notices?: Notices | undefined;
    /** Whether what jobs have written comes to the manager as they end. */
    readonly collect?: "output" | "all" | undefined;
    /** Files that each machine gets before its first job. */
    readonly push?: readonly string[] | undefined;
    /** Is told of them, machine by machine. */
    readonly onPushed?: ((machine: Machine, report: PushReport) => void) | undefined;
    readonly timeLimit?: string | undefined;
    /** GPUs that somebody else uses are not given. */
    readonly isGpuIdle?: boolean | undefined;
  };

/**
 * Runs a queue. First learns what became of jobs that were in flight, and adopts those that still run. `open` is for
 * whoever wants to look at the queue as the run sees it.
 * @throws {CmsError} `conflict` if another process runs the queue; `invalid` if no host may get jobs.
 */
export async function runQueue(
  deps: Deps,
  request: RunRequest,
  watch: RunWatch,
  connect: Connect = makeConnect(deps),
  open: typeof openQueue = openQueue,
): Promise<RunResult> {
  const cluster = request.scheduler === "fifo_multi" ? request.cluster : null;
  const runHosts = request.scheduler === "fifo"
    ? null
    : new RunHosts(deps, request.queue, { machines: request.hosts, cluster, isGpuIdle: request.isGpuIdle });
  const hosts = await runHosts?.read() ?? [];
  const pushed = await pushedPaths(deps, request.push ?? []);
  let current = hosts;
  if (request.scheduler === "fifo_multi" && !hosts.some((host) => host.active && host.capacity > 0)) {
    throw new CmsError("invalid", await noFreeHosts(deps, request.cluster));
  }
  const store = await open(deps, request.queue);
  const paths = storePaths(request.queue, "queue");
  const slots = request.scheduler === "fifo" ? request.maxParallel : slotsOf(hosts);
  const teller = new RunTeller(store, deps.clock, {
    scheduler: request.scheduler,
    cluster: cluster?.name ?? null,
    slots,
    ...(request.scheduler === "fifo_multi" && { capacities: capacitiesOf(hosts) }),
  });
  try {
    const run = deps.ids.hex(4);
    const other = await store.claimRun(run, teller.about);
    if (other !== null) throw await runsAlready(deps, "run", request.queue, other);
    const history = new RunHistory(deps, paths, run);
    const { environment } = deps;
    const by = whoIsHere(environment);
    const { scheduler } = request;
    await history.begin({ run, pid: environment.pid, by, scheduler, cluster: cluster?.name ?? null, slots });
    await request.notices?.begin(store.jobs);
    const warn = (text: string): void => watch.onEvent({ type: "warning", text });
    const collector = request.collect === undefined
      ? null
      : await Collector.begin(deps, store, { connect, warn, what: request.collect });
    const unknown = new UnknownFieldWatch(warn);
    if (cluster !== null) unknown.look("host", (await readClusters(deps, cluster)).values());
    unknown.look("job", store.jobs.values());
    const core = new Core({
      policy: request.scheduler === "fifo" ? fifo(request.maxParallel) : fifoMulti(),
      hosts,
      timeoutMs: request.timeoutMs,
      halt: request.halt,
      timeLimit: request.timeLimit ?? null,
      queue: request.queue.name,
    }, store.jobs);
    const onEvent = (event: RunEvent): void => {
      teller.event(event);
      request.notices?.event(event);
      collector?.event(event);
      watch.onEvent(event);
    };
    const demand = () => core.demand();
    await runHosts?.begin({ demand, onEvent, onAllocations: (allocations) => teller.tell({ allocations }) });
    const loop = runLoop(deps, {
      store,
      core,
      connect: pushFirst(deps, connect, pushed, request.onPushed),
      readHosts: runHosts === null ? null : async () => current = await runHosts.read(),
      onHostsTaken: (stamp) => {
        teller.tell({ slots: slotsOf(current), capacities: capacitiesOf(current), hosts: stamp });
        runHosts?.taken();
      },
      ...(runHosts === null ? {} : { haveHostsChanged: () => runHosts.haveChanged() }),
      hostFiles: cluster === null ? [] : clustersOf(cluster).map((one) => storePaths(one, "cluster").file),
      pause: { file: paths.pause, read: () => readPause(deps, paths) },
    }, {
      ...watch,
      onExternalChanges: (external) =>
        unknown.look("job", [...external.put, ...external.changed].flatMap((name) => store.jobs.get(name) ?? [])),
      onEvent,
    }).finally(() => runHosts?.finish(watch.leave));
    const machines = (): string[] => Object.keys(teller.about.machines);
    return await loop.then(async (result) => {
      await history.end({ ...endOf(result), machines: machines() });
      await collector?.finish(watch.leave);
      return result;
    }, async (error) => {
      await collector?.finish(AbortSignal.abort());
      await history.end({ outcome: "error", ran: 0, failed: 0, waiting: 0, machines: machines() });
      throw error;
    });
  } finally {
    await teller.told;
    store.close();
  }
}

function endOf({ outcome, ran, failed, waiting }: RunResult): Omit<RunEnd, "machines"> {
  const own = failed.filter(({ isDependent }) => isDependent !== true);
  return { outcome, ran: ran.length, failed: own.length, waiting };
}
