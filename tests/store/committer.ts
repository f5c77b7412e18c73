/**
 * A process for `two_processes_test.ts`: `committer.ts DIRECTORY PREFIX N` adds N jobs, one commit each, and counts in
 * the job `counter`; with the prefix `claim` it takes the right to run the queue and waits to be killed.
 *
 * @module
 */

import { realDeps } from "../../src/deps_real.ts";
import { jobName } from "../../src/names/grammar.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { newJob } from "./support.ts";

const [directory = "", prefix = "", count = "0"] = Deno.args;
const queue = await openQueue(realDeps(), { experiment: "experiment", directory, name: "a" });
if (prefix === "claim") {
  await queue.claimRun("theirs");
  await Deno.stdout.write(new TextEncoder().encode("claimed\n"));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}
const counter = jobName("counter");
for (let i = 0; i < Number(count); i++) {
  await queue.commit(() => {
    const next = Number(queue.jobs.get(counter)!.command) + 1;
    return [{ type: "put", job: newJob(`${prefix}${i}`) }, {
      type: "set",
      job: counter,
      fields: { command: `${next}` },
    }];
  });
  if (i % 40 === 7) await queue.checkpoint("always");
}
queue.close();
