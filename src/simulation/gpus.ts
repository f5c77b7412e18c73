/**
 * GPUs that somebody else uses, on hosts that give only what is idle; `src/agent/gpus.sh` in TypeScript, and who
 * watches that no job starts on such a device.
 *
 * @module
 */

import type { AttemptTruth } from "./attempt_truth.ts";
import type { Host } from "./host.ts";
import type { Steps, Tell } from "./host_process.ts";
import type { Scenario } from "./scenario.ts";
import type { Timeline } from "./timeline.ts";

const PID = 4711;
const MIB = 1_000;
/** How long a driver takes to answer. */
const DRIVER_MS = [20, 1_500] as const;
/** A start may be written down so long after the answer that allows it: disks are full, processes stand still. */
const LATE_MS = 90_000;

/** What a machine's devices are used for. */
class Gpus {
  count = 0;
  isIdleOnly = false;
  /** Devices that somebody else uses now. */
  readonly strangers = new Set<number>();
  readonly answers: { readonly queue: string; readonly atMs: number; readonly idle: readonly number[] }[] = [];
}

const all = new WeakMap<Host, Gpus>();

/** The devices of a machine. */
export function gpusOf(host: Host): Gpus {
  let gpus = all.get(host);
  if (gpus === undefined) all.set(host, gpus = new Gpus());
  return gpus;
}

/** `c_gpus`. */
export function* tellGpus(host: Host, { events, queue }: Tell, number: string): Steps {
  yield host.parts.random.logBetween(...DRIVER_MS);
  const gpus = gpusOf(host);
  const idle: number[] = [];
  for (let gpu = 0; gpu < gpus.count; gpu++) {
    const say = (pid: number, attempt: string): void =>
      events.append(`@${queue} G ${number} ${gpu} ${pid} ${attempt} ${MIB} .`);
    const own = [...host.processes()].filter(({ kind, mark }) =>
      kind === "job" && host.parts.truth.of(mark!).devices.includes(gpu)
    );
    for (const { pid, mark } of own) say(pid, mark!);
    const isUsed = gpus.strangers.has(gpu);
    if (isUsed) say(PID, "-");
    else idle.push(gpu);
    events.append(`@${queue} G ${number} ${gpu} - - ${own.length > 0 || isUsed ? MIB : 0} .`);
  }
  gpus.answers.push({ queue, atMs: host.nowMs, idle });
  yield 0;
  events.append(`@${queue} Z ${number} .`);
}

/** What is wrong with the devices of an attempt that starts, as others may use them; null if nothing is. */
export function wrongUse(host: Host, attempt: AttemptTruth, devices: readonly number[]): string | null {
  const { isIdleOnly, answers } = gpusOf(host);
  if (!isIdleOnly || attempt.decided === null) return null;
  const { atMs } = attempt.decided;
  const before = answers.filter((one) => one.queue === attempt.queue && one.atMs <= atMs && one.atMs >= atMs - LATE_MS);
  const used = devices.find((gpu) => !before.some(({ idle }) => idle.includes(gpu)));
  return used === undefined ? null : `${attempt.id} starts on GPU ${used}, which nobody said is idle`;
}

/** Lets others use GPUs of some machines for a while. */
export function letStrangersIn(
  { scenario, hosts, timeline, trace }: {
    readonly scenario: Scenario;
    readonly hosts: ReadonlyMap<string, Host>;
    readonly timeline: Timeline;
    readonly trace: (...words: unknown[]) => void;
  },
  beginMs: number,
): void {
  for (const { key, entries, isIdleOnly = false, strangers = [] } of scenario.hosts) {
    for (const host of hosts.values()) {
      if (host.name !== key) continue;
      const gpus = gpusOf(host);
      gpus.count = Math.max(0, ...entries.map((entry) => entry.gpus ?? 0));
      gpus.isIdleOnly = isIdleOnly;
      for (const { gpu, fromMs, toMs } of strangers) {
        timeline.at(beginMs + fromMs, () => {
          trace(host.key, "somebody else uses GPU", gpu);
          gpus.strangers.add(gpu);
        });
        timeline.at(beginMs + toMs, () => gpus.strangers.delete(gpu));
      }
    }
  }
}
