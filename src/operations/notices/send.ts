/**
 * Tells a command or a web address, within a time limit.
 *
 * @module
 */

import type { Child, Deps } from "../../deps.ts";
import { shortened } from "../../names/some_names.ts";
import type { Notice } from "./notice.ts";

/** How long a command may take, and all tries of a webhook together. */
export const LIMIT_MS = 60_000;
/** Pauses before the second and the third try of a webhook. */
const PAUSES_MS = [0, 1_000, 5_000] as const;
/** How long one try may take. */
const TRY_MS = 18_000;
const KEPT_BYTES = 4096;

/** How something was told: null, or why it could not be. */
export type Failure = string | null;

/** Runs a command of the shell. `limitMs`: how long it may take; it is killed then, with all that it started. */
export async function runCommand(
  deps: Deps,
  command: string,
  { variables }: Notice,
  limitMs: number = LIMIT_MS,
): Promise<Failure> {
  let child: Child;
  try {
    // The service's password is none of its business.
    const words = ["sh", "-c", 'unset CMS_USER CMS_PASSWORD; eval "$1"', "sh", command];
    child = deps.processes.spawn(words, { cwd: deps.environment.cwd(), env: { ...variables } });
  } catch (error) {
    return (error as Error).message;
  }
  void child.stdin.close().catch(() => {});
  // What it leaves behind may hold these open for ever.
  void child.stdout.pipeTo(new WritableStream()).catch(() => {});
  const errors = new LastText(child.stderr);
  const over = new AbortController();
  let isLate = false;
  void deps.clock.sleepUntil(deps.clock.now() + limitMs, over.signal).then(() => {
    if (over.signal.aborted) return;
    isLate = true;
    killGroup(deps, child.pid);
  });
  const { code } = await child.ended;
  over.abort();
  // What it leaves behind is read as long as this process is there, and does not keep it.
  child.unref?.();
  if (isLate) return `it took longer than ${limitMs / 1000} s`;
  if (code === 0) return null;
  const last = errors.line;
  return `exit code ${code}${last === "" ? "" : `: ${last}`}`;
}

function killGroup(deps: Deps, pid: number): void {
  try {
    const kill = deps.processes.spawn(["sh", "-c", 'kill -s KILL -- "-$1"', "sh", String(pid)]);
    void kill.stdin.close().catch(() => {});
    for (const stream of [kill.stdout, kill.stderr]) void stream.cancel().catch(() => {});
  } catch {
    // It is left to itself.
  }
}

/** Posts JSON to an address, three times at most. */
export async function postJson(deps: Deps, url: string, { json }: Notice): Promise<Failure> {
  const { post, clock } = deps;
  if (post === undefined) return "nothing can be posted from here";
  let failure = "";
  for (const pauseMs of PAUSES_MS) {
    await clock.sleepUntil(clock.now() + pauseMs);
    const over = new AbortController();
    const late = new AbortController();
    void clock.sleepUntil(clock.now() + TRY_MS, over.signal).then(() => late.abort());
    try {
      const status = await post(url, JSON.stringify(json), late.signal);
      if (status >= 200 && status < 300) return null;
      failure = `HTTP ${status}`;
      // It has been understood and refused: to say it again helps nobody.
      if (status >= 400 && status < 500 && status !== 408 && status !== 429) return failure;
    } catch (error) {
      failure = late.signal.aborted ? `no answer within ${TRY_MS / 1000} s` : (error as Error).message;
    } finally {
      over.abort();
    }
  }
  return failure;
}

/** Keeps the last of a stream. */
class LastText {
  #bytes = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    void this.#read(stream);
  }

  /** The last line that is not empty. */
  get line(): string {
    return shortened(new TextDecoder().decode(this.#bytes).trim().split("\n").at(-1) ?? "");
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const part of stream) {
        const all = new Uint8Array(this.#bytes.length + part.length);
        all.set(this.#bytes);
        all.set(part, this.#bytes.length);
        this.#bytes = all.slice(-KEPT_BYTES);
      }
    } catch {
      // What came is all.
    }
  }
}
