/**
 * Keeps a run of a queue going: whenever it ends or is killed, it is started again, as a person or a service manager
 * would.
 *
 * @module
 */

import { waitUntil } from "../../testing/wait.ts";
import type { Manager, Running } from "../../testing/harness.ts";
import type { Journal } from "./deeds.ts";
import type { Random } from "./random.ts";

/** A run may take as long as it likes; the campaign ends it. */
const NO_LIMIT_MS = 24 * 3_600_000;

/** The run of a queue. */
export class Keeper {
  readonly #manager: Manager;
  readonly #args: readonly string[];
  readonly #journal: Journal;
  readonly #random: Random;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;
  /** What each run printed, in order. */
  readonly texts: string[] = [];
  #run: Running | null = null;
  #killed = false;

  /** @param args Of `cms`, such as `queue run fifo ...`. */
  constructor(manager: Manager, args: readonly string[], parts: { journal: Journal; random: Random }) {
    this.#manager = manager;
    this.#args = args;
    this.#journal = parts.journal;
    this.#random = parts.random;
    this.#loop = this.#keep();
  }

  /** The present run; null between two. */
  get run(): Running | null {
    return this.#run;
  }

  /** Ends the present run as a crash of the manager would. @returns False if there is none. */
  async kill9(): Promise<boolean> {
    const run = this.#run;
    if (run === null) return false;
    this.#killed = true;
    await run.kill9();
    return true;
  }

  /** Starts no further runs, and waits for the present one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#killed = false;
      const run = this.#manager.spawn([`${this.#manager.bin}/cms`, ...this.#args], { limitMs: NO_LIMIT_MS });
      this.#run = run;
      const { code } = await run.ended();
      this.#run = null;
      const text = run.text;
      this.texts.push(text);
      this.#judge(code, text);
      this.#countWords(text);
      const pauseMs = this.#killed ? this.#random.between(0, 1_500) : 500;
      const atMs = performance.now() + pauseMs;
      await waitUntil("the next run", () => signal.aborted || performance.now() >= atMs, { limitMs: pauseMs + 10_000 });
    }
  }

  /** A run ends with one of its statuses, or because it was killed. */
  #judge(code: number, text: string): void {
    const end = `${text.slice(-1500)}`;
    if (this.#killed ? code !== 137 && ![0, 1, 2].includes(code) : ![0, 1, 2].includes(code)) {
      this.#journal.find("program", `a run ended with ${code}:\n${end}`);
    }
    findTraces(this.#journal, "a run", text);
    if (this.#killed) return this.#journal.tell("the run is dead");
    const said = text.trim().split("\n").filter((line) => /^(WARNING|ERROR)/.test(line)).at(-1) ?? "";
    this.#journal.tell(`the run ended with ${code}${said && `: ${said.slice(0, 160)}`}`);
    if (code === 2) this.#journal.count("(runs)", "refused to begin");
  }

  /** What the runs said that they found. */
  #countWords(text: string): void {
    const words: [string, RegExp][] = [
      ["found running from before", /^INFO: Job \S+ still runs on/gm],
      ["found ended meanwhile", /^INFO: Job \S+ of an earlier run on/gm],
      ["host back", /^INFO: Host \S+ responds again/gm],
      ["host away", /not responding to probe check/gm],
      ["job given up", /did not answer for/gm],
      ["nothing could be written", /no job starts until it can be written/gm],
      ["edit not taken", /was not (taken|deleted)/gm],
    ];
    this.#journal.count("(runs)", "begun");
    for (const [word, pattern] of words) {
      for (const _ of text.matchAll(pattern)) this.#journal.count("(runs)", word);
    }
  }
}

/** Notes a stack trace in what a program printed. */
export function findTraces(journal: Journal, what: string, text: string): void {
  const trace = /^\s+at .*$|^error: Uncaught.*$/m.exec(text);
  if (trace !== null) journal.find("program", `${what} printed a stack trace:\n${text.slice(-1500)}`);
}
