import assert from "node:assert/strict";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { onFiles, put } from "./support.ts";

const COMMITS = 300;

Deno.test("two processes with 300 commits each, checkpoints between them, lose nothing", async () => {
  await onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    const first = await openQueue(deps, ref);
    await first.commit(() => [put("counter", "0")]);
    first.close();
    const program = new URL("./committer.ts", import.meta.url).pathname;
    const processes = ["p", "q"].map((prefix) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", program, ref.directory, prefix, `${COMMITS}`],
        stdout: "piped",
        stderr: "piped",
      }).output()
    );
    for (const { code, stderr } of await Promise.all(processes)) {
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
    const queue = await openQueue(deps, ref);
    assert.equal(queue.jobs.get("counter" as never)?.command, `${2 * COMMITS}`);
    for (const prefix of ["p", "q"]) {
      const names = [...queue.jobs.keys()].filter((name) => name.startsWith(prefix));
      assert.deepEqual(names, Array.from({ length: COMMITS }, (_, i) => `${prefix}${i}`));
    }
    queue.close();
  });
});

Deno.test("the right to run a queue is free again when its process is killed", async () => {
  await onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    const program = new URL("./committer.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", program, ref.directory, "claim", "0"],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const queue = await openQueue(deps, ref);
    assert.equal((await queue.claimRun("mine"))?.pid, child.pid);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assert.equal(await queue.runner(), null);
    assert.equal(await queue.claimRun("mine"), null);
    queue.close();
  });
});
