import assert from "node:assert/strict";
import { canSource, jobScript } from "../../src/job/script.ts";

const JOB = { name: "job1", shell: "bash", command: "echo hello", pyenv: null, gpu: null };

Deno.test("jobScript() has the environment, the GPU and the command in the original's order", () => {
  const script = jobScript({ ...JOB, pyenv: "~/ENV3/bin/activate", gpu: "0,1" });
  assert.deepEqual(script.split("\n").slice(0, 4), [
    "#!/usr/bin/env bash",
    "source ~/ENV3/bin/activate",
    "export CUDA_VISIBLE_DEVICES=0,1",
    "echo hello",
  ]);
});

Deno.test("jobScript() spells the same for other shells", () => {
  const lines = (shell: string): string[] => jobScript({ ...JOB, shell, pyenv: "~/e", gpu: "1" }).split("\n");
  assert.deepEqual(lines("sh").slice(1, 3), [". ~/e", "export CUDA_VISIBLE_DEVICES=1"]);
  assert.deepEqual(lines("/bin/tcsh").slice(0, 3), ["#!/bin/tcsh", "source ~/e", "setenv CUDA_VISIBLE_DEVICES 1"]);
  assert.deepEqual(lines("fish").slice(1, 3), ["source ~/e", "set -gx CUDA_VISIBLE_DEVICES 1"]);
  assert.deepEqual(lines("python3"), ["#!/usr/bin/env python3", "echo hello", ""]);
  assert.equal(canSource("/opt/bin/zsh"), true);
  assert.equal(canSource("python3"), false);
});

Deno.test("jobScript() leaves out what is empty, and lets no GPU value become code", () => {
  assert.equal(jobScript({ ...JOB, pyenv: "", gpu: "" }).split("\n")[1], "echo hello");
  assert.ok(jobScript({ ...JOB, gpu: "0; touch pwned" }).includes("='0; touch pwned'"));
});

Deno.test("jobScript() ends with the command: nothing of the program's follows it", () => {
  for (const shell of ["bash", "zsh", "sh", "fish", "python3"]) {
    for (const command of ["cat <<X", "exit() { :; }", "echo a \\", "echo 'b"]) {
      assert.ok(jobScript({ ...JOB, shell, command }).endsWith(`\n${command}\n`));
    }
  }
});
