import assert from "node:assert/strict";
import { fileProblem } from "../../src/job/files.ts";
import { jobName } from "../../src/names/grammar.ts";

function problem(output: string, fields: { log?: string; shell?: string; experiment?: string } = {}): string | null {
  const name = jobName("job2");
  const job = { name, output, log: "job2.log", shell: "bash", experiment: "experiment", ...fields };
  const found = fileProblem(job);
  return found === null ? null : `${found.field} ${found.whose}`;
}

Deno.test("fileProblem() names the file of the program, of the log or of another job that a start would empty", () => {
  const own = [
    "job2.bash",
    "./job2.bash",
    "../job2/job2.pid",
    "job2.run",
    "job2.run.3",
    "job2.kill.x.1",
    "job2.limit.x.1",
  ];
  own.push(".cms");
  own.push("~/experiment/job2/job2.bash", "../a-queue.yaml", "../c-cluster.yaml", "../.a-queue.journal", "../.cms/x/y");
  for (const output of own) assert.equal(problem(output), "output a file of the program", output);
  for (
    const output of ["../job1/job1.out", "../job1/job1.sh", "~/experiment/job1/job1.log", "../job1/job1-nohup.log"]
  ) {
    assert.equal(problem(output), "output a file of job job1", output);
  }
  assert.equal(problem("/data/e/job1/job1.run", { experiment: "/data/e" }), "output a file of job job1");
  assert.equal(problem("job2.zsh", { shell: "/usr/bin/zsh" }), "output a file of the program");
  assert.equal(problem("job2.out", { log: "job2.pid" }), "log a file of the program");
  for (const output of ["job2.log", "./job2.log", "~/experiment/job2/job2.log", "~/./experiment/job2//job2.log"]) {
    assert.equal(problem(output), "output the file of its log", output);
  }
  assert.equal(problem("job2.txt", { log: "~/experiment/job2/job2.txt" }), "output the file of its log");
  assert.equal(problem("/e/job2/job2.log", { experiment: "/e" }), "output the file of its log");
});

Deno.test("fileProblem() lets a job write wherever else it likes", () => {
  const fine = [
    "job2.out",
    "result.txt",
    "job2.csv",
    "job2.sh",
    "../all/result.out",
    "~/results/job2.out",
    "/tmp/job1.out",
  ];
  fine.push("job1.bash", "sub/job2.bash", "../job1/data.csv", "job2-nohup.log", "../notes.txt", "~/job1.run");
  for (const output of fine) assert.equal(problem(output), null, output);
});
