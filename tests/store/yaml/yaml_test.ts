import assert from "node:assert/strict";
import { dump } from "js-yaml";
import fc from "../../../testing/property.ts";
import { StoreError } from "../../../src/errors.ts";
import { joinBlocks, lineOf, parseYaml, renderBlock } from "../../../src/store/yaml/yaml.ts";
import { quickValue } from "../../../src/store/large/scalars.ts";

function fieldsOf(text: string): Map<string, unknown> {
  return parseYaml(text, "x").values().next().value as Map<string, unknown>;
}

const HARD = [
  ..."'\"#:-?![]{}&*|>@`%,~=<\t\r\n\0 \u0085\u2028\ufeff\\",
  ...[
    "yes",
    "no",
    "y",
    "null",
    "Null",
    "~",
    "true",
    "007",
    "0x1f",
    "1e3",
    "1.10",
    "12:30",
    "0b1",
    ".inf",
    "<<",
    "=",
    "---",
    "...",
  ],
  ...[
    "a: b",
    "a #b",
    "- a",
    "? a",
    " lead",
    "trail ",
    "two\nlines\n",
    "\n\n",
    "a\r\nb",
    "é",
    "😀",
    "\ud800",
    "2026-01-31",
    "1_000",
    "+1",
    "0o7",
  ],
];
const anyText = fc.oneof(
  fc.constantFrom(...HARD),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.array(fc.constantFrom(...HARD, "a", "1"), { maxLength: 6 }).map((parts) => parts.join("")),
  fc.array(fc.constantFrom(..."ab 019._/;=~-:xe"), { maxLength: 10 }).map((parts) => parts.join("")),
);

