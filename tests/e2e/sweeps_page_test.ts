/** The examples of docs/sweeps.md, one after another. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";

const page = await Deno.readTextFile(new URL("../../docs/sweeps.md", import.meta.url));
/** Commands in order; a line that ends with a backslash goes on in the next. */
const COMMANDS = page.split("```").filter((_, i) => i % 2 === 1).join("\n").replaceAll("\\\n", " ").split("\n")
  .map((line) => line.trim()).filter(Boolean);

/** Jobs that each command with this text makes. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  "train-": ["0.1", "0.01"].flatMap((lr) => [1, 2, 3, 4, 5].map((seed) => `train-${lr}-${seed}`)),
  "row-": ["row-0.1", "row-0.01"],
  "size-": ["size-a", "size-b_c"],
  "line": ["line-1", "line-2"],
  "pair-": ["pair-1a", "pair-2b"],
  "zip-": ["zip-a", "zip-b"],
  "run-": ["red", "green"].flatMap((colour) => [1, 2, 3].map((number) => `run-${colour}-${number}`)),
  "to-": ["to-one", "to-two"],
  "some-": ["some-1", "some-2", "some-3"],
};

Deno.test("the examples of docs/sweeps.md add the jobs that the page names, and list them by their parameters", async () => {
  await using manager = await Manager.make(null);
  const outputs = new Map<string, string>();
  for (const command of COMMANDS) {
    const { code, stdout, stderr } = await manager.type(command);
    assert.equal(code, 0, `${command}:\n${stdout}${stderr}`);
    outputs.set(command, stdout);
    const made = Object.entries(MADE).find(([text]) =>
      command.includes(`--name='${text}`) || command.includes(`--name=${text}`)
    );
    if (made === undefined) continue;
    const [, names] = made;
    if (command.endsWith("--dry-run")) assert.match(stdout, new RegExp(`^${names.length} jobs would be added:\n`));
    else assert.equal(stdout, names.map((name) => `INFO: Adding job ${name} to queue a\n`).join(""), command);
  }
  const jobs = await manager.jobs();
  assert.deepEqual([...jobs.keys()], Object.values(MADE).flat());
  const copied = [...(await manager.jobs("b")).values()];
  assert.deepEqual(copied.map(({ name }) => name), [...jobs.keys(), "p1", "p2"]);
  assert.deepEqual([copied[0]!["priority"], copied[0]!.command], [5, jobs.get(copied[0]!.name)?.command]);
  const commandOf = (name: string): string | undefined => [...jobs.values()].find((job) => job.name === name)?.command;
  assert.equal(commandOf("size-b_c"), "wc -c ~/'data/b c.csv'");
  assert.equal(commandOf("line-2"), "hostname");
  const listed = outputs.get("cms queue list a --where='param.lr<0.1'") ?? "";
  assert.deepEqual(
    [...listed.matchAll(/^\| (\S+-0\S+) /gm)].map(([, name]) => name),
    ["train-0.01-1", "train-0.01-2", "train-0.01-3", "train-0.01-4", "train-0.01-5", "row-0.01"],
  );
  const csv = await manager.type("cat results.csv");
  assert.match(csv.stdout, /^name,.*,duration,reason,param\.lr,param\.seed,/);
});
