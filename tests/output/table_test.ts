import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import stringWidth from "string-width";
import { CELL_WIDTH, renderTable } from "../../src/output/table.ts";

Deno.test("renderTable() of no rows is None", async () => {
  assert.equal(await renderTable(["a"], []), "None\n");
});

Deno.test("renderTable() wraps long cells at blanks and keeps long words whole", async () => {
  const path = "/".repeat(60);
  assert.equal(
    await renderTable(["name", "command"], [["job1", `${"word ".repeat(12)}end`], ["job2", `cat ${path}`]]),
    `\
+------+--------------------------------------------------------------+
| name | command                                                      |
+------+--------------------------------------------------------------+
| job1 | word word word word word word word word word                 |
|      | word word word end                                           |
| job2 | cat                                                          |
|      | ${path} |
+------+--------------------------------------------------------------+
`,
  );
});

Deno.test("renderTable() begins a continuation row at a line end and shows control characters escaped", async () => {
  assert.equal(
    await renderTable(["c"], [["one\ntwo\tx\u001b[31m"], ["\u202eab"]]),
    `\
+----------------+
| c              |
+----------------+
| one            |
| two\\tx\\x1b[31m |
| \\u202eab       |
+----------------+
`,
  );
});

Deno.test("renderTable() keeps its frame straight for any text, wide characters too", async () => {
  const cell = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("日本語", "👨‍👩‍👧", "é", "a\nb", "x ".repeat(40)));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), async (rows) => {
      const lines = (await renderTable(["first", "second"], rows)).trimEnd().split("\n");
      assert.equal(new Set(lines.map((line) => stringWidth(line))).size, 1, lines.join("\n"));
      for (const line of lines) assert.match(line, /^([+|]).*\1$/s);
    }),
  );
});

Deno.test("renderTable() loses no word and no blank but those at the breaks", async () => {
  const word = fc.stringMatching(/^[a-z]{1,20}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 30 }), async (words) => {
      const table = await renderTable(["c"], [[words.join(" ")]]);
      const lines = table.split("\n").slice(3, -2).map((line) => line.slice(2, -2).trimEnd());
      assert.equal(lines.join(" "), words.join(" "));
      for (const line of lines) assert(line.length <= CELL_WIDTH);
    }),
  );
});
