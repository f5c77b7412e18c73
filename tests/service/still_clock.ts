/**
 * A clock on which long waits end when a test says so. Short ones are as always.
 *
 * @module
 */

import type { Clock } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";

const LONG_MS = 10_000;

/** See the module's header. */
export class StillClock implements Clock {
  readonly #real = realDeps().clock;
  readonly #waiting = new Set<{ atMs: number; end: () => void }>();
  #passedMs = 0;

  now(): number {
    return this.#real.now() + this.#passedMs;
  }

  epochMs(): number {
    return this.#real.epochMs() + this.#passedMs;
  }

  async sleepUntil(atMs: number, signal?: AbortSignal): Promise<void> {
    if (atMs - this.now() < LONG_MS) return await this.#real.sleepUntil(atMs - this.#passedMs, signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    const one = { atMs, end };
    this.#waiting.add(one);
    signal?.addEventListener("abort", end, { once: true });
    await promise;
    signal?.removeEventListener("abort", end);
    this.#waiting.delete(one);
  }

  /** True if somebody waits, for at most this long from now. */
  waits(ms: number): boolean {
    return [...this.#waiting].some(({ atMs }) => atMs <= this.now() + ms);
  }

  /** Time passes at once. */
  pass(ms: number): void {
    this.#passedMs += ms;
    for (const { atMs, end } of this.#waiting) if (atMs <= this.now()) end();
  }
}
