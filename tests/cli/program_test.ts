/** Usage errors, help, version: what all commands share. */
import assert from "node:assert/strict";
import { VERSION } from "../../src/version.ts";
import { withPlace } from "./harness.ts";

const USAGE_ERRORS: readonly [words: string, text: RegExp][] = [
  ["queu", /Unknown command 'queu' \(Did you mean queue\?\); see: cms help\n/],
  ["queue lst", /Unknown command 'lst' \(Did you mean list\?\); see: cms help queue\n/],
  ["queue lst --queue=a", /Unknown command 'lst'/],
  ["queue run fifo_mult", /Unknown command 'fifo_mult' \(Did you mean fifo_multi\?\); see: cms help queue run\n/],
  ["queue list --limt=3", /Unknown option '--limt=3' \(Did you mean --limit\?\); see: cms help queue list\n/],
  ["queue list a b", /Too many arguments/],
  ["queue list a --queue=b", /Two names for one queue: "a" and "b"\n/],
  ["queue add a --name=x", /Required option '--command <command>' not specified; see: cms help queue add\n/],
  ["queue add a --name", /argument missing/],
  ["queue run fifo a --max_parallel=0", /Give a whole number, 1 or more; see: cms help queue run fifo\n/],
  ["queue run fifo a", /Required option '--max-parallel, --max_parallel <n>' not specified/],
  ["queue list --port=80", /Unknown option '--port=80'/],
  ["queue create ../x", /Cannot use "\.\.\/x" as a queue name/],
  ["queue create --queue=-x", /Cannot use "-x" as a queue name/],
  ["help queue rn", /Unknown command 'rn'; use one of create, list/],
  ["completion csh", /Allowed choices are bash, zsh, fish/],
];

for (const [words, text] of USAGE_ERRORS) {
  Deno.test(`"cms ${words}" is one ERROR line with status 2`, async () => {
    await withPlace(async ({ run }) => {
      const { out, err, status } = await run(...words.split(" "));
      assert.match(err, text);
      assert.match(err, /^ERROR: [^\n]*\n$/);
      assert.deepEqual([out, status], ["", 2]);
    });
  });
}

Deno.test("a group without a command prints its help on stderr with status 2", async () => {
  await withPlace(async ({ run }) => {
    for (const words of [[], ["queue"], ["cluster"], ["queue", "run"]]) {
      const { out, err, status } = await run(...words);
      assert.match(err, new RegExp(`^Usage: ${["cms", ...words].join(" ")} `));
      assert.deepEqual([out, status], ["", 2]);
    }
  });
});

Deno.test("--version prints the name and the version", async () => {
  await withPlace(async ({ ok }) => {
    assert.equal(await ok("--version"), `cms ${VERSION}\n`);
  });
});

const COMMANDS = [
  ...["create", "list", "refresh", "check", "add", "delete", "run", "run fifo", "run fifo_multi", "reset", "service"]
    .map((
      verb,
    ) => `queue ${verb}`),
  ...["create", "list", "add", "delete", "activate", "deactivate", "drain", "set"].map((verb) => `cluster ${verb}`),
  "queue",
  "cluster",
  "completion",
];

Deno.test("every command has help with options and an example, the same by help and --help", async () => {
  await withPlace(async ({ ok }) => {
    for (const command of COMMANDS) {
      const words = command.split(" ");
      const help = await ok("help", ...words);
      assert.match(help, new RegExp(`^Usage: cms ${command}(\\|info)? `));
      assert.match(help, /-h, --help/);
      assert(/\nExamples:\n {2}(source <\()?cms /.test(help), help);
      assert.equal(await ok(...words, "--help"), help);
    }
    assert.match(await ok("help"), /^Usage: cms /);
    assert.equal(await ok("queue", "help", "add"), await ok("help", "queue", "add"));
  });
});

Deno.test("the help of fifo_multi is as it was", async (t) => {
  await withPlace(async ({ ok }) => {
    await t.assertSnapshot(await ok("help", "queue", "run", "fifo_multi"));
  });
});

Deno.test("a fault of the program is one line with a hint, and its stack with CMS_DEBUG", async () => {
  for (
    const [environment, pattern] of [
      [{}, /^ERROR: Fault in the program: Error: boom \(CMS_DEBUG=1 shows the stack\)\n$/],
      [{ CMS_DEBUG: "1" }, /^Error: boom\n {4}at [^]*ERROR: Fault in the program: Error: boom\n$/],
    ] as const
  ) {
    await withPlace(async ({ run, deps }) => {
      await run("queue", "create");
      deps.ids.hex = () => {
        throw new Error("boom");
      };
      const { err, status } = await run("queue", "add", "--name=x", "--command=y");
      assert.match(err, pattern);
      assert.equal(status, 1);
    }, environment);
  }
});
