/**
 * The manager's machine: its disk, its processes, the connections that they opened.
 *
 * @module
 */

import { Connection } from "./connection.ts";
import { GatedFiles } from "./gated_files.ts";
import type { Host } from "./host.ts";
import { MemoryFiles } from "./memory_files.ts";
import { type SimChild, SimProcess } from "./process.ts";
import { spawnTar } from "./copy_inputs.ts";
import { quickHash, type Random, randomOf } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** A run tries again to write within so long. */
const LATE_MS = 5_000;

/** What a world gives the manager's machine. */
export interface ManagerParts {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly syncMs: number;
  readonly writeMsPerByte: number;
  readonly hostOf: (key: string) => Host | undefined;
  readonly stirred: () => void;
  readonly onWrite: (process: SimProcess, path: string, bytes: Uint8Array | null) => void;
  readonly onLock: (process: SimProcess, path: string) => void;
  readonly onSync: (path: string) => () => void;
  readonly garble: ((text: string) => string) | null;
  /** Makes the disk; a variant that is broken on purpose gives its own. */
  readonly makeFiles?: (process: SimProcess, disk: MemoryFiles) => GatedFiles;
}

/** The machine. */
export class Manager {
  readonly disk: MemoryFiles;
  readonly processes = new Set<SimProcess>();
  readonly connections = new Set<Connection>();
  readonly #parts: ManagerParts;
  readonly #beganMs = new WeakMap<SimProcess, number>();
  /** By how much the wall clock, and the clock of the file system, are ahead of time. */
  wallAheadMs = 0;
  /** The least and the most that it was. */
  readonly wallAhead = { least: 0, most: 0 };
  diskAheadMs = 0;
  /** The next copy of input files breaks off after so long; null: it does not. */
  breakCopyMs: number | null = null;
  #pids = 1_000;
  #opened = 0;
  #fullMs = -Infinity;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
    this.disk = new MemoryFiles({
      clock: () => Math.floor(parts.timeline.nowMs) + this.diskAheadMs,
      hash: quickHash,
    });
  }

  beganMs(process: SimProcess): number {
    return this.#beganMs.get(process) ?? 0;
  }

  /** A new process of the program. */
  start(name: string): SimProcess {
    const { seed, timeline, syncMs, writeMsPerByte, stirred, onWrite, onLock, onSync, makeFiles } = this.#parts;
    const pid = ++this.#pids;
    const process = new SimProcess({
      name: `${name}#${pid - 1_000}`,
      pid,
      timeline,
      disk: this.disk,
      random: randomOf(seed, `process ${pid}`),
      spawn: (process, command) => this.#spawn(process, command),
      stirred,
      onStep: () => {},
      onWrite,
      onLock,
      onSync,
      syncMs,
      writeMsPerByte,
      hostname: "manager",
      wallAheadMs: () => this.wallAheadMs,
      ...(makeFiles === undefined ? {} : { makeFiles }),
    });
    this.processes.add(process);
    this.#beganMs.set(process, timeline.nowMs);
    return process;
  }

  /** The process has done its work. */
  finish(process: SimProcess): void {
    process.isFinished = true;
    process.kill();
    this.processes.delete(process);
  }

  /** Power is gone. `keep`: the part of what was not synced that reached the disk all the same. */
  powerCut(keep: number): void {
    for (const process of this.processes) process.kill();
    this.processes.clear();
    for (const connection of [...this.connections]) connection.powerLost();
    this.disk.powerCut(keep);
    this.#parts.hostOf("localhost")?.powerOff();
    this.#parts.hostOf("localhost")?.powerOn();
  }

  /** Somebody sets the wall clock. */
  setClock(aheadMs: number): void {
    this.wallAheadMs = aheadMs;
    this.wallAhead.least = Math.min(this.wallAhead.least, aheadMs);
    this.wallAhead.most = Math.max(this.wallAhead.most, aheadMs);
  }

  /** True if what was decided a while ago may be written only now. */
  get wasFullLately(): boolean {
    if (GatedFiles.fullDisks.has(this.disk)) return true;
    const roomMs = this.#fullMs + LATE_MS;
    // One that stood still when there was room again writes when it goes on.
    const late = [...this.processes].filter(({ stoodMs }) => stoodMs < roomMs).map(({ wentOnMs }) =>
      wentOnMs + LATE_MS
    );
    return this.#parts.timeline.nowMs < Math.max(roomMs, ...late);
  }

  setFull(full: boolean): void {
    this.#fullMs = this.#parts.timeline.nowMs;
    if (full) GatedFiles.fullDisks.add(this.disk);
    else GatedFiles.fullDisks.delete(this.disk);
    const local = this.#parts.hostOf("localhost");
    if (local !== undefined) local.isFull = full;
    if (local !== undefined && full) local.wasFull = true;
  }

  #spawn(process: SimProcess, command: readonly string[]): SimChild {
    if (command[0] === "tar") return spawnTar(process, this.disk, command);
    const isLocal = command[0] === "sh";
    const at = command.indexOf("--");
    const user = command[command.indexOf("-l") + 1];
    const key = isLocal ? "localhost" : `${user}@${command[at + 1]}`;
    const host = this.#parts.hostOf(key);
    if (!isLocal && (command[0] !== "ssh" || at < 0)) throw new Error(`Cannot start ${command[0]}: no such program`);
    if (host === undefined) throw new Error(`Cannot start ssh: there is no host ${key}`);
    const isCopy = command[isLocal ? 2 : at + 2]?.includes("printf %b") === true;
    const connection = new Connection({
      process,
      host,
      name: key,
      timeline: this.#parts.timeline,
      random: randomOf(this.#parts.seed, `connection ${++this.#opened}`),
      isLocal,
      isCopy,
      garble: this.#parts.garble,
      onClosed: (closed) => this.connections.delete(closed),
    });
    this.connections.add(connection);
    if (isCopy && this.breakCopyMs !== null) {
      this.#parts.timeline.after(this.breakCopyMs, () => connection.reset());
      this.breakCopyMs = null;
    }
    return connection.child;
  }
}
