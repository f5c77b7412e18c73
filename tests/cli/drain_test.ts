/** `cluster drain` by the command line: hosts that rest, and what is refused. */
import assert from "node:assert/strict";
import { withPlace } from "./harness.ts";

Deno.test("cluster drain deactivates hosts that rest and returns at once; of what it cannot use it changes nothing", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=h[1-2]", "--name=localhost", "--user=me");
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job", "--command=true", "--user=me", "--host=localhost");
    for (const words of [["--id=h1,h9"], ["--id=h1", "--kill-after=soon"], ["--id=h1", "--timeout=0"], []]) {
      const { status, err } = await run("cluster", "drain", "c", ...words);
      assert.equal(status, 2, `${words}`);
      assert.match(err, /^ERROR: [^\n]*\n$/);
    }
    const text = await Deno.readTextFile(`${directory}/experiment/c-cluster.yaml`);
    assert.doesNotMatch(text, /inactive/);
    const [said] = [await ok("cluster", "drain", "c", "--id=h1", "--id=h1")];
    assert.equal(said, "INFO: Drained host h1 of c\n");
    const hosts = JSON.parse(await ok("cluster", "list", "c", "--output=json")) as { id: string; status: string }[];
    assert.deepEqual(hosts.map(({ id, status }) => `${id} ${status}`), ["h1 inactive", "h2 active"]);
  });
});

Deno.test("cluster drain waits for jobs of other slots of the machine only where no host of the cluster gave them", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=h[1-2]", "--name=red", "--user=pi");
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=own,other,named", "--command=true", "--user=pi", "--host=red");
    const file = `${directory}/experiment/a-queue.yaml`;
    const slots: Record<string, string> = { own: "h1", other: "h2", named: "'#1'" };
    let text = await Deno.readTextFile(file);
    text = text.replaceAll(
      /^(\w+):\n(?: .*\n)*/gm,
      (entry, name) => entry.replace(/status: \w+/, "status: start").replace(/slot: null/, `slot: ${slots[name]}`),
    );
    if (!text.includes("slot:")) {
      text = text.replaceAll(/^(\w+):\n((?: .*\n)*)/gm, (_, name, rest) => `${name}:\n${rest}  slot: ${slots[name]}\n`);
    }
    await Deno.writeTextFile(file, text);
    const { status, err } = await run("cluster", "drain", "c", "--id=h1", "--timeout=1s");
    assert.equal(status, 124, err);
    assert.match(err, /Still running: jobs of queue a: \['own', 'named'\]\n$/);
  }, { CMS_SSH: "false" });
});
