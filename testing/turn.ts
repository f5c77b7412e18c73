/**
 * A turn of the event loop, which a simulated world takes whenever some of the program's code was let go on.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Resolves when all that waits in microtasks has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