Deno.test("YAML gives back any text exactly, as a value, a key and in a list", () => {
  fc.assert(
    fc.property(anyText, anyText, (value, key) => {
      const text = renderBlock("job1", { command: value, [`k${key}`]: value, list: [value] });
      const fields = fieldsOf(text);
      assert.equal(fields.get("command"), value);
      assert.equal(fields.get(`k${key}`), value);
      assert.deepEqual(fields.get("list"), [value]);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("YAML survives the way through UTF-8 bytes", () => {
  fc.assert(fc.property(anyText, (value) => {
    const bytes = new TextEncoder().encode(renderBlock("job1", { command: value }));
    assert.equal(fieldsOf(new TextDecoder().decode(bytes)).get("command"), value);
  }));
});

Deno.test("renderBlock() writes scalars as the library does", () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.stringMatching(/^[0-9a-f]{32}$/), fc.integer(), fc.constant(null)), (value) => {
      assert.equal(
        renderBlock("job1", { command: value }),
        dump({ job1: { command: value }, z: 0 }, { lineWidth: -1 }).slice(0, -"z: 0\n".length),
      );
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parseYaml() takes only null, true, false and plain integers for what they are", () => {
  const text =
    "a:\n  n: ~\n  m:\n  t: true\n  i: -12\n  z: 007\n  e: 1e3\n  f: 1.10\n  c: 12:30\n  y: yes\n  b: 9007199254740993\n  x: 0x10\n  o: -0\n";
  assert.deepEqual([...fieldsOf(text).values()], [
    null,
    null,
    true,
    -12,
    "007",
    "1e3",
    "1.10",
    "12:30",
    "yes",
    "9007199254740993",
    "0x10",
    "-0",
  ]);
});

Deno.test("parseYaml() keeps the order of names that look like numbers", () => {
  const text = joinBlocks(["b", "10", "2", "007", "yes"].map((name) => renderBlock(name, { v: 1 })));
  assert.deepEqual([...parseYaml(text, "x").keys()], ["b", "10", "2", "007", "yes"]);
});

Deno.test("parseYaml() names file, line and fault of what is no map of names", () => {
  const cases: [text: string, line: number, reason: RegExp][] = [
    ["", 0, /is empty; write {} for an empty queue/],
    [" \n\n", 0, /is empty/],
    ["# only a comment\n", 0, /is empty/],
    ["a: 1\nb: [\n", 2, /./],
    ["a: 1\nb: 2\na: 3\n", 3, /duplicate/],
    ["- a\n", 1, /not a map/],
    ["a:\n  c: !!python/object x\n", 2, /tag/],
  ];
  for (const [text, line, reason] of cases) {
    assert.throws(() => parseYaml(text, "a-queue.yaml"), (error) => {
      assert(error instanceof StoreError, `${text}: ${error}`);
      assert.equal(error.path, "a-queue.yaml");
      assert.match(error.message, reason);
      assert(!error.message.includes("\n"), error.message);
      if (line > 0) {
        assert(Math.abs(error.line - line) <= 1 && error.line > 0, `${JSON.stringify(text)}: line ${error.line}`);
      }
      return true;
    });
  }
});

Deno.test("joinBlocks() writes an empty map as {}", () => assert.equal(joinBlocks([]), "{}\n"));

Deno.test("lineOf() finds entries and their fields", () => {
  const text = "a:\n  x: 1\n'1':\n  x: 2\n  y: 3\n";
  assert.deepEqual([lineOf(text, "a"), lineOf(text, "1", "y"), lineOf(text, "a", "y"), lineOf(text, "b")], [
    1,
    5,
    1,
    0,
  ]);
});

Deno.test("parseYaml() reads common text on the quick way as the library does", () => {
  const scalar = fc.oneof(
    anyText.map((text) => renderBlock("x", { v: text }).slice("x:\n  v: ".length, -1)),
    fc.constantFrom(
      "null",
      "true",
      "yes",
      "''",
      "'it''s'",
      "-0",
      "0",
      "12",
      "a # b",
      "a: b",
      "&a x",
      "*a",
      "!!str x",
      "a b ",
      "~/x",
      "a #",
    ),
    fc.array(fc.constantFrom(..."ab 019._/;=~-:'#&*"), { maxLength: 8 }).map((parts) => parts.join("")),
  );
  const line = fc.oneof(
    scalar.map((value) => `  command: ${value}`),
    fc.tuple(fc.constantFrom("a", "no", "on_x", "name", "'q'"), scalar).map(([field, value]) => `  ${field}: ${value}`),
    fc.constantFrom("x:", "y:", "'7':", "7:", "# c", "", "  # c", "   deep: 1", "z: {}", "---", "a b:", "x y : 1"),
  );
  const read = (text: string) => {
    try {
      return parseYaml(text, "x");
    } catch (error) {
      return error instanceof StoreError ? "refused" : error;
    }
  };
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
      const text = `job:\n${lines.join("\n")}\n`;
      // A mark of the document's begin changes nothing but the way.
      assert.deepEqual(read(text), read(`---\n${text}`));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parseYaml() refuses aliases that stand for more than a file can hold, and takes others", () => {
  const levels = (count: number) =>
    "a:\n  command: x\n  e0: &e0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" +
    Array.from({ length: count }, (_, i) => `  e${i + 1}: &e${i + 1} [${Array(10).fill(`*e${i}`).join(", ")}]\n`).join(
      "",
    );
  assert.throws(() => parseYaml(levels(30), "x"), /x: its aliases unfold to more than 32 MiB of text/);
  assert.equal(parseYaml(levels(2), "x").size, 1);
});

Deno.test("quickValue() needs no longer for a text than its length allows", () => {
  // With two ways to match each digit this would take hours.
  assert.equal(quickValue(`0${"a".repeat(2_000_000)}z`), undefined);
  assert.equal(quickValue(`0${"a".repeat(2_000_000)}`), `0${"a".repeat(2_000_000)}`);
});

Deno.test("renderBlock() writes maps of scalars, such as parameters, as the library does", () => {
  const odd = [
    "",
    "1",
    "0.1",
    "y",
    "null",
    "a b",
    "a: b",
    "# x",
    "it's",
    "two\nlines",
    "007",
    "ü",
    "- x",
    "1e3",
    " lead",
    "abc12",
  ];
  const maps = odd.flatMap((value) => odd.map((other) => ({ lr: value, [`k${other}`]: other, n: value })));
  for (const params of [...maps, { y: "1" }, { "2": "b", "1": "a" }, {}]) {
    const text = dump({ job1: { command: "x", params } }, { lineWidth: -1, noRefs: true });
    assert.equal(renderBlock("job1", { command: "x", params }), text);
  }
});
