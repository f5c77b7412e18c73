/**
 * Many worlds on several threads.
 *
 * @module
 */

import type { ScenarioSizes } from "../../src/simulation/scenario.ts";
import type { Batch, Result } from "./worker.ts";

const BATCH = 20;

/** What to play, and who hears of each world. */
export interface ManyOptions {
  readonly seed: number;
  readonly seeds: number;
  readonly workers: number;
  readonly sizes: ScenarioSizes;
  readonly onResult: (result: Result) => void;
}

/** Plays the worlds of consecutive seeds. */
export async function playMany({ seed, seeds, workers, sizes, onResult }: ManyOptions): Promise<void> {
  let next = seed;
  const end = seed + seeds;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      const give = (): void => {
        if (next >= end) {
          worker.terminate();
          return resolve();
        }
        const batch: Batch = { from: next, count: Math.min(BATCH, end - next), sizes };
        next += batch.count;
        worker.postMessage(batch);
      };
      worker.onmessage = ({ data }: MessageEvent<Result | null>) => data === null ? give() : onResult(data);
      worker.onerror = (event) => {
        event.preventDefault();
        worker.terminate();
        reject(new Error(event.message));
      };
      give();
    });
  await Promise.all(Array.from({ length: Math.min(workers, Math.ceil(seeds / BATCH)) }, one));
}
