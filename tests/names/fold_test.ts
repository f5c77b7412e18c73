/** Lists of names as short as `expand` reads them. */
import assert from "node:assert/strict";
import { expand } from "../../src/names/expand.ts";
import { fold } from "../../src/names/fold.ts";

Deno.test("fold() makes ranges of names that expand() reads back", () => {
  const cases: readonly [list: string, folded: string][] = [
    ["red01,red02,red03", "red[01-03]"],
    ["host8,host9,host10", "host[8-10]"],
    ["red01,red1,red2", "red[01,1-2]"],
    ["gpu1,red,gpu3", "gpu[1,3],red"],
    ["n1-ib,n2-ib,n4-ib", "n[1-2,4]-ib"],
    ["red09,red10,red100", "red[09-10,100]"],
    ["one", "one"],
    ["", ""],
  ];
  for (const [list, folded] of cases) {
    const names = list.split(",").filter(Boolean);
    assert.equal(fold(names), folded);
    assert.deepEqual(expand(folded).toSorted(), names.toSorted());
  }
  const many = Array.from({ length: 1200 }, (_, i) => `red${String(i).padStart(3, "0")}`);
  assert.equal(fold(many), "red[000-1199]");
  assert.equal(fold(["x99999999999999999999", "a[1]"]), "x99999999999999999999,a[1]");
});
