/**
 * Tests that need a Slurm: apart from `need.ts`, so that only they look whether there can be one.
 *
 * @module
 */

import { needTest } from "./need.ts";
import { sharedSlurm, type SlurmRig, whyNoSlurm } from "./slurm.ts";

const whyNot = await whyNoSlurm();

/**
 * A test with the shared Slurm, which has no jobs when the body begins, and its hosts, which are as new. Skipped where
 * there can be none.
 */
export function slurmTest(name: string, fn: (rig: SlurmRig, t: Deno.TestContext) => void | Promise<void>): void {
  needTest(name, whyNot, async (t) => {
    const rig = await sharedSlurm();
    await rig.slurm.reset();
    await rig.hosts.reset();
    // The reset may have ended who was about to remove these.
    for (const node of rig.slurm.nodes) await rig.slurm.onNode(node, "rm -rf /tmp/cms*");
    await fn(rig, t);
  });
}
