/**
 * The right to run a queue: a lock held for the life of a scheduler. The lock file's text, one line of JSON, says who
 * holds it. The text outlives the lock, so that it also says who ran the queue last. A command that holds the lock for
 * a moment says so without `about`, and keeps the text of the last scheduler as `last`.
 *
 * @module
 */

import type { Deps, FileLock, FileStamp } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { codeOf } from "../system_errors.ts";
import { storeError } from "./file_errors.ts";
import { sameStamp } from "./lock.ts";
import type { StorePaths } from "./paths.ts";
import type { LastRun, RunAbout, Runner } from "./run_status.ts";
import type { StoreRef } from "./store.ts";

/** The right of one process to run a queue, or its lack of it. */
export class RunClaim {
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  #held: { lock: FileLock; runner: Runner; stamp: FileStamp | null } | null = null;
  /** What is to be written is newer than what a write took along. */
  #isBehind = false;
  #writing: Promise<void> | null = null;

  /** Touches no file. */
  constructor(deps: Deps, paths: StorePaths) {
    this.#deps = deps;
    this.#paths = paths;
  }

  /** True if this process has it. */
  get isOurs(): boolean {
    return this.#held !== null;
  }

  /** Takes it, or says who has it. The caller holds the write lock. */
  async take(run: string, about?: RunAbout): Promise<Runner | null> {
    const { environment } = this.#deps;
    const who = { pid: environment.pid, hostname: environment.hostname(), run };
    const runner: Runner = about === undefined ? who : { ...who, about };
    try {
      const taken = await takeRun(this.#deps, this.#paths, runner);
      if (!("release" in taken)) return taken;
      this.#held = { lock: taken, runner, stamp: await this.#stamp() };
      return null;
    } catch (error) {
      throw storeError(this.#paths.shown, "claim the run", error);
    }
  }

  /**
   * Sees to it that the file is still the one that is locked, and says what was written: who finds none may run the
   * queue, and so may another machine, where the file system's locks do not reach that far. The caller holds the write
   * lock, as whoever takes the right does.
   * @returns True if it was removed, and was made anew. @throws {CmsError} If another process runs the queue now.
   */
  async keep(): Promise<boolean> {
    const held = this.#held;
    const stamp = held === null ? null : await this.#stamp();
    if (held === null || sameStamp(stamp, held.stamp)) return false;
    const { runner } = held;
    if (stamp?.inode === held.stamp?.inode) {
      held.stamp = stamp;
      const other = parseRunner(await readWho(this.#deps, this.#paths));
      // Or it is being written just now.
      if (other === null || other.run === runner.run) return false;
      this.release();
      const who = `process ${other.pid} on ${other.hostname}`;
      const why = "the locks of this file system do not reach from one machine to another";
      throw new CmsError("conflict", `${this.#paths.shownRun}: ${who} runs the queue too: ${why}`);
    }
    const taken = await takeRun(this.#deps, this.#paths, runner);
    this.release();
    if (!("release" in taken)) {
      const who = `process ${taken.pid} on ${taken.hostname}`;
      throw new CmsError("conflict", `${this.#paths.shownRun} was removed, and ${who} runs the queue now`);
    }
    this.#held = { lock: taken, runner, stamp: await this.#stamp() };
    return true;
  }

  #stamp(): Promise<FileStamp | null> {
    return this.#deps.files.stamp(this.#paths.run);
  }

  /**
   * Replaces what the file says of the run. Several changes in a row are written as one. Without effect for who has not
   * claimed it. Resolves when it is written, or could not be: the next change says it all again.
   */
  async tell(about: RunAbout): Promise<void> {
    if (this.#held === null) return;
    this.#held.runner = { ...this.#held.runner, about };
    this.#isBehind = true;
    await (this.#writing ??= this.#write());
  }

  /** Who has it now, or null. */
  async runner(): Promise<Runner | null> {
    return this.#held?.runner ?? await readRunner(this.#deps, this.#paths);
  }

  /** Gives it back once all that was told is written: a write that is cut off would leave an empty file. */
  async end(): Promise<void> {
    await this.#writing;
    this.release();
  }

  /** Gives it back at once. */
  release(): void {
    this.#held?.lock.release();
    this.#held = null;
  }

  async #write(): Promise<void> {
    while (this.#isBehind && this.#held !== null) {
      this.#isBehind = false;
      // A full disk, say: nothing but onlookers depends on it.
      await this.#held.lock.describe(JSON.stringify(this.#held.runner) + "\n").catch(() => {});
    }
    this.#writing = null;
  }
}

const RETRIES = 100;
const PAUSE_MS = 5;
/** Longer than any question takes. */
const OLD_MS = 24 * 3_600_000;

/**
 * Takes the right to run the queue, or says who has it. The caller holds the write lock, so that no two claim at once.
 */
async function takeRun(deps: Deps, paths: StorePaths, runner: Runner): Promise<FileLock | Runner> {
  for (let i = 0; i < RETRIES; i++) {
    const lock = await deps.files.lock(paths.run, { mode: "exclusive", wait: false });
    if (lock !== null) {
      try {
        await lock.describe(await textFor(deps, paths, runner));
      } catch (error) {
        // A process that goes on, such as the service, would hold it until its end.
        lock.release();
        throw error;
      }
      return lock;
    }
    const other = await readRunner(deps, paths);
    if (other !== null) return other;
    // Only somebody who looked, as we do below, for a moment.
    await deps.clock.sleepUntil(deps.clock.now() + PAUSE_MS);
  }
  return { pid: 0, hostname: "", run: "" };
}

/** Who runs the queue now, or null. Members are 0 and `""` where the holder has not said who it is. */
export async function readRunner(deps: Deps, paths: StorePaths): Promise<Runner | null> {
  let runner: Runner | null = null;
  for (let i = 0; i < RETRIES && runner === null; i++) {
    if (i > 0) await deps.clock.sleepUntil(deps.clock.now() + PAUSE_MS);
    if (await deps.files.stamp(paths.run) === null) return null;
    // Shared, so that two who look do not see each other; a scheduler's lock is exclusive.
    const lock = await deps.files.lock(paths.run, { mode: "shared", wait: false });
    if (lock !== null) {
      lock.release();
      return null;
    }
    runner = parseRunner(await readWho(deps, paths));
  }
  return runner ?? { pid: 0, hostname: "", run: "" };
}

/** The last run of a scheduler, whether it goes on or not; null if there was none. */
export async function readLastRun(deps: Deps, paths: StorePaths): Promise<LastRun | null> {
  const runner = await readRunner(deps, paths);
  if (runner?.about !== undefined) return { ...runner, about: runner.about, isRunning: true };
  const last = lastOf(await readWho(deps, paths));
  return last?.about === undefined ? null : { ...last, about: last.about, isRunning: false };
}

/** The text of the file. One that a power cut left as rubbish names nobody, and stops nobody. */
async function readWho(deps: Deps, paths: StorePaths): Promise<string> {
  try {
    return await deps.files.readText(paths.run) ?? "";
  } catch (error) {
    if (codeOf(error) === "EILSEQ") return "";
    throw error;
  }
}

async function textFor(deps: Deps, paths: StorePaths, runner: Runner): Promise<string> {
  const last = runner.about === undefined ? lastOf(await readWho(deps, paths)) : null;
  return JSON.stringify(last === null ? runner : { ...runner, last }) + "\n";
}

/** The last scheduler that a text of the file names. */
function lastOf(text: string): Runner | null {
  const runner = parseRunner(text);
  if (runner === null || runner.about !== undefined) return runner;
  return runnerOf(JSON.parse(text).last);
}

function parseRunner(text: string): Runner | null {
  try {
    return runnerOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function runnerOf(value: unknown): Runner | null {
  if (typeof value !== "object" || value === null) return null;
  const { pid, hostname, run, about } = value as Record<string, unknown>;
  if (typeof pid !== "number" || typeof hostname !== "string" || typeof run !== "string") return null;
  return isAbout(about) ? { pid, hostname, run, about } : { pid, hostname, run };
}

function isAbout(value: unknown): value is RunAbout {
  if (typeof value !== "object" || value === null) return false;
  const { scheduler, cluster, slots, machines } = value as Record<string, unknown>;
  return (scheduler === "fifo" || scheduler === "fifo_multi") && (cluster === null || typeof cluster === "string") &&
    typeof slots === "number" && typeof machines === "object" && machines !== null;
}

/**
 * Removes what writers left that were killed in the middle. The caller holds the write lock, so that nobody writes now.
 */
export async function sweepTemporaries(deps: Deps, ref: StoreRef, id: string): Promise<void> {
  const { files } = deps;
  const remove = (name: string) => files.remove(`${ref.directory}/${name}`).catch(() => false);
  for (const name of await leftTemporaries(deps, ref)) await remove(name);
  await sweepTokens(deps, ref, `.input.${id}.`, remove);
}

/**
 * The same of the files by which runs and commands find out whether a host sees their directory. Commands that go on
 * may have some now, and would take a shared directory for another one without them: only old ones are removed, by the
 * clock of the file system.
 */
async function sweepTokens(
  { files, ids }: Deps,
  ref: StoreRef,
  prefix: string,
  remove: (name: string) => Promise<boolean>,
): Promise<void> {
  const found = (await files.list(ref.directory) ?? []).filter((name) => name.startsWith(prefix) && isTemporary(name));
  if (found.length === 0) return;
  const own = `${prefix}${ids.hex(8)}.tmp`;
  try {
    const file = await files.openAppend(`${ref.directory}/${own}`, { create: true });
    const nowMs = (await file?.stamp())?.modifiedMs ?? 0;
    file?.close();
    for (const name of found) {
      const stamp = await files.stamp(`${ref.directory}/${name}`);
      if (stamp !== null && nowMs - stamp.modifiedMs > OLD_MS) await remove(name);
    }
  } catch {
    // A full disk: another time.
  } finally {
    await remove(own);
  }
}

/** Names of the files that {@link sweepTemporaries} removes. The caller holds the lock. */
export async function leftTemporaries({ files }: Deps, ref: StoreRef): Promise<string[]> {
  const prefixes = [`.${ref.name}-queue.yaml.`, `..${ref.name}-queue.journal.`];
  const isLeft = (name: string) => isTemporary(name) && prefixes.some((prefix) => name.startsWith(prefix));
  return (await files.list(ref.directory) ?? []).filter(isLeft);
}

function isTemporary(name: string): boolean {
  return name.endsWith(".tmp");
}
