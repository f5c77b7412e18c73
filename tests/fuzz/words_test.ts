/** What a person may type: lists of names, and whole command lines. */
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { parseHosts } from "../../src/cli/queue/choose_hosts.ts";
import { InvalidError } from "../../src/errors.ts";
import { expand, EXPAND_LIMIT } from "../../src/names/expand.ts";
import { jobName } from "../../src/names/grammar.ts";
import { quote } from "../../src/names/quote.ts";
import { withPlace } from "../cli/harness.ts";
import { treeOf } from "../../testing/tree.ts";
import { assertAll, BOUNDED, hostile, mutated } from "./support.ts";

const LISTS = [
  "job[1-10]",
  "red,red[01-04],pi@red[2-3]x[1,3]",
  "a[1-100000]",
  "a[1-400][1-400]",
  "a[1-10][1-10][1-10][1-10][1-10]",
  "x[99999999999999999998-99999999999999999999]",
  "local:a,b,c[1-2]",
];
const list = fc.oneof(
  mutated(fc.constantFrom(...LISTS)),
  fc.array(fc.constantFrom(..."[],-:@", "1", "0", "09", "a", "[1-3]", "[1-99999]", "999999999999999999999")).map((
    parts,
  ) => parts.join("")),
  hostile,
);

/** What a reader makes of a text, or null if it refuses it in one line. */
function read<T>(reader: (text: string) => T, text: string): T | null {
  try {
    return reader(text);
  } catch (error) {
    assert.ok(error instanceof InvalidError, String(error));
    assert.ok(error.message.length < 1000, `${error.message.length} characters of message`);
    return null;
  }
}

Deno.test("a list of names is expanded, to no more than there may be, or refused in one line", () => {
  fc.assert(
    fc.property(list, (text) => {
      const names = read(expand, text);
      if (names === null) return;
      assert.ok(names.length <= EXPAND_LIMIT + 1);
      assert.equal(new Set(names).size, names.length);
      read(parseHosts, text);
    }),
    BOUNDED,
  );
});

const WORDS = [
  ..."queue cluster list info add create delete refresh check reset set activate deactivate help completion bash a b"
    .split(" "),
  ...["--name=j[1-3]", "--name", "--command=x", "--id=h[1-2]", "--user=pi", "--host=nosuch", "--key=ip", "--value=x"],
  ...[
    "--status=end",
    "--output=json",
    "--limit=2",
    "--wide",
    "--experiment=e",
    "--queue=a",
    "queue=b",
    "--help",
    "--",
    "-V",
  ],
  ...[
    "run",
    "fifo",
    "fifo_multi",
    "--hosts=nosuch",
    "--hostfile=a",
    "--max_parallel=1",
    "--timeout=0.0001",
    "--gpu=0,1",
  ],
];
const word = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...WORDS) }, mutated(fc.constantFrom(...WORDS)), hostile);
/** Half of the lines are whole commands with something more. */
const commandLine = fc.tuple(
  fc.constantFrom(
    [],
    ["queue", "add", "a", "--name=j", "--command=x"],
    ["queue", "list", "a"],
    ["queue", "check", "a"],
    ["queue", "run", "fifo", "a", "--max_parallel=1"],
    ["cluster", "add", "a", "--id=h", "--name=n", "--user=u"],
    ["cluster", "set", "a", "--id=h"],
  ),
  fc.oneof({ weight: 3, arbitrary: fc.array(word, { maxLength: 6 }) }, fc.constant([])),
).map(([begin, rest]) => [...begin, ...rest]).filter((words) => !words.includes("--service"));

Deno.test("no command line is a fault or a stack trace; one that is refused says why in a line, and changes nothing", async () => {
  await withPlace(async ({ run, ok, directory }) => {
    const refused = new Set<number>();
    await assertAll(
      fc.asyncProperty(commandLine, async (words) => {
        await ok("queue", "create", "a");
        await ok("cluster", "create", "a");
        const before = await treeOf(directory);
        const { out, err, status } = await run(...words);
        refused.add(status);
        assert.ok([0, 1, 2].includes(status), `status ${status}`);
        assert.doesNotMatch(out + err, /Fault in the program|^ {4}at /m);
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(err, /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/);
        if (status !== 2) return;
        assert.match(err, /^((ERROR|WARNING): [^\n]+|Usage: cms .*)\n/);
        assert.deepEqual(await treeOf(directory), before);
      }),
    );
    assert.ok(refused.has(0) && refused.has(2), [...refused].join());
  }, { CMS_SSH: "false" });
});

Deno.test("quoted text of any kind is one word to every shell that stands here", async () => {
  const texts = fc.array(fc.oneof(hostile, fc.string({ unit: "binary" })), { minLength: 1, maxLength: 20 }).map((all) =>
    all.map((text) => text.replaceAll("\0", "").toWellFormed())
  );
  await assertAll(
    fc.asyncProperty(texts, async (all) => {
      const script = `printf '%s\\0' ${all.map(quote).join(" ")}\n`;
      for (const shell of [["sh"], ["bash"], ["busybox", "sh"]]) {
        const child = new Deno.Command(shell[0]!, { args: shell.slice(1), stdin: "piped", stdout: "piped" }).spawn();
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode(script));
        await writer.close();
        assert.deepEqual(
          new TextDecoder("utf-8", { ignoreBOM: true }).decode((await child.output()).stdout).split("\0").slice(0, -1),
          all,
        );
      }
    }),
    { numRuns: 10 },
  );
  assert.equal(read(jobName, "$(x)"), null);
});
