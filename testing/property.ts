/**
 * Property tests with the same inputs each time: a failure is the fault of the change at hand. Other inputs come with
 * `CMS_SEED=N`, as the nightly workflow gives it.
 *
 * @module
 */

import fc from "fast-check";

/** The number from which random inputs of tests follow. */
export const SEED = Number(Deno.env.get("CMS_SEED") ?? 1);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });

export default fc;
