/**
 * Who else uses the GPUs of hosts that give only what is idle. Such a host is asked before a start; what somebody else
 * uses is left alone for a minute. Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import { machineKey } from "../cluster/machine.ts";
import type { JobName } from "../names/grammar.ts";
import type { GpuUse } from "../link/link.ts";
import { report, type RunContext } from "./context.ts";
import type { SlotHost } from "./slot_host.ts";

/** A device that somebody uses is left alone for so long. */
const LEAVE_MS = 60_000;
/** An answer counts for so long. */
const SURE_MS = 1_000;
/** A host that does not answer for so long counts as one that cannot say. */
const ANSWER_MS = 30_000;
/** Memory that is in use although nobody uses the device. */
const IDLE_MIB = 500;

/** What is known of the devices of one machine. */
interface Known {
  /** When it was asked; null where no answer is due. */
  askedAtMs: number | null;
  /** Attempts that held devices then. */
  own: Map<number, string[]>;
  /** Devices that are left alone, until when and why: `gpu 1 of red is used by pid 4711`, with `HOST` for the host. */
  readonly left: Map<number, { untilMs: number; by: string }>;
  /** Devices that were idle, since when. */
  readonly idle: Map<number, number>;
  isTold: boolean;
}

/** Asks, and remembers for a while. */
export class GpuWatch {
  readonly #run: RunContext;
  readonly #machines = new Map<string, Known>();

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** The host without the devices that are left alone; itself where there are none. */
  usable(host: SlotHost): SlotHost {
    const { has } = host;
    const left = has?.isIdleOnly === true ? this.#machines.get(machineKey(host.machine))?.left : undefined;
    const devices = has?.devices ?? null;
    if (left === undefined || left.size === 0 || devices === null) return host;
    return { ...host, has: { ...has!, devices: { ...devices, ids: devices.ids.filter((id) => !left.has(id)) } } };
  }

  /** Why devices of a host are left alone; null if none is. */
  reason(host: SlotHost): string | null {
    const left = this.#machines.get(machineKey(host.machine))?.left;
    const id = host.has?.devices?.ids.find((one) => left?.has(one));
    return id === undefined ? null : left!.get(id)!.by.replace("HOST", host.id);
  }

  /** True if nobody else uses these devices, for all that is known right now. */
  isSure(host: SlotHost, ids: readonly number[]): boolean {
    if (host.has?.isIdleOnly !== true || ids.length === 0) return true;
    const idle = this.#machines.get(machineKey(host.machine))?.idle;
    return ids.every((id) => (idle?.get(id) ?? -Infinity) + SURE_MS >= this.#run.nowMs);
  }

  /** Asks the machine of a host, if no answer is due. */
  ask({ machine }: SlotHost): void {
    const key = machineKey(machine);
    const known = this.#machines.get(key) ??
      { askedAtMs: null, own: new Map(), left: new Map(), idle: new Map(), isTold: false };
    this.#machines.set(key, known);
    if (known.askedAtMs !== null) return;
    known.askedAtMs = this.#run.nowMs;
    known.own = this.#holders(key);
    this.#run.effects.push({ type: "gpus", machine: key });
  }

  /** The answer. `use` null: nobody there can say, for this reason. */
  answered(machine: string, use: readonly GpuUse[] | null, reason: string): void {
    const known = this.#machines.get(machine);
    if (known === undefined || known.askedAtMs === null) return;
    known.askedAtMs = null;
    const now = this.#holders(machine);
    const untilMs = this.#run.nowMs + LEAVE_MS;
    if (use === null) this.#warn(machine, known, reason);
    for (const id of this.#devicesOf(machine)) {
      const own = [...known.own.get(id) ?? [], ...now.get(id) ?? []];
      const by = use === null ? `who uses the GPUs of HOST is not known: ${reason}` : usedBy(id, use, own);
      if (by === null) known.idle.set(id, this.#run.nowMs);
      else {
        known.idle.delete(id);
        known.left.set(id, { untilMs, by });
      }
    }
  }

  /** The link is gone: nothing is known any more, and no answer comes. */
  forget(machine: string): void {
    this.#machines.delete(machine);
  }

  /** Takes what is due: answers that do not come, devices that were left alone for long enough. */
  tick(): void {
    const { nowMs } = this.#run;
    for (const [machine, { askedAtMs, left }] of this.#machines) {
      if (askedAtMs !== null && askedAtMs + ANSWER_MS <= nowMs) {
        this.answered(machine, null, `no answer within ${ANSWER_MS / 1000} s`);
      }
      for (const [id, { untilMs }] of left) if (untilMs <= nowMs) left.delete(id);
    }
  }

  /** When {@link GpuWatch.tick} has something to do; Infinity for never. */
  get wakeAtMs(): number {
    let at = Infinity;
    for (const { askedAtMs, left } of this.#machines.values()) {
      if (askedAtMs !== null) at = Math.min(at, askedAtMs + ANSWER_MS);
      for (const { untilMs } of left.values()) at = Math.min(at, untilMs);
    }
    return at;
  }

  #devicesOf(machine: string): Set<number> {
    return new Set(this.#run.slots.on(machine).flatMap(({ has }) => has?.devices?.ids ?? []));
  }

  /** Attempts of ours by device. */
  #holders(machine: string): Map<number, string[]> {
    const { slots, inFlight } = this.#run;
    const attemptsOf = (jobs: readonly JobName[]) => jobs.flatMap((job) => inFlight.get(job)?.attempt ?? []);
    return new Map([...slots.holders(machine)].map(([id, jobs]) => [id, attemptsOf(jobs)]));
  }

  #warn(machine: string, known: Known, reason: string): void {
    if (known.isTold) return;
    known.isTold = true;
    const text = `Who uses the GPUs of ${machine} is not known: ${reason}; no job that needs one starts there`;
    report(this.#run, { type: "warning", text });
  }
}

/** Who uses a device besides our own attempts there; null for nobody. */
function usedBy(id: number, use: readonly GpuUse[], own: readonly string[]): string | null {
  const there = use.filter(({ gpu }) => gpu === id);
  const isOurs = ({ attempt, isUnseen }: GpuUse): boolean =>
    (attempt !== null && own.includes(attempt)) || (isUnseen && own.length > 0);
  const other = there.find((one) => one.pid !== null && !isOurs(one));
  if (other !== undefined) return `gpu ${id} of HOST is used by pid ${other.pid}`;
  const { memoryMib = 0 } = there.find(({ pid }) => pid === null) ?? {};
  // What of it is our own cannot be told from what is not.
  return own.length > 0 || memoryMib <= IDLE_MIB ? null : `gpu ${id} of HOST is used by somebody: ${memoryMib} MiB`;
}
