import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { CmsError } from "../../src/errors.ts";
import { countValue, minutesValue, pickName, portValue, unquote } from "../../src/cli/names.ts";
import { withCalledName } from "../../src/cli/called.ts";

Deno.test("unquote() takes exactly one pair of quotes off, whatever stands between", () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom("'", '"'), (text, mark) => {
    fc.pre(!text.includes(mark));
    assert.equal(unquote(mark + text + mark), text);
  }));
});

Deno.test("unquote() leaves alone what is not one whole quoted text", () => {
  for (const text of ["", "'", '"', "'a", "a'", "'a\"", "'a' 'b'", "echo 'a'", "'a'b'"]) {
    assert.equal(unquote(text), text);
  }
});

Deno.test("unquote() changes nothing that does not begin and end with the same quote", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    fc.pre(!/^(['"])(.|\n)*\1$/.test(text));
    assert.equal(unquote(text), text);
  }));
});

Deno.test("pickName() takes each form and refuses two different names", () => {
  assert.equal(pickName("queue", "a", undefined), "a");
  assert.equal(pickName("queue", "queue=a", undefined), "a");
  assert.equal(pickName("queue", undefined, "a"), "a");
  assert.equal(pickName("queue", "queue='a'", "a"), "a");
  assert.equal(pickName("cluster", undefined, undefined), undefined);
  assert.throws(() => pickName("queue", "a", "b"), CmsError);
});

Deno.test("withCalledName() puts the group before the words only for its two names", () => {
  assert.deepEqual(withCalledName("queue", ["list", "a"]), ["queue", "list", "a"]);
  assert.deepEqual(withCalledName("cluster", []), ["cluster"]);
  for (const name of ["cms", "deno", ""]) assert.deepEqual(withCalledName(name, ["list"]), ["list"]);
});

Deno.test("numbers are read exactly or refused", () => {
  assert.equal(countValue("4"), 4);
  for (const text of ["0", "-1", "1.5", "4x", "", "1e3"]) assert.throws(() => countValue(text), text);
  assert.equal(minutesValue("10"), 600_000);
  assert.equal(minutesValue("0.5"), 30_000);
  assert.equal(minutesValue("'.1'"), 6_000);
  assert.deepEqual(["90s", "2h", "1h30m"].map(minutesValue), [90_000, 7_200_000, 5_400_000]);
  for (const text of ["0", "-1", "x", "", ".", "1e3", "Infinity"]) assert.throws(() => minutesValue(text), text);
  assert.throws(() => portValue("65536"));
});
