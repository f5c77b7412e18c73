/**
 * The GPU devices of a host as its entry names them: `0-3`, `0,2`, and `amd:0-3` where they are AMD's. Pure.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

/** Whose devices they are: this says by which variable a job gets them. */
export type Vendor = "nvidia" | "amd";

/** Devices of one machine by their numbers, as nvidia-smi or rocm-smi counts them. */
export interface Devices {
  readonly vendor: Vendor;
  /** In order, each once. */
  readonly ids: readonly number[];
}

/** The word for devices that the host is asked for. */
export const AUTO = "auto";

const LIST = /^(?:(amd|nvidia):)?([0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*)$/;
/** Most devices of one machine. */
const MOST = 1024;

/** Reads devices. @throws {InvalidError} If the text names none. */
export function parseDevices(text: string): Devices {
  const [, vendor = "nvidia", list = ""] = text.length > 2_000 ? [] : LIST.exec(text) ?? [];
  const ids = new Set<number>();
  for (const part of list.split(",")) {
    const [first, last = first] = part.split("-").map(Number);
    for (let id = first!; id <= last! && ids.size <= MOST; id++) ids.add(id);
  }
  if (list !== "" && ids.size > 0 && ids.size <= MOST) {
    return { vendor: vendor as Vendor, ids: [...ids].sort((a, b) => a - b) };
  }
  throw new InvalidError([
    `Cannot use ${JSON.stringify(text.slice(0, 200))} as gpus: give devices such as 0-3 or 0,2 (amd:0-3 for AMD)`,
  ]);
}

/** Devices as a file has them: `0-3`, `amd:0,2`. */
export function devicesText({ vendor, ids }: Devices): string {
  const parts: [number, number][] = [];
  for (const id of ids) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === id - 1) last[1] = id;
    else parts.push([id, id]);
  }
  const list = parts.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`).join(",");
  return vendor === "amd" ? `amd:${list}` : list;
}

/** The text of a field in the one form in which it is kept. @throws {InvalidError} As {@link parseDevices}. */
export function devicesField(text: string): string {
  if (text !== AUTO) return devicesText(parseDevices(text));
  throw new InvalidError([
    "Cannot use auto as gpus in a file: cms cluster set CLUSTER --id=ID --key=gpus --value=auto asks the host and writes its devices",
  ]);
}
