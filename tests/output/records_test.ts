import assert from "node:assert/strict";
import { renderFor, renderRecords } from "../../src/output/records.ts";

const EVIL = "a\u001b[2Jb\u009bc\u202ed\re";

Deno.test("a map or a list in a cell of a table is shown as JSON", async () => {
  const records = [{ params: { lr: "0.1" }, after: ["a"], extra: {} }];
  const table = await renderRecords("table", ["params", "after"], records);
  assert.ok(table.includes('| {"lr":"0.1"} | ["a"] |'), table);
});

Deno.test("no form of a list lets a text move the cursor of a terminal; what programs read is as it was", async () => {
  const records = [{ name: EVIL, extra: {} }];
  // deno-lint-ignore no-control-regex
  const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
  for (const format of ["table", "json", "yaml", "csv"] as const) {
    const shown = await renderFor({ outIsTerminal: true }, format, ["name"], records);
    assert.doesNotMatch(shown, raw, format);
    assert.equal(
      await renderFor({ outIsTerminal: false }, format, ["name"], records),
      await renderRecords(format, ["name"], records),
    );
  }
  assert.equal(await renderRecords("csv", ["name"], records), `name\n"${EVIL}"\n`);
  assert.deepEqual(JSON.parse(await renderFor({ outIsTerminal: true }, "json", ["name"], records)), [{ name: EVIL }]);
});
