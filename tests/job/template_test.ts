import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { fillCommand, fillText, hasPlaceholder, type Values } from "../../src/job/template.ts";

function values(params: Record<string, string>, inputs: string[] = [], index = 1): Values {
  return { params, inputs, index };
}

Deno.test("fillText() puts in what placeholders stand for, and leaves all else", () => {
  const of = values({ lr: "0.1" }, ["a/b.c/d.tar.gz"], 7);
  const cases: [string, string][] = [
    ...[["{lr}-{#}", "0.1-7"], ["{}", "a/b.c/d.tar.gz"], ["{1}", "a/b.c/d.tar.gz"], ["{2}", "{2}"]] as [
      string,
      string,
    ][],
    ...[["{.}", "a/b.c/d.tar"], ["{/}", "d.tar.gz"], ["{//}", "a/b.c"], ["{/.}", "d.tar"], ["{1/.}", "d.tar"]] as [
      string,
      string,
    ][],
    ...[["{none}", "{none}"], ['{"a": {lr}}', '{"a": 0.1}'], ["${HOME} {lr:raw}", "${HOME} 0.1"]] as [string, string][],
  ];
  for (const [template, text] of cases) assert.equal(fillText(template, of), text, template);
  assert.equal(fillText("{//} {.} {/.}", values({}, ["x"])), ". x x");
  assert.equal(fillText("{.} {//}", values({}, ["a.b/c"])), "a.b/c a.b");
  assert.equal(fillText("{} {.}", values({ lr: "1" })), "{} {.}");
});

Deno.test("hasPlaceholder() is true only for what stands for something", () => {
  assert.equal(hasPlaceholder("x-{lr}", values({ lr: "1" })), true);
  assert.equal(hasPlaceholder("x-{other} {}", values({ lr: "1" })), false);
});

Deno.test("fillCommand() gives a shell each value byte for byte, whatever it holds and wherever it stands", async () => {
  const odd = [
    "",
    " ",
    "a b",
    "'",
    '"',
    "''",
    "$(echo no)",
    "`echo no`",
    "\\",
    "\\\\",
    "!x",
    "*",
    "~",
    "-n",
    "#",
    "a\nb",
    "é漢",
    "$HOME",
    ";",
    "&",
    "|",
    "%s",
    "\t",
    "{lr}",
  ];
  const some = fc.sample(
    fc.string({ unit: "binary", maxLength: 20 }).filter((s) => !s.includes("\0") && s.isWellFormed()),
    { numRuns: 100, seed: 7 },
  );
  const long = "x'\"$`\\ ".repeat(14_000);
  const templates = [
    "printf %s {v}",
    'printf %s "{v}"',
    "printf %s '{v}'",
    "printf %s \"a\"'b'{v}",
    'printf %s "\\"{v}"',
    "printf %s it\\'s{v}",
  ];
  const prefixes = ["", "", "", "ab", '"', "it's"];
  const scripts = [...odd, ...some, long].flatMap((v, i) =>
    templates.map((template, t) => ({
      script: fillCommand(template, values({ v })),
      expected: prefixes[t]! + v,
      i,
      template,
    }))
  );
  for (const shell of ["sh", "bash"]) {
    const all = scripts.map(({ script }) => `${script}\nprintf '\\0'\n`).join("");
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, all);
    const { stdout, stderr } = await new Deno.Command(shell, { args: [file] }).output();
    await Deno.remove(file);
    const found = new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout).split("\0");
    assert.equal(new TextDecoder().decode(stderr), "", shell);
    scripts.forEach(({ expected, template }, i) =>
      assert.equal(found[i], expected, `${shell}: ${template}: ${JSON.stringify(expected.slice(0, 99))}`)
    );
  }
});
