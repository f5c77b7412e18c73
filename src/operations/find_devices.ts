/**
 * Which GPU devices machines have: asked of the machines themselves, for `gpus=auto`.
 *
 * @module
 */

import { devicesText } from "../cluster/devices.ts";
import { type Machine, machineKey, machineText } from "../cluster/machine.ts";
import { CmsError } from "../errors.ts";
import type { Probe, ProbeResult } from "../link/probe.ts";
import type { StoreRef } from "../store/store.ts";

/**
 * The devices of each machine as a cluster file has them, such as `0-3`.
 * @throws {CmsError} `invalid` if a machine does not answer, or shows no GPU.
 */
export async function findDevices(probe: Probe, cluster: StoreRef, machines: readonly Machine[]): Promise<string[]> {
  const once = new Map(machines.map((machine) => [machineKey(machine), machine]));
  const results = await probe([...once.values()], { directory: cluster.experiment, here: cluster.directory });
  const keys = [...once.keys()];
  const found = keys.map((key, i) => devicesOf(once.get(key)!, results[i]!));
  return machines.map((machine) => found[keys.indexOf(machineKey(machine))]!);
}

function devicesOf(machine: Machine, result: ProbeResult): string {
  const shown = machineText(machine);
  if (result.type === "silent") throw new CmsError("invalid", `Cannot ask ${shown} for its GPUs: ${result.reason}`);
  const { gpus } = result.facts;
  const numbers = (pattern: RegExp): number[] =>
    gpus.flatMap((gpu) => pattern.exec(gpu)?.[1] ?? []).map(Number).sort((a, b) => a - b);
  const nvidia = numbers(/^(?:GPU |nvidia)([0-9]{1,4})(?::|$)/);
  if (nvidia.length > 0) return devicesText({ vendor: "nvidia", ids: nvidia });
  const amd = numbers(/^AMD GPU ([0-9]{1,4})$/);
  if (amd.length > 0) return devicesText({ vendor: "amd", ids: amd });
  throw new CmsError("invalid", `Cannot find GPUs of ${shown}: neither nvidia-smi nor rocm-smi shows one there`);
}
