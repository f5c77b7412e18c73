/** The examples of docs/jobs.md, one after another. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";

const page = await Deno.readTextFile(new URL("../../docs/jobs.md", import.meta.url));
const LINES = page.split("```").filter((_, i) => i % 2 === 1).flatMap((block) => block.split("\n")).filter(Boolean);

Deno.test("the examples of docs/jobs.md work", async () => {
  await using manager = await Manager.make(null);
  for (const line of LINES) {
    const { code, stdout, stderr } = await manager.type(line);
    assert.equal(code, 0, `${line}:\n${stdout}${stderr}`);
    if (line === "cms queue log a seed") assert.match(stdout, /^7 fast in \/.* as a\/seed$/m);
    if (line.includes("gpus,devices")) {
      const devices = [...stdout.matchAll(/^\| gpu\d .*\[(\d)\]/gm)].map(([, id]) => id);
      assert.deepEqual([devices.length, devices.every((id) => id === "0" || id === "1")], [3, true], stdout);
    }
    if (line.includes("--cascade")) assert.match(stdout, /^report .*new_state/m);
    if (line.endsWith("--hosts=localhost")) {
      assert.deepEqual(
        (await manager.states()).filter((job) => !job.startsWith("twice ")),
        ["prep1", "prep2", "train1", "train2", "report"].map((job) => `${job} end`),
      );
    }
  }
});
