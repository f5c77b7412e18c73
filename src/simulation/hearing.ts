/**
 * When each process of the manager heard of a machine: of the machine, and of each name that it has. What a run started
 * under a name counts as silent when that name is; what an earlier run left is asked about under any name.
 *
 * @module
 */

import { LATE_MS } from "./order_watch.ts";

/** So long nothing was heard: a pause, not the time between two beats. */
const PAUSE_MS = 1_000;

/** When it was last heard of, and the last pause in which it was not. */
interface Heard {
  readonly atMs: number;
  readonly pause: { readonly fromMs: number; readonly toMs: number };
}

/** Who heard of one machine, and when. */
export class Hearing {
  readonly #byProcess = new WeakMap<object, Map<string, Heard>>();
  /** Names that a process takes for others of the machine. */
  readonly #joined = new WeakMap<object, Map<string, string>>();

  /** A process of the manager hears of the machine by a link to this name. */
  hear(process: object, name: string, atMs: number): void {
    const heard = this.#byProcess.get(process) ?? new Map<string, Heard>();
    this.#byProcess.set(process, heard);
    for (const key of ["", name]) {
      const before = heard.get(key);
      const fromMs = before?.atMs ?? 0;
      const isPause = before === undefined || atMs - fromMs > PAUSE_MS;
      heard.set(key, { atMs, pause: isPause ? { fromMs, toMs: atMs } : before.pause });
    }
  }

  /** A process takes two names for one machine from now on, and has one link for both. */
  join(process: object, name: string, as: string): void {
    const joined = this.#joined.get(process) ?? new Map<string, string>();
    this.#joined.set(process, joined.set(name, as));
  }

  /**
   * True if a process has heard nothing for so long, counted from `sinceMs` at the earliest, or had not until a moment
   * ago. With a `name`: under that one, or the one that it stands for.
   */
  wasSilent(process: object, name: string | null, span: { nowMs: number; sinceMs: number; forMs: number }): boolean {
    const { nowMs, sinceMs, forMs } = span;
    const key = name === null ? "" : this.#joined.get(process)?.get(name) ?? name;
    const heard = this.#byProcess.get(process)?.get(key);
    const isLong = (fromMs: number, toMs: number) => toMs - Math.max(fromMs, sinceMs) >= forMs;
    if (isLong(heard?.atMs ?? 0, nowMs)) return true;
    // What was due before it was heard again may take a moment: until then a file that is being saved is left alone.
    return heard !== undefined && nowMs - heard.pause.toMs < LATE_MS && isLong(heard.pause.fromMs, heard.pause.toMs);
  }
}
