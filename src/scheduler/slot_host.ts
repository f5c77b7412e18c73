/**
 * A host as a scheduler sees it, and what makes two of them alike. Pure.
 *
 * @module
 */

import type { Environment } from "../names/environment.ts";
import type { Machine } from "../cluster/machine.ts";
import type { HostHas, HostTime } from "./resources.ts";

/** A host as a scheduler sees it. */
export interface SlotHost {
  /** Host id in its cluster; for `--hosts` the place in the list. Unique within a run. */
  readonly id: string;
  readonly machine: Machine;
  /** Jobs at once, a whole number from 0. */
  readonly capacity: number;
  /** False: gets no new jobs; what runs there goes on. */
  readonly active: boolean;
  /** `""` for none. */
  readonly gpu: string;
  readonly pyenv: string;
  /** Variables for all its jobs; missing for none. */
  readonly env?: Environment;
  /** What it has besides slots; missing where its entry says nothing of that. */
  readonly has?: HostHas;
  /** Of one that is not there for ever. */
  readonly time?: HostTime;
  /** Jobs that it takes in all; missing for no limit. */
  readonly jobs?: number;
  /** Stands for those that may be asked for: it is never connected, and says what they will have. */
  readonly isToCome?: true;
}

/** True if a job cannot tell one from the other. */
export function isLike(a: SlotHost, b: SlotHost): boolean {
  return natureOf(a) === natureOf(b);
}

/** What a job can tell of its host, but for the machine: the same text for hosts that are alike. */
export function natureOf({ gpu, pyenv, env, has }: SlotHost): string {
  const vendor = has?.devices?.vendor;
  const isPlain = env === undefined && gpu === "" && pyenv === "" && vendor === undefined;
  return isPlain ? "" : JSON.stringify([gpu, pyenv, env, vendor]);
}

/** True if the host takes jobs. */
export function isOffered(host: { active: boolean; capacity: number; isToCome?: true }): boolean {
  return host.active && host.capacity > 0 && host.isToCome !== true;
}
