/**
 * A process of the manager: the {@link Deps} that the real program gets, and its end. Every call passes a gate: once
 * the process is dead nothing that it waits for ever comes, as with `kill -9`; while it is stopped everything comes
 * later.
 *
 * @module
 */

import type { Child, Deps } from "../deps.ts";
import { GatedFiles } from "./gated_files.ts";
import type { MemoryFiles } from "./memory_files.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** A child as the world sees it: told when its parent ends. */
export interface SimChild extends Child {
  orphaned(): void;
}

/** What a process is given. */
export interface ProcessParts {
  readonly name: string;
  readonly pid: number;
  readonly timeline: Timeline;
  readonly disk: MemoryFiles;
  readonly random: Random;
  /** Starts a program. */
  readonly spawn: (process: SimProcess, command: readonly string[]) => SimChild;
  /** A continuation of the program was let go: it has to get its turn before time goes on. */
  readonly stirred: () => void;
  /** Before every step that others can see. */
  readonly onStep: (process: SimProcess) => void;
  /** After bytes were appended to a file, or a file was replaced. */
  readonly onWrite: (process: SimProcess, path: string, bytes: Uint8Array | null) => void;
  /** When a lock is asked for. */
  readonly onLock: (process: SimProcess, path: string) => void;
  /** A file is to become durable: what it gives is called when that is done. */
  readonly onSync: (path: string) => () => void;
  /** Makes the files that the program gets. @default GatedFiles */
  readonly makeFiles?: (process: SimProcess, disk: MemoryFiles) => GatedFiles;
  /** How long a sync takes. */
  readonly syncMs: number;
  /** How long it takes to write a byte of a file that is replaced. */
  readonly writeMsPerByte: number;
  readonly hostname: string;
  /** By how much the machine's wall clock is ahead of time; it is set now and then. */
  readonly wallAheadMs: () => number;
}

/** One process of the manager. */
export class SimProcess {
  readonly name: string;
  readonly pid: number;
  readonly parts: ProcessParts;
  readonly files: GatedFiles;
  readonly deps: Deps;
  alive = true;
  /** Steps on files, clock and pipes so far. */
  steps = 0;
  /** The step at which it dies. */
  diesAtStep = Infinity;
  /** Called when it dies before its work is done. */
  onKilled: () => void = () => {};
  isFinished = false;
  /** When it was last stopped, and when it went on. */
  stoodMs = -Infinity;
  wentOnMs = -Infinity;
  readonly #children = new Set<SimChild>();
  /** What came while it is stopped; null while it is not. */
  #held: (() => void)[] | null = null;

  constructor(parts: ProcessParts) {
    this.parts = parts;
    this.name = parts.name;
    this.pid = parts.pid;
    this.files = parts.makeFiles?.(this, parts.disk) ?? new GatedFiles(this, parts.disk);
    const { timeline, random } = parts;
    this.deps = {
      clock: {
        now: () => Math.floor(timeline.nowMs),
        epochMs: () => Math.floor(timeline.nowMs) + parts.wallAheadMs(),
        sleepUntil: (atMs, signal) => this.#sleepUntil(atMs, signal),
      },
      files: this.files,
      ids: { hex: (bytes) => random.hex(bytes * 2) },
      processes: {
        spawn: (command) => {
          if (!this.step()) throw new Error("dead");
          const child = parts.spawn(this, command);
          this.#children.add(child);
          return child;
        },
      },
      environment: {
        get: () => undefined,
        cwd: () => "/home/me",
        user: () => "me",
        hostname: () => parts.hostname,
        pid: parts.pid,
      },
    };
  }

  /** Counts a step. @returns False if the process is dead, perhaps since this very step. */
  step(): boolean {
    if (!this.alive) return false;
    this.steps++;
    this.parts.onStep(this);
    if (this.steps >= this.diesAtStep) this.kill();
    return this.alive;
  }

  /** Lets a continuation go, if the process lives; later if it is stopped. */
  resume(go: () => void): void {
    if (!this.alive) return;
    if (this.#held !== null) {
      this.#held.push(go);
      return;
    }
    this.parts.stirred();
    go();
  }

  /** Resolves after some virtual time; never if the process has died. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.timeline.after(ms, () => this.resume(resolve)));
  }

  get isStopped(): boolean {
    return this.#held !== null;
  }

  /** SIGSTOP, and SIGCONT. */
  setStopped(stopped: boolean): void {
    if (stopped) {
      if (this.#held === null) this.stoodMs = this.parts.timeline.nowMs;
      this.#held ??= [];
      return;
    }
    const held = this.#held ?? [];
    this.#held = null;
    this.wentOnMs = this.parts.timeline.nowMs;
    for (const go of held) this.resume(go);
  }

  /** Ends the process at once, as `kill -9` or the loss of power does. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.files.releaseAll();
    for (const child of this.#children) child.orphaned();
    this.#children.clear();
    if (!this.isFinished) this.onKilled();
  }

  #sleepUntil(atMs: number, signal?: AbortSignal): Promise<void> {
    if (!this.step()) return new Promise(() => {});
    const { timeline } = this.parts;
    if (atMs <= timeline.nowMs || signal?.aborted) return Promise.resolve();
    if (atMs === Infinity && signal === undefined) return new Promise(() => {});
    return new Promise((resolve) => {
      const done = (): void => {
        planned?.cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const planned = atMs === Infinity ? null : timeline.at(atMs, () => this.resume(done));
      signal?.addEventListener("abort", done, { once: true });
    });
  }
}
