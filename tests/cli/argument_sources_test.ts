import assert from "node:assert/strict";
import { splitArguments } from "../../src/cli/queue/argument_sources.ts";
import { readArguments } from "../../src/cli/queue/read_arguments.ts";
import { linkedInputs } from "../../src/operations/sweep_words.ts";
import { withPlace } from "./harness.ts";

const FILES: Readonly<Record<string, string[]>> = { f: ["l1", "l2"], g: ["m"], empty: [] };

async function read(words: string): Promise<readonly (readonly (readonly string[])[])[]> {
  return await readArguments(words.split(" "), (path) => Promise.resolve(FILES[path] ?? []));
}

Deno.test("splitArguments() finds the first mark, and takes what only looks like one for a word", () => {
  assert.deepEqual(splitArguments(["a", ":::", "b", "::::", "c"]), {
    words: ["a"],
    sources: [":::", "b", "::::", "c"],
  });
  assert.deepEqual(splitArguments(["a", "::", ":::::", "x:::", ":::++"]).sources, []);
});

Deno.test("readArguments() makes a source of each ::: and of each file, and pairs what follows :::+", async () => {
  assert.deepEqual(await read("::: a b ::: 1"), [[["a"], ["b"]], [["1"]]]);
  assert.deepEqual(await read(":::: f g"), [[["l1"], ["l2"]], [["m"]]]);
  assert.deepEqual(await read("::: a b :::+ 1 2 ::: x"), [[["a", "1"], ["b", "2"]], [["x"]]]);
  assert.deepEqual(await read("::: a b ::::+ f g"), [[["a", "l1", "m"]]], "the shortest decides");
  assert.deepEqual(linkedInputs(await read("::: a b :::: f")), [[["a", "l1"], ["b", "l2"]]]);
});

Deno.test("readArguments() refuses sources without values, a :::+ without one before it, and links of other lengths", async () => {
  for (
    const [words, reason] of [
      ["::: a :::", /Cannot use ::: without values/],
      [":::+ a", /Cannot use :::\+ as the first source/],
      [":::: empty", /Cannot use empty: it has no lines/],
    ] as const
  ) await assert.rejects(read(words), reason);
  const unequal = await read("::: a b ::: 1");
  assert.throws(() => linkedInputs(unequal), /one has 2 values, another 1/);
});

Deno.test("queue add takes values behind ::: as they are, also with parameters, and adds nothing where one is wrong", async () => {
  await withPlace(async ({ directory, ok, run }) => {
    await ok("queue", "create", "a");
    const add = ["queue", "add", "a", "--name=j-{x}-{1/.}", "--param=x=1,2", "--command=go {x} {1} {2}"];
    await ok(...add, ":::", "d/--help.txt", "'q'", "::::+", `${directory}/l`).then(
      () => assert.fail("there is no such file"),
      () => {},
    );
    await Deno.writeTextFile(`${directory}/l`, "# one\n\ntwo 2\nthree\n");
    await ok(...add, "--comments", ":::", "d/--help.txt", "'q'", "::::+", "l");
    assert.equal(
      await ok("queue", "list", "a", "--columns=name,command", "--output=csv"),
      "name,command\nj-1---help,go 1 d/--help.txt 'two 2'\nj-1-_q_,go 1 ''\\''q'\\''' three\n" +
        "j-2---help,go 2 d/--help.txt 'two 2'\nj-2-_q_,go 2 ''\\''q'\\''' three\n",
    );
    for (const words of [[":::"], [":::+", "a"], ["::::", "none"], ["--link", ":::", "a", "b", ":::", "1"]]) {
      const { status, err } = await run("queue", "add", "a", "--name=bad", "--command=x", ...words);
      assert.equal(status, 2, words.join(" "));
      assert.match(err, /^ERROR: [^\n]+\n$/);
    }
    assert.equal((await ok("queue", "list", "a", "--columns=name", "--output=csv")).trim().split("\n").length, 5);
    assert.equal(await ok("__complete", "queue", "add", "a", "--command=x", ":::", "--"), "");
  });
});
