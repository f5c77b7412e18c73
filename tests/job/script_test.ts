import assert from "node:assert/strict";
import { canSource, jobScript } from "../../src/job/script.ts";

const JOB = { name: "job1", shell: "bash", command: "echo hello", pyenv: null, gpu: null };

/** Runs a script file with a shell in a fresh directory; gives its exit code, stdout, and whether it left `job1.ended`. */
async function runScript(shell: string, script: string): Promise<{ code: number; stdout: string; ended: boolean }> {
  const cwd = await Deno.makeTempDir({ prefix: "cms-script-" });
  try {
    await Deno.writeTextFile(`${cwd}/job1.sh`, script);
    const out = await new Deno.Command(shell, { args: ["job1.sh"], cwd, stderr: "null" }).output();
    const ended = await Deno.stat(`${cwd}/job1.ended`).then(() => true, () => false);
    return { code: out.code, stdout: new TextDecoder().decode(out.stdout), ended };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

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

for (const shell of ["bash", "dash"]) {
  Deno.test(`a script of ${shell} keeps the command's exit code`, async () => {
    for (const code of [0, 1, 3, 127]) {
      const result = await runScript(shell, jobScript({ ...JOB, shell, command: `(exit ${code})` }));
      assert.deepEqual(result, { code, stdout: "", ended: false });
    }
  });

  Deno.test(`a script of ${shell} that ends by itself above 128 leaves its mark, one that is killed does not`, async () => {
    const own = await runScript(shell, jobScript({ ...JOB, shell, command: "(exit 143)" }));
    assert.deepEqual(own, { code: 143, stdout: "", ended: true });
    const killed = await runScript(shell, jobScript({ ...JOB, shell, command: "kill -KILL $$" }));
    assert.equal(killed.ended, false);
  });

  Deno.test(`a command of ${shell} that ends in a backslash or a comment does not swallow the last line`, async () => {
    for (const command of ["echo a \\", "echo a # b", "cat <<E\na\nE"]) {
      const result = await runScript(shell, jobScript({ ...JOB, shell, command }));
      assert.deepEqual(result, { code: 0, stdout: "a\n", ended: false });
    }
  });
}
