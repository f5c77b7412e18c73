/**
 * What runs tell a web address of their jobs and their end, in some worlds, and who watches it: each end is told once,
 * nothing is told that did not happen, and the end of a run that was killed is told by the next.
 *
 * @module
 */

import type { Post } from "../deps.ts";
import type { SimProcess } from "./process.ts";
import { type Random, randomOf } from "./random.ts";
import type { Scenario } from "./scenario.ts";

const WEBHOOK = "http://address/told";
/** So often an address may say that it cannot, of one text; a run says it three times. */
const MOST_REFUSALS = 2;
/** What waits while a process stands still is given up by it. */
const REST_MS = 120_000;

/** What it needs of the world. */
export interface ToldParts {
  /** True if a file says that somebody is to be told. */
  readonly isOwed: () => boolean;
  /** True if a disk was full a moment ago. */
  readonly isLate: () => boolean;
  readonly fail: (text: string) => void;
}

/** What one run has written, and told. */
interface Told {
  readonly isWished: boolean;
  /** Somebody had to be told of the end of an earlier run when this one began. */
  readonly isOwed: boolean;
  /** States in which jobs were over, by name. */
  readonly written: Map<string, string[]>;
  /**
   * The same that other processes wrote of jobs that this run had given up: where a command asked the host in the same
   * moment as the run, it may have written first what both know, and the run tells.
   */
  readonly mended: Map<string, string[]>;
  readonly told: Map<string, string[]>;
  /** Names whose job the last record but one has ended. */
  readonly fresh: Set<string>;
  ends: number;
  isBegun: boolean;
}

/** Knows who was told of what. */
export class ToldWatch {
  readonly #random: Random;
  readonly #isPlayed: boolean;
  readonly #runs = new Map<SimProcess, Told>();
  /** Names of jobs that were replaced or deleted: what was decided about them is dropped. */
  readonly #loose = new Set<string>();
  readonly #parts: ToldParts;

  constructor({ seed, faults }: Scenario, parts: ToldParts) {
    this.#random = randomOf(seed, "webhook");
    this.#isPlayed = faults.length > 0 && this.#random.chance(0.3);
    this.#parts = parts;
  }

  /** A run begins. @returns What it is asked for; null in worlds without. */
  begins(process: SimProcess): { readonly wishes: { readonly webhook?: string }; readonly post: Post } | null {
    if (!this.#isPlayed) return null;
    const isWished = this.#random.chance(0.7);
    const told: Told = {
      isWished,
      isOwed: this.#parts.isOwed() && this.#runs.size === 0,
      written: new Map(),
      mended: new Map(),
      told: new Map(),
      fresh: new Set(),
      ends: 0,
      isBegun: false,
    };
    this.#runs.set(process, told);
    return { wishes: isWished ? { webhook: WEBHOOK } : {}, post: this.#postOf(process, told) };
  }

  /** The run is at work: what it owes is noted. */
  begun(process: SimProcess): void {
    const told = this.#runs.get(process);
    if (told !== undefined) told.isBegun = true;
  }

  /** It was killed. */
  killed(process: SimProcess): void {
    const told = this.#runs.get(process);
    this.#runs.delete(process);
    if (told?.isBegun && told.isWished && !this.#parts.isOwed() && told.ends === 0 && !this.#parts.isLate()) {
      this.#parts.fail(`${process.name} was killed, and nobody knows that its end is to be told`);
    }
  }

  /** Bytes are about to be read of the journal. */
  batch(process: SimProcess): void {
    this.#runs.get(process)?.fresh.clear();
  }

  /** A record that settles what is to become of a name. */
  record(process: SimProcess, name: string, type: string, status: string | null): void {
    if (type !== "set" && !process.name.startsWith("setup#")) this.#loose.add(name);
    const told = this.#runs.get(process);
    if (status === null) return;
    const isOver = /^(end|kill|crash|fail_start)$/.test(status);
    if (told === undefined) {
      const runs = isOver ? this.#runs.values() : [];
      for (const { written, mended } of runs) if (written.get(name)?.at(-1) === "crash") add(mended, name, status);
    } else if (isOver) {
      add(told.written, name, status);
      told.fresh.add(name);
    } else if (told.fresh.delete(name)) told.written.get(name)?.pop(); // Another try follows.
  }

  /** The run has ended, and told all. */
  finished(process: SimProcess, nowMs: number): void {
    const told = this.#runs.get(process);
    this.#runs.delete(process);
    if (told === undefined) return;
    const say = (text: string): void => this.#parts.fail(`${process.name} ${text}`);
    if (nowMs - process.wentOnMs < REST_MS) return;
    if (told.ends === 0 && (told.isWished || told.isOwed)) say("has ended, and nobody is told");
    if (!told.isWished) return;
    for (const [name, states] of told.written) {
      const said = told.told.get(name) ?? [];
      const all = [...states, ...told.mended.get(name) ?? []];
      if (this.#loose.has(name) || isAmong(states, said) && isAmong(said, all)) continue;
      say(`tells that ${name} became ${told.told.get(name)?.join() ?? "nothing"}, and wrote ${states.join()}`);
    }
  }

  #postOf(process: SimProcess, told: Told): Post {
    const refusals = new Map<string, number>();
    return async (_url, body) => {
      if (!process.step()) return await new Promise(() => {});
      const count = refusals.get(body) ?? 0;
      const isRefused = count < MOST_REFUSALS && this.#random.chance(0.15);
      refusals.set(body, count + 1);
      await process.pause(this.#random.logBetween(1, 300));
      if (!process.step()) return await new Promise(() => {});
      if (!isRefused) this.#take(process, told, JSON.parse(body));
      return isRefused ? 503 : 200;
    };
  }

  #take(process: SimProcess, told: Told, body: { event: string; job?: string; state: string }): void {
    if (body.event === "run") {
      if (++told.ends > 1) this.#parts.fail(`${process.name} tells of its end twice`);
      return;
    }
    const name = body.job ?? "";
    add(told.told, name, body.state);
    const all = [...told.written.get(name) ?? [], ...told.mended.get(name) ?? []];
    if (this.#loose.has(name) || isAmong(told.told.get(name)!, all)) return;
    const written = told.written.get(name)?.join() ?? "nothing";
    this.#parts.fail(`${process.name} tells that ${name} became ${told.told.get(name)!.join()}, and wrote ${written}`);
  }
}

function add(to: Map<string, string[]>, name: string, state: string): void {
  const known = to.get(name);
  if (known === undefined) to.set(name, [state]);
  else known.push(state);
}

/** True if each of these is there at least as often. */
function isAmong(some: readonly string[], all: readonly string[]): boolean {
  const count = (list: readonly string[], state: string): number => list.filter((one) => one === state).length;
  return some.every((state) => count(some, state) <= count(all, state));
}
