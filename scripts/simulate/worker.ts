/**
 * Plays worlds on a thread of its own: takes `{from, count, sizes}`, answers with one `Result` for each and then
 * `null`.
 *
 * @module
 */

import type { ScenarioSizes } from "../../src/simulation/scenario.ts";
import { simulate } from "../../src/simulation/simulate.ts";
import { turn } from "../../testing/turn.ts";

/** What a worker is asked for. */
export interface Batch {
  readonly from: number;
  readonly count: number;
  readonly sizes: ScenarioSizes;
}

/** What became of one world. */
export interface Result {
  readonly seed: number;
  readonly violation: string | null;
  readonly events: number;
  readonly starts: number;
}

interface Scope {
  onmessage: ((message: MessageEvent<Batch>) => void) | null;
  postMessage(message: Result | null): void;
}

const scope = self as unknown as Scope;
scope.onmessage = async ({ data: { from, count, sizes } }) => {
  for (let seed = from; seed < from + count; seed++) {
    const { violation, events, starts } = await simulate(seed, sizes, { turn });
    scope.postMessage({ seed, violation, events, starts });
  }
  scope.postMessage(null);
};
