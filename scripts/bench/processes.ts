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
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  constructor(command: readonly string[], options: Parameters<typeof start>[1]) {
    const child = this.#child = start(command, options, "piped");
    this.pid = child.pid;
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

  /** Lets it stop by itself, as Ctrl-C does: its file is written. @returns The most memory that it had, in MB. */
  async stop(): Promise<number> {
    using watch = new ProcessWatch(this.pid);
    this.#child.kill("SIGINT");
    await this.#reading;
    return watch.peakMb;
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

/** How often a process is looked at whose memory is asked for. */
const LOOK_MS = 50;

/** Looks at a process now and then, until it is disposed of. */
export class ProcessWatch implements Disposable {
  /** The most memory that it had at once, in MB (its children are not counted). */
  peakMb = 0;
  /** Its processor time, in seconds. */
  cpuS = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      try {
        const peakMb = memoryOf(pid, "VmHWM");
        if (peakMb === null) return; // It has ended, and only its number is left.
        [this.peakMb, this.cpuS] = [peakMb, cpuOf(pid)];
      } catch { /* it has just ended */ }
    }, LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/**
 * Runs a command to its end: its time, the most memory that it took, its processor time.
 * @throws {Error} If it does not end with 0.
 */
export async function peakOf(
  [program = "", ...args]: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ ms: number; peakMb: number; cpuS: number }> {
  const beganMs = performance.now();
  const child = new Deno.Command(program, { cwd, env, args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  using watch = new ProcessWatch(child.pid);
  const said = await new Response(child.stderr).text();
  const { success } = await child.status;
  const ms = performance.now() - beganMs;
  if (!success) throw new Error(`Cannot run "${[program, ...args].join(" ").slice(0, 200)}": ${said.slice(-500)}`);
  return { ms, peakMb: watch.peakMb, cpuS: watch.cpuS };
}

/** What was seen of a run that was ended after a while. */
export interface CutRun<B> {
  /** From the begin of the process to its first start. */
  readonly firstMs: number;
  readonly starts: number;
  readonly peakMb: number;
  /** Processor time to its first start, and after that. */
  readonly firstCpuS: number;
  readonly cpuS: number;
  /** What was done beside it, in the middle. */
  readonly beside: B;
  /** Starts for each second between two parts of the time, from 0 to 1. */
  rate(from: number, to: number): number;
}

/**
 * Starts a run, and ends it so long after its first start: with `kill -9`, or (`stops`) with Ctrl-C, upon which it
 * writes its file. @throws {Error} If it is over before that.
 */
export async function runFor<B>(
  command: readonly string[],
  options: Parameters<typeof start>[1],
  { spanMs, beside, stops = false }: {
    readonly spanMs: number;
    readonly beside: () => Promise<B>;
    readonly stops?: boolean;
  },
): Promise<CutRun<B>> {
  const beganMs = performance.now();
  const run = new CountedRun(command, options);
  try {
    await run.begun;
    const firstMs = performance.now();
    const firstCpuS = cpuOf(run.pid);
    const counts: [atMs: number, starts: number][] = [[0, run.starts]];
    const until = async (endMs: number): Promise<void> => {
      while (performance.now() - firstMs < endMs && !run.hasEnded) {
        await new Promise((go) => setTimeout(go, LOOK_MS));
        counts.push([performance.now() - firstMs, run.starts]);
      }
    };
    const timer = setInterval(() => counts.push([performance.now() - firstMs, run.starts]), LOOK_MS);
    const done = await until(spanMs / 2).then(beside).finally(() => clearInterval(timer));
    await until(spanMs);
    if (run.hasEnded) throw new Error(`Cannot use the run: it ended after ${run.starts} starts`);
    const at = (part: number) => counts.find(([atMs]) => atMs >= part * spanMs) ?? counts.at(-1)!;
    const cpuS = cpuOf(run.pid) - firstCpuS;
    const { starts } = run;
    return {
      firstMs: firstMs - beganMs,
      starts,
      peakMb: stops ? await run.stop() : memoryOf(run.pid, "VmHWM") ?? 0,
      firstCpuS,
      cpuS,
      beside: done,
      rate: (from, to) => ((at(to)[1] - at(from)[1]) * 1000) / (at(to)[0] - at(from)[0]),
    };
  } finally {
    await run.end();
  }
}
