/**
 * What a run owes at its end: who is to be told of it. It stands in a file that the run keeps locked, so that the next
 * run knows it for that of one that was killed, and tells in its place.
 *
 * @module
 */

import type { Deps, FileLock } from "../deps.ts";
import type { StorePaths } from "./paths.ts";

/** Who is told of the end of a run. */
export interface Owed {
  /** Commands of the manager's shell. */
  readonly commands: readonly string[];
  readonly webhooks: readonly string[];
}

/** The files of a queue, tried in order: an earlier run may still be at its notices. */
export function owedFiles({ notices }: Pick<StorePaths, "notices">): readonly string[] {
  return [notices, `${notices}2`, `${notices}3`];
}

/** What a run owes, kept until {@link OwedNotices.done}. */
export class OwedNotices {
  readonly #lock: FileLock;
  readonly owed: Owed;

  private constructor(lock: FileLock, owed: Owed) {
    this.#lock = lock;
    this.owed = owed;
  }

  /**
   * Notes what this run owes, with what killed ones have left.
   * @returns null where nothing is owed. @throws {Error} If it cannot be written.
   */
  static async begin(deps: Deps, paths: StorePaths, own: Owed): Promise<OwedNotices | null> {
    const isNeeded = own.commands.length + own.webhooks.length > 0;
    let mine: FileLock | null = null;
    const others: FileLock[] = [];
    let all = own;
    for (const file of owedFiles(paths)) {
      if (await deps.files.stamp(file) === null && (!isNeeded || mine !== null)) continue;
      const lock = await deps.files.lock(file, { mode: "exclusive", wait: false });
      if (lock === null) continue; // Of a run that lives.
      const left = parseOwed(await deps.files.readText(file) ?? "");
      all = left === null ? all : union(all, left);
      if (mine === null && (isNeeded || left !== null)) mine = lock;
      else others.push(lock);
    }
    if (mine === null) {
      for (const lock of others) lock.release();
      if (isNeeded) throw new Error("three earlier runs are still at theirs");
      return null;
    }
    await mine.describe(`${JSON.stringify(all)}\n`);
    // Now that the first has what they have: twice rather than not at all.
    for (const lock of others) {
      await lock.describe("");
      lock.release();
    }
    return new OwedNotices(mine, all);
  }

  /** All have been told. */
  async done(): Promise<void> {
    await this.#lock.describe("");
    this.#lock.release();
  }
}

function union(a: Owed, b: Owed): Owed {
  return {
    commands: [...new Set([...a.commands, ...b.commands])],
    webhooks: [...new Set([...a.webhooks, ...b.webhooks])],
  };
}

function parseOwed(text: string): Owed | null {
  try {
    const { commands, webhooks } = JSON.parse(text) as Record<string, unknown>;
    const texts = (value: unknown): string[] =>
      Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
    return { commands: texts(commands), webhooks: texts(webhooks) };
  } catch {
    return null; // Empty, or cut off: nothing that could be told.
  }
}
