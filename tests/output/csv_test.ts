import assert from "node:assert/strict";
import { renderCsv } from "../../src/output/csv.ts";

Deno.test("renderCsv() quotes what needs it and leaves nothing empty but null", () => {
  const record = { a: 'x"y', b: "1,2", c: "l1\nl2", d: null, e: 0, f: { g: 1 }, h: " plain " };
  assert.equal(
    renderCsv(["a", "b", "c", "d", "e", "f", "h", "none"], [record]),
    'a,b,c,d,e,f,h,none\n"x""y","1,2","l1\nl2",,0,"{""g"":1}", plain ,\n',
  );
});
