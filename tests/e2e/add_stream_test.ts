/** `cms queue add --stdin` as a process of its own: what it has answered outlives it. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { waitUntil } from "../../testing/wait.ts";

/** Jobs without end, one after another. */
const JOBS = `for ((i = 0; ; i++)); do printf '{"name":"j%d","command":"true"}\\n' $i; done`;

Deno.test("a program that adds jobs by --stdin finds all that was answered after kill -9", async () => {
  await using manager = await Manager.make(null);
  await manager.ok("queue", "create", "a");
  const adding = manager.spawn(["bash", "-c", `exec cms queue add a --stdin < <(${JOBS})`]);
  await waitUntil("a few thousand answers", () => adding.stdout.split("\n").length > 3000 || !adding.isRunning);
  adding.signal("SIGKILL");
  await adding.gone;
  assert.equal(adding.stderr, "");
  const answers = adding.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Record<string, string>);
  assert.deepEqual(answers.map(({ name }) => name), answers.map((_, i) => `j${i}`));
  const jobs = await manager.jobs();
  for (const { name, id } of answers) assert.equal(jobs.get(name!)?.["id"], id, name);
});
