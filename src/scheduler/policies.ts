/**
 * The policies: how a job gets its host. Everything else is the same for all of them. Pure.
 *
 * @module
 */

import type { Environment } from "../names/environment.ts";
import type { Job } from "../job/job.ts";
import type { Devices } from "../cluster/devices.ts";
import { type Machine, machineText, parseMachine } from "../cluster/machine.ts";
import { failedMachines } from "../job/retry.ts";
import { hasNeeds, needsText } from "../job/needs.ts";
import type { Machines } from "./machines.ts";
import { lackText } from "./resources.ts";
import type { SlotHost } from "./slot_host.ts";
import type { FitView, Share } from "./fit.ts";
import type { Slots } from "./slots.ts";

/** What a policy sees of the run. */
export interface PolicyView {
  readonly slots: Slots;
  readonly machines: Machines;
  /** Jobs in flight. */
  readonly running: number;
  /** Who else uses devices. */
  readonly gpus: FitView["gpus"];
  readonly nowMs: number;
}

/** What a policy says of the job at the head of the queue. */
export type Placement =
  /** Start it there. `slot`: id of the host that gives the slot; null where slots are not counted by host. */
  | {
    readonly type: "place";
    readonly machine: Machine;
    readonly slot: string | null;
    readonly gpu: string;
    readonly pyenv: string;
    readonly env?: Environment;
    /** What the job holds there besides one slot. */
    readonly share?: Share;
    /** The devices that it may see, where the host has devices to give. */
    readonly devices?: Devices;
  }
  /**
   * Not now; nothing behind it may start either. `full`: how many slots there are, if they are all taken. `need`: a
   * machine whose link is to be opened for it.
   */
  | { readonly type: "wait"; readonly full: number | null; readonly need: Machine | null }
  /**
   * Not now: it needs more than is free. Those behind it may start, but not on `keep`, where it will fit soonest.
   * `reason`: where a person would wonder why.
   */
  | { readonly type: "park"; readonly keep: string | null; readonly reason: string | null }
  /** Not before one of these hosts has said that nobody else uses its devices. */
  | { readonly type: "ask"; readonly hosts: readonly SlotHost[] }
  /** No host could hold it, now or later. `reason`: for people. */
  | { readonly type: "unfit"; readonly reason: string }
  /** Pass it over. `reason`: where a person would wonder why. */
  | { readonly type: "skip"; readonly reason: string | null }
  /** It cannot be started. */
  | { readonly type: "fail"; readonly machine: string; readonly reason: string };

/** How a job gets its host. */
export interface Policy {
  /** Decides on one job; called for each in file order when it is considered. */
  place(job: Job, view: PolicyView): Placement;
  /**
   * The machine that a waiting job will need, if that is known beforehand: its link is opened early, its directory made
   * ahead.
   */
  foresee(job: Job, slots: Slots): Machine | null;
}

/**
 * The machine that a job is assigned to, or null. @throws {InvalidError} If its user or host are not in the grammar of
 * names.
 */
export function assignedMachine(job: Pick<Job, "user" | "host">): Machine | null {
  if (!job.host || !job.user) return null;
  return parseMachine(`${job.user}@${job.host}`);
}

/** Why a job that is not assigned to a machine is passed over. */
function lackOf({ user, host }: Pick<Job, "user" | "host">): string {
  if (user && host) return "it is undefined; only ready jobs are run";
  if (user) return "it has no host";
  return host ? "it has no user" : "it has no user and host";
}

/**
 * SchedulerFIFO: each job runs on the host it is assigned to; at most `maxParallel` at once in all. A job without user
 * and host is passed over; one whose machine cannot be reached fails to start, so that the queue goes on.
 */
export function fifo(maxParallel: number): Policy {
  return {
    place(job, { machines, running }) {
      if (job.status !== "ready") return { type: "skip", reason: job.status === "undefined" ? lackOf(job) : null };
      let machine: Machine | null;
      try {
        machine = assignedMachine(job);
      } catch (error) {
        return { type: "fail", machine: `${job.user}@${job.host}`, reason: (error as Error).message };
      }
      if (machine === null) return { type: "skip", reason: lackOf(job) };
      if (hasNeeds(job)) return { type: "skip", reason: `it needs ${needsText(job)}: use fifo_multi, with a cluster` };
      if (running >= maxParallel) return { type: "wait", full: maxParallel, need: null };
      const state = machines.of(machine);
      if (state.phase === "idle") return { type: "wait", full: null, need: machine };
      if (state.phase === "down" && state.failures > 0) {
        return { type: "fail", machine: machineText(machine), reason: state.reason };
      }
      if (state.phase !== "up") return { type: "wait", full: null, need: null };
      return { type: "place", machine: state.machine, slot: null, gpu: "", pyenv: "" };
    },
    foresee(job) {
      try {
        return job.status === "ready" ? assignedMachine(job) : null;
      } catch {
        return null; // `place` will say what is wrong with it.
      }
    },
  };
}

/**
 * SchedulerFIFOMultiHost: the first host in the list with a free slot on a machine that answers. The job's own host is
 * ignored.
 */
export function fifoMulti(): Policy {
  return {
    place(job, { slots, machines, nowMs, gpus }) {
      if (job.status !== "ready" && job.status !== "undefined") return { type: "skip", reason: null };
      const isUp = (key: string): boolean => machines.isUp(key);
      const needs = slots.needsOf(job);
      if (needs !== null) {
        const fit = slots.fit(job.name, needs, { isUp, liked: notFailed(job), nowMs, gpus });
        if (fit.type === "never") return { type: "unfit", reason: lackText(job, needs, slots.hosts) };
        if (fit.type === "later") return { type: "park", keep: fit.host?.id ?? null, reason: fit.reason };
        if (fit.type === "ask") return fit;
        return { ...placeOn(fit.host, fit.devices), share: { needs, devices: fit.devices } };
      }
      const host = slots.free(isUp, notFailed(job));
      return host === null ? { type: "wait", full: slots.capacity(), need: null } : placeOn(host, []);
    },
    foresee: (_job, slots) => slots.onlyMachine,
  };
}

/** Which hosts a further try prefers: those on which the job has not failed. null for the first try. */
function notFailed(job: Job): ((host: SlotHost) => boolean) | null {
  const failed = failedMachines(job);
  return failed.length === 0 ? null : ({ machine: { user, name } }) => !failed.includes(`${user}@${name}`);
}

/** Starts a job there, which sees these devices and no others. */
export function placeOn(host: SlotHost, ids: readonly number[]): Extract<Placement, { type: "place" }> {
  const { machine, id: slot, gpu, pyenv, env, has } = host;
  const vendor = has?.devices?.vendor;
  return {
    type: "place",
    machine,
    slot,
    gpu,
    pyenv,
    ...(env === undefined ? {} : { env }),
    ...(vendor === undefined ? {} : { devices: { vendor, ids } }),
  };
}
