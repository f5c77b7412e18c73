import assert from "node:assert/strict";
import type { SlurmFields } from "../../src/cluster/slurm_entry.ts";
import { expandNodes, parseLeft, parseSights, parseSubmitted, wordsOf } from "../../src/slurm/parse.ts";
import { readSaid } from "../../src/slurm/site.ts";
import { entryWords } from "../../src/slurm/words.ts";

Deno.test("parseSights() reads what squeue prints of an array, and passes over what is no job", () => {
  const sights = parseSights(`slurm_load_jobs: warning
cms-a-1|7|0|8|RUNNING|n[1-2]|0|1795952199|3:59:58|None|
cms-a-1|7|1|7|PENDING||0|1795990000|4:00:00|Resources, and | more|
cms-a-1|7|2|9|CANCELLED|n1|1|1795952199|3:50:00|None|
cms-a-1|7|3|10|TIMEOUT|n1|0|1795952199|0:00|TimeLimit|
cms-a-1|7|4|11|NEW_WORD|n1|0|1795952199|0:00|None|
cms-b-1|12|N/A|12|FAILED|n1|0|N/A|INVALID|JobLaunchFailure|
`);
  const of = (name: string, array: string, task: number) => ({ name, array, task, restarts: 0, leftMs: null });
  assert.deepEqual(sights, [
    {
      ...of("cms-a-1", "7", 0),
      ...{ job: "8", state: "running", reason: "RUNNING", nodes: ["n1", "n2"], started: "1795952199" },
      leftMs: (4 * 3600 - 2) * 1000,
    },
    {
      ...of("cms-a-1", "7", 1),
      ...{ job: null, state: "pending", reason: "Resources, and | more", nodes: [], started: null },
    },
    {
      ...of("cms-a-1", "7", 2),
      ...{ job: "9", state: "over", reason: "CANCELLED", nodes: ["n1"], started: "1795952199", restarts: 1 },
    },
    {
      ...of("cms-a-1", "7", 3),
      ...{ job: "10", state: "over", reason: "TIMEOUT", nodes: ["n1"], started: "1795952199" },
    },
    // Not over: what runs there may live.
    {
      ...of("cms-a-1", "7", 4),
      ...{ job: "11", state: "ending", reason: "NEW_WORD", nodes: ["n1"], started: "1795952199" },
    },
    {
      ...of("cms-b-1", "12", 0),
      ...{ job: "12", state: "over", reason: "FAILED (JobLaunchFailure)", nodes: ["n1"], started: null },
    },
  ]);
});

Deno.test("expandNodes() and parseLeft() read lists of nodes and times as Slurm writes them", () => {
  assert.deepEqual(expandNodes("n1,gpu[08-10,7],r[1-2]c[1-2]"), [
    ...["n1", "gpu08", "gpu09", "gpu10", "gpu7"],
    ...["r1c1", "r1c2", "r2c1", "r2c2"],
  ]);
  assert.deepEqual(expandNodes(""), []);
  assert.deepEqual(expandNodes("(null)"), []);
  assert.deepEqual(["1-00:00:01", "2:03:04", "0:30", "UNLIMITED", "INVALID"].map(parseLeft), [
    86_401_000,
    7_384_000,
    30_000,
    null,
    null,
  ]);
});

Deno.test("parseSubmitted() takes no answer for a refusal, and keeps Slurm's words", () => {
  const err = "sbatch: error: Memory specification can not be satisfied\n" +
    "sbatch: error: Batch job submission failed: Requested node configuration is not available\n";
  assert.deepEqual(parseSubmitted({ out: "12;cluster\n", err: "sbatch: a hint\n", code: 0 }), {
    type: "submitted",
    job: "12",
  });
  assert.deepEqual(parseSubmitted({ out: "", err, code: 1 }), {
    type: "refused",
    reason:
      "Memory specification can not be satisfied; Batch job submission failed: Requested node configuration is not available",
  });
  for (
    const [words, code] of [
      ["Batch job submission failed: Socket timed out on send/recv operation", 1],
      ["Batch job submission failed: Unable to contact slurm controller (connect failure)", 1],
      ["Batch job submission failed: Zero Bytes were transmitted or received", 1],
      ["Slurm temporarily unable to accept job, sleeping and retrying", 124],
      ["", 137],
      ["", 0],
    ] as const
  ) {
    assert.equal(parseSubmitted({ out: "", err: `sbatch: error: ${words}\n`, code }).type, "unknown", words);
  }
  assert.equal(wordsOf("scancel: error: Kill job error\n\nscancel: error: Kill job error\n"), "Kill job error");
});

Deno.test("readSaid() finds what commands said between what login shells say", () => {
  const text = "Welcome\nT out\n1\n\n2\nT err\na: b\nT end 1\n\nT out\n\nT err\n\nT end 0\nT out\nbroken off";
  assert.deepEqual(readSaid(text, "T"), [{ out: "1\n\n2", err: "a: b", code: 1 }, { out: "", err: "", code: 0 }]);
});

Deno.test("entryWords() says what an entry is for sbatch, and the words of `extra` last", () => {
  const entry: SlurmFields = {
    ...{ partition: "gpu", account: "proj", qos: "long", time: "90s", nodes: 2, gpus: 4, cpus: 8, memory: "1.5G" },
    ...{ constraint: "a100&ib", extra: "--exclusive  --mail-type=END", allocations: 3, idle: "5m" },
    jobsPerAllocation: 0,
    link: "srun",
  };
  assert.deepEqual(entryWords(entry).slice(4), [
    ...["--time=2", "--nodes=2", "--ntasks-per-node=1", "--partition=gpu", "--account=proj", "--qos=long"],
    ...["--constraint=a100&ib", "--cpus-per-task=8", "--mem=1536M", "--gres=gpu:4", "--exclusive", "--mail-type=END"],
  ]);
  const bare = { ...entry, partition: null, account: null, qos: null, gpus: 0, cpus: 0, memory: null };
  assert.deepEqual(entryWords({ ...bare, constraint: null, extra: null }).slice(4), [
    "--time=2",
    "--nodes=2",
    "--ntasks-per-node=1",
  ]);
});
