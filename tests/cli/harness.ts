/**
 * Runs `cms` inside the test process: real files in a temporary directory, a terminal that records.
 *
 * @module
 */

import { cms } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/io.ts";
import type { Deps } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";

/** What a command printed, and its exit status. */
export interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly status: number;
}

/** A terminal that records; by default a pipe. */
export class FakeTerminal implements Terminal {
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** What is on standard input. */
  input = "";
  /** All writes in order. */
  readonly writes: { to: "out" | "err"; text: string }[] = [];
  readonly stop = new AbortController();
  readonly leave = new AbortController();

  constructor(isTerminal = false) {
    this.outIsTerminal = isTerminal;
    this.errIsTerminal = isTerminal;
  }

  out(text: string): void {
    this.writes.push({ to: "out", text });
  }

  err(text: string): void {
    this.writes.push({ to: "err", text });
  }

  bytes(bytes: Uint8Array): Promise<void> {
    this.out(new TextDecoder().decode(bytes));
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  readAll(): Promise<string> {
    return Promise.resolve(this.input);
  }

  async *pieces(): AsyncIterable<string> {
    // In pieces that end anywhere.
    for (let at = 0; at < this.input.length; at += 5000) yield await Promise.resolve(this.input.slice(at, at + 5000));
  }

  columns(): number {
    return 100;
  }

  interrupts(): { stop: AbortSignal; leave: AbortSignal; release(): void } {
    return { stop: this.stop.signal, leave: this.leave.signal, release: () => {} };
  }

  text(to: "out" | "err"): string {
    return this.writes.filter((write) => write.to === to).map((write) => write.text).join("");
  }
}

/** A working directory with what is needed to run commands in it. */
export interface Place {
  readonly directory: string;
  readonly deps: Deps;
  /** Runs a command by its words. */
  run(...args: string[]): Promise<Outcome>;
  /** Runs a command and gives its stdout; fails if the status is not 0 or anything is on stderr. */
  ok(...args: string[]): Promise<string>;
}

/** Calls `use` with a fresh directory, which is removed at the end. */
export async function withPlace(
  use: (place: Place) => Promise<void>,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "cms-cli-" });
  const real = realDeps();
  const deps: Deps = {
    ...real,
    environment: {
      get: (name) => environment[name],
      cwd: () => directory,
      user: () => "tester",
      hostname: () => "manager",
      pid: real.environment.pid,
    },
  };
  async function run(...args: string[]): Promise<Outcome> {
    const io = new FakeTerminal();
    const status = await cms(args, deps, io);
    return { out: io.text("out"), err: io.text("err"), status };
  }
  async function ok(...args: string[]): Promise<string> {
    const { out, err, status } = await run(...args);
    if (status !== 0 || err !== "") throw new Error(`cms ${args.join(" ")}: status ${status}: ${err}`);
    return out;
  }
  try {
    await use({ directory, deps, run, ok });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Names of the files in an experiment, without those that begin with a dot; empty if it does not exist. */
export async function filesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name)
      .filter((name) => !name.startsWith(".")).sort();
  } catch {
    return [];
  }
}
