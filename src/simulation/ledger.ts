/**
 * What was acknowledged: once a command has returned, its effect must be there, whatever dies, until somebody changes
 * it again.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { isWaiting } from "../job/states.ts";
import type { Jobs } from "../store/changes.ts";

/** The last that was acknowledged of a name. */
type Entry =
  | { readonly type: "present"; readonly id: string }
  | { readonly type: "absent" }
  | { readonly type: "reset"; readonly id: string; readonly attempt: number };

/** Acknowledged changes of one queue, by name. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Who wrote of a name last. */
  readonly #writers = new Map<string, object>();
  /** Names of which nothing is certain. */
  readonly #free = new Set<string>();
  /** The last that each process wrote, not acknowledged yet. */
  readonly #pending = new WeakMap<object, Map<string, Entry>>();

  /** A process wrote something of a name: what was acknowledged before counts no more. */
  written(process: object, name: string, type: string, id: string | null, attempt: number): void {
    const known = this.#entries.get(name);
    this.#writers.set(name, process);
    const entry: Entry | null = type === "put"
      ? { type: "present", id: id ?? "" }
      : type === "delete"
      ? { type: "absent" }
      : type === "reset"
      ? { type: "reset", id: id ?? "", attempt }
      : null;
    // The moves of a run leave a job present; they end what a reset has promised.
    if (entry === null) {
      if (known?.type === "reset") this.#entries.set(name, { type: "present", id: id ?? "" });
      return;
    }
    this.#entries.delete(name);
    const pending = this.#pending.get(process) ?? new Map<string, Entry>();
    this.#pending.set(process, pending.set(name, entry));
  }

  /** The process's command has returned. */
  acknowledged(process: object): void {
    for (const [name, entry] of this.#pending.get(process) ?? []) {
      // What somebody else wrote since is for that one to acknowledge.
      if (this.#writers.get(name) === process && !this.#free.has(name)) this.#entries.set(name, entry);
    }
    this.#pending.delete(process);
  }

  /** A person deleted the entry in the file: that counts from when the job is in flight no more, which may be later. */
  forget(name: string): void {
    this.#free.add(name);
    this.#entries.delete(name);
  }

  /** What is not as it was acknowledged; null if all is. */
  check(jobs: Jobs): string | null {
    for (const [name, entry] of this.#entries) {
      const job = jobs.get(name as JobName);
      if (entry.type === "absent") {
        if (job !== undefined) return `job ${name} is there again after its deletion was acknowledged`;
      } else if (job?.id !== entry.id) return `job ${name} is gone after its ${entry.type} was acknowledged`;
      else if (entry.type === "reset" && !isWaiting(job.status) && job.attempt <= entry.attempt) {
        return `job ${name} is ${job.status} after its reset was acknowledged`;
      }
    }
    return null;
  }
}
