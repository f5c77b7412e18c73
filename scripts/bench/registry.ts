/**
 * The benches there are.
 *
 * @module
 */

import type { Bench } from "./bench.ts";
import { dispatch } from "./benches/dispatch.ts";
import { latencyOf12 } from "./benches/latency_of_12.ts";
import { service } from "./benches/service.ts";
import { start } from "./benches/start.ts";
import { store } from "./benches/store.ts";

/** All of them, in the order in which they run when none is named. */
export const BENCHES: readonly Bench[] = [dispatch, latencyOf12, start, store, service];

/**
 * Those of these names; all if there are none.
 * @throws {RangeError} If there is no bench of a name; the message is one line.
 */
export function benchesOf(names: readonly string[]): readonly Bench[] {
  if (names.length === 0) return BENCHES;
  return names.map((name) => {
    const found = BENCHES.find((bench) => bench.name === name);
    if (found) return found;
    throw new RangeError(`There is no bench "${name}"; there are ${BENCHES.map((bench) => bench.name).join(", ")}`);
  });
}
