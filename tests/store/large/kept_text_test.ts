import assert from "node:assert/strict";
import fc from "../../../testing/property.ts";
import type { Job } from "../../../src/job/job.ts";
import { parseJobs, renderJobs } from "../../../src/store/yaml/job_record.ts";
import { KeptText } from "../../../src/store/large/kept_text.ts";
import { summaryOf } from "../../../src/store/large/summary.ts";
import { memoryDeps, MemoryFiles } from "../../../testing/memory_files.ts";
import { newJob } from "../support.ts";

const { clock } = memoryDeps(new MemoryFiles());
const at = { shown: "a-queue.yaml", experiment: "experiment" };

function mapOf(jobs: readonly Job[]): Map<Job["name"], Job> {
  return new Map(jobs.map((job) => [job.name, job]));
}

/** Ids of which some begin a new piece. */
const someJobs = fc.uniqueArray(fc.nat(300), { minLength: 1, maxLength: 30 }).map((numbers) =>
  numbers.map((n) =>
    newJob(`j${n}`, n % 5 === 0 ? "é\nb" : "true", { id: `${n}`.padStart(30, "a") + (n % 3 === 0 ? "00" : "a1") })
  )
);

Deno.test("KeptText gives the text of the jobs, whatever it wrote or read before", async () => {
  const edit = fc.record({ at: fc.nat(30), what: fc.constantFrom("change", "remove", "add", "move", "read") });
  await fc.assert(
    fc.asyncProperty(someJobs, fc.array(edit, { maxLength: 8 }), async (jobs, edits) => {
      const text = new KeptText();
      let present = [...jobs];
      for (const [i, { at: place, what }] of edits.entries()) {
        const index = place % Math.max(1, present.length);
        const job = present[index];
        if (what === "add") present.splice(index, 0, newJob(`new${i}`, "x", { id: `${i}`.padStart(32, "b") }));
        else if (job !== undefined && what === "change") present[index] = { ...job, command: `sleep ${i}` };
        else if (job !== undefined && what === "remove") present.splice(index, 1);
        else if (job !== undefined && what === "move") present.push(...present.splice(index, 1));
        else if (present.length > 0) {
          const file = renderJobs(mapOf(present));
          const taker = text.taker();
          // In parts, as a large one is read.
          const half = file.indexOf("\nj", Math.floor(file.length / 2)) + 1;
          present = [file.slice(0, half), file.slice(half)].filter((part) => part !== "").flatMap((part) => {
            const jobs = [...parseJobs(part, at, taker.part(part)).values()];
            taker.read(jobs);
            return jobs;
          });
        }
        const { pieces, summary } = await text.render(mapOf(present).values(), clock);
        const decoder = new TextDecoder();
        assert.equal(pieces.map((piece) => decoder.decode(piece)).join(""), renderJobs(mapOf(present)));
        assert.deepEqual(summary, summaryOf(present, summary.since));
      }
    }),
    { numRuns: 300 },
  );
});
