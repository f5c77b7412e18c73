import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import { processState } from "../../src/operations/process_state.ts";
import { needTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

const whyNoProc = Deno.build.os === "linux" ? null : "process states need /proc";

needTest("processState() tells a process that lives, is stopped, and is gone", whyNoProc, async () => {
  const deps = realDeps();
  // Its name holds what ends a name in /proc/PID/stat.
  const name = await Deno.makeTempDir() + "/a) T (b";
  await Deno.symlink("/bin/sleep", name);
  const child = new Deno.Command(name, { args: ["300"] }).spawn();
  const becomes = (state: string) => waitUntil(state, async () => await processState(deps, child.pid) === state);
  await becomes("alive");
  child.kill("SIGSTOP");
  await becomes("stopped");
  child.kill("SIGKILL");
  await child.status;
  assert.equal(await processState(deps, child.pid), "gone");
  await Deno.remove(name.slice(0, name.lastIndexOf("/")), { recursive: true });
  const none = { spawn: () => assert.fail("no programs here") };
  assert.equal(await processState({ ...deps, processes: none }, Deno.pid), "unknown");
});
