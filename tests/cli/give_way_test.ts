/** Who looks at a large queue that runs has a lower priority than the run. */
import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { createQueue } from "../../src/operations/create_queue.ts";
import { giveWay } from "../../src/cli/queue/give_way.ts";
import { onFiles, put } from "../store/support.ts";

Deno.test("giveWay() takes a lower priority only for a large queue that runs", () =>
  onFiles(async ({ deps, ref }) => {
    let times = 0;
    const counted = { ...deps, giveWay: () => Promise.resolve(void times++) };
    await createQueue(deps, { queue: ref });
    const queue = await openQueue(deps, ref);
    await queue.claimRun("r");
    await queue.commit(() => [put("a", "true")]);
    await queue.checkpoint("always");
    await giveWay(counted, ref);
    assert.equal(times, 0, "it is small");
    await queue.commit(() => Array.from({ length: 50 }, (_, i) => put(`job${i}`, `: ${"x".repeat(90_000)}`)));
    await queue.checkpoint("always");
    await giveWay(counted, ref);
    assert.equal(times, 1);
    await queue.endRun("always", () => true);
    await giveWay(counted, ref);
    assert.equal(times, 1, "nothing runs");
    queue.close();
  }));

Deno.test("a process that gives way has a lower priority, and keeps one that is lower still", async () => {
  const text = (nice: number) =>
    `const { setPriority, getPriority } = await import("node:os"); setPriority(${nice});
    const { realDeps } = await import("${new URL("../../src/deps_real.ts", import.meta.url)}");
    await realDeps().giveWay(); console.log(getPriority());`;
  for (const [before, after] of [[0, 5], [9, 9]] as const) {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", text(before)] }).output();
    assert.equal(new TextDecoder().decode(stdout).trim(), String(after));
  }
  assert.ok(realDeps().giveWay !== undefined);
});
