import assert from "node:assert/strict";
import { canSource, jobScript, PYENV_EXIT_CODE } from "../../src/job/script.ts";

const JOB = { name: "job1", shell: "bash", command: "echo hello", pyenv: null, gpu: null };

Deno.test("jobScript() has the environment, the GPU and the command in the original's order", () => {
  const script = jobScript({ ...JOB, pyenv: "~/ENV3/bin/activate", gpu: "0,1" });
  assert.deepEqual(script.split("\n").slice(0, 5), [
    "#!/usr/bin/env bash",
    "{ source ~/ENV3/bin/activate",
    "} || { echo 'cms: cannot source the pyenv ~/ENV3/bin/activate; the command was not run' >&2; exit 248; }",
    "export CUDA_VISIBLE_DEVICES=0,1",
    "echo hello",
  ]);
});

Deno.test("jobScript() spells the same for other shells", () => {
  const lines = (shell: string): string[] => jobScript({ ...JOB, shell, pyenv: "~/e", gpu: "1" }).split("\n");
  assert.deepEqual(lines("sh").filter((_, i) => i === 1 || i === 3), [
    "{ command . ~/e",
    "export CUDA_VISIBLE_DEVICES=1",
  ]);
  assert.deepEqual(lines("/bin/tcsh").slice(0, 3), [
    "#!/bin/tcsh",
    "source ~/e || exit 248",
    "setenv CUDA_VISIBLE_DEVICES 1",
  ]);
  assert.deepEqual(lines("fish").filter((_, i) => i === 2 || i === 5), [
    "source ~/e",
    "set -gx CUDA_VISIBLE_DEVICES 1",
  ]);
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

/** Runs a script file with a shell in a fresh directory; gives its exit code and stdout. */
async function runScript(shell: string, script: string): Promise<{ code: number; stdout: string }> {
  const cwd = await Deno.makeTempDir({ prefix: "cms-script-" });
  try {
    await Deno.writeTextFile(`${cwd}/job1.sh`, script);
    const out = await new Deno.Command(shell, { args: ["job1.sh"], cwd, stderr: "null" }).output();
    return { code: out.code, stdout: new TextDecoder().decode(out.stdout) };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

for (const shell of ["bash", "dash", "sh", "zsh", "ksh", "tcsh", "fish"]) {
  Deno.test(`a script of ${shell} does not run its command without its pyenv`, async () => {
    const home = await Deno.makeTempDir({ prefix: "cms-pyenv-" });
    try {
      await Deno.writeTextFile(`${home}/false`, "false\n");
      await Deno.writeTextFile(`${home}/true`, "true\n");
      const run = (pyenv: string) => runScript(shell, jobScript({ ...JOB, shell, pyenv }));
      assert.deepEqual(await run(`${home}/true`), { code: 0, stdout: "hello\n" });
      assert.deepEqual(await run(`${home}/true;`), { code: 0, stdout: "hello\n" });
      for (const pyenv of ["nosuch", "false", "it's"]) {
        const word = pyenv === "it's" ? `"${home}/it's"` : `${home}/${pyenv}`;
        assert.deepEqual(await run(word), { code: PYENV_EXIT_CODE, stdout: "" }, pyenv);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // The machine has no such shell.
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}
