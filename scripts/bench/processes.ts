/**
 * Processes that a bench starts, looks at and ends.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";

/** Of `/proc/PID/stat`, on every Linux that matters. */
const TICKS_PER_S = 100;
const START = /Starting job: /g;

/** Starts one that says nothing on stderr. */
export function start(
  [program = "", ...args]: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  stdout: "piped" | "null",
): Deno.ChildProcess {
  return new Deno.Command(program, { cwd, env, args, stdin: "null", stdout, stderr: "null" }).spawn();
}

/** Ends it, if it goes on. */
export function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch { /* it has ended */ }
}

/** A run, and how many jobs it says that it has started. */
export class CountedRun {
  /** Resolves with the first start, or the end of the run. */
  readonly begun: Promise<void>;
  starts = 0;
  hasEnded = false;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  constructor(command: readonly string[], options: Parameters<typeof start>[1]) {
    const child = this.#child = start(command, options, "piped");
    const begun = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.#reading = (async () => {
      const texts = child.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>);
      for await (const text of texts) {
        this.starts += text.match(START)?.length ?? 0;
        if (this.starts > 0) begun.resolve();
      }
      this.hasEnded = true;
      begun.resolve();
    })();
  }

  /** Ends it, and waits until it has. */
  async end(): Promise<void> {
    end(this.#child);
    await Promise.all([this.#reading.catch(() => {}), this.#child.status]);
  }
}

/** Processor time of a process, without its children, in seconds. @throws {Error} If it has ended. */
export function cpuOf(pid: number): number {
  // The program's name, in brackets, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/**
 * Memory of a process and of all that it has started, in MB: of what several share each counts its part (PSS). What
 * ends meanwhile counts nothing.
 */
export function treeMemoryOf(pid: number): number {
  try {
    const kb = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter((child) => child.trim() !== "")
    );
    return children.reduce((sum, child) => sum + treeMemoryOf(Number(child)), Number(kb ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** A field of `/proc/PID/status` in MB, such as VmHWM; null if it is not there. @throws {Error} If it has ended. */
export function memoryOf(pid: number, field: string): number | null {
  const kb = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return kb === undefined ? null : Number(kb) / 1024;
}
