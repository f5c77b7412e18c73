/** Queues and runs without trouble. */
import type { World } from "./world.ts";

/** `job0`, `job1` ... */
export function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `job${i}`);
}

/** Runs to the end without trouble. */
export function runQuietly(world: World): void {
  world.runToEnd(0, { troubleSteps: 0, steps: 20_000 });
}
