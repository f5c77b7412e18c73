/**
 * Who uses the GPUs of a machine, as the agent says it. Pure.
 *
 * @module
 */

import type { AttemptId } from "../job/attempt.ts";
import { number } from "./states.ts";

/** A process on a GPU; with `pid` null, what is in use of its memory in all. */
export interface GpuUse {
  readonly gpu: number;
  readonly pid: number | null;
  /** The attempt whose mark the process carries; null for none. */
  readonly attempt: AttemptId | null;
  /** There is no such process there: it is in another container, or has just ended. */
  readonly isUnseen: boolean;
  readonly memoryMib: number;
}

/** Reads `GPU PID ATTEMPT MIB`, with `-` for what there is not, and `?` for what cannot be seen. */
export function parseGpuUse([gpuText, pidText, attempt = "-", mib]: readonly string[]): GpuUse | null {
  const [gpu, pid, memoryMib] = [number(gpuText), number(pidText), number(mib)];
  if (gpu === null || memoryMib === null || (pid === null && pidText !== "-")) return null;
  const isUnseen = attempt === "?";
  return { gpu, pid, attempt: attempt === "-" || isUnseen ? null : attempt, isUnseen, memoryMib };
}
