/**
 * A run of the program, looked at from outside while it goes on: how fast it starts jobs, and what its process uses.
 *
 * @module
 */

import { ProcessWatch } from "./processes.ts";

const MARK = new TextEncoder().encode("Starting job: ");

/** What was seen. */
export interface WatchedRun {
  readonly ms: number;
  /** When the n-th job was told to be started, from 0, in milliseconds since the process's start. */
  readonly startsMs: Float64Array;
  /** The most memory that the process had at once, in MB (its children are not counted). */
  readonly peakMb: number;
  /** Processor time of the process, in seconds. */
  readonly cpuS: number;
}

/**
 * Runs `cms queue run ...` of so many jobs to its end. @throws {Error} If it does not end with 0 or starts fewer jobs.
 */
export async function watchRun(
  [program = "", ...args]: readonly string[],
  { cwd, env, jobs }: { cwd: string; env: Record<string, string>; jobs: number },
): Promise<WatchedRun> {
  const begin = performance.now();
  const child = new Deno.Command(program, { args, cwd, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const noise = new Response(child.stderr).text();
  using watch = new ProcessWatch(child.pid);
  const startsMs = new Float64Array(jobs);
  let count = 0;
  for await (const at of marks(child.stdout)) if (at && count < jobs) startsMs[count++] = performance.now() - begin;
  const { success } = await child.status;
  const ms = performance.now() - begin;
  if (success && count === jobs) return { ms, startsMs, peakMb: watch.peakMb, cpuS: watch.cpuS };
  throw new Error(`Cannot use the run: of ${jobs} jobs ${count} were started: ${(await noise).trim().slice(-500)}`);
}

/** Yields true for each line that tells a start. */
async function* marks(stream: ReadableStream<Uint8Array>): AsyncGenerator<true> {
  let matched = 0;
  for await (const piece of stream) {
    for (const byte of piece) {
      matched = byte === MARK[matched] ? matched + 1 : byte === MARK[0] ? 1 : 0;
      if (matched < MARK.length) continue;
      matched = 0;
      yield true;
    }
  }
}
