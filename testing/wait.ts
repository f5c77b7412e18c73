/**
 * Waiting in tests: by condition, with a limit, never for a fixed time.
 *
 * @module
 */

/** Pauses between two looks, in ms: the first ones are short, so that a quick thing costs little. */
const firstPauseMs = 10;
const longestPauseMs = 50;

/**
 * Looks again and again until `condition` gives something truthy, and returns that.
 *
 * @param describe What is waited for. A function is called at the limit and tells the last state.
 * @param condition Looked at every 10 to 50 ms. If it throws, that counts as "not yet" and is told at the limit.
 * @param options `limitMs`: 30 s unless given. There is always one last look at the limit.
 * @throws {Error} At the limit; the message has the description and what the condition last gave or threw.
 */
export async function waitUntil<T>(
  describe: string | (() => string | Promise<string>),
  condition: () => T | Promise<T>,
  options: { limitMs?: number } = {},
): Promise<T> {
  const limitMs = options.limitMs ?? 30_000;
  const endMs = performance.now() + limitMs;
  let pauseMs = firstPauseMs;
  while (true) {
    // Read before the look: a look that began before the limit is not the last one.
    const isLast = performance.now() >= endMs;
    let last: string;
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value;
      last = Deno.inspect(value);
    } catch (error) {
      cause = error;
      last = error instanceof Error ? `${error.name}: ${error.message}` : Deno.inspect(error);
    }
    if (isLast) {
      const what = typeof describe === "string" ? describe : await describe();
      throw new Error(`Waited ${limitMs} ms in vain for ${what}: the condition last gave ${last}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
  }
}
