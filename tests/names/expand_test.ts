import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { InvalidError } from "../../src/errors.ts";
import { expand, EXPAND_LIMIT, splitTopLevel } from "../../src/names/expand.ts";

/** Rows of the original's behaviour, as seen when it was run. */
const ROWS: readonly [list: string, names: string][] = [
  ["host[1-4]", "host1 host2 host3 host4"],
  ["host0[1-10]", "host01 host02 host03 host04 host05 host06 host07 host08 host09 host010"],
  ["host[01-10]", "host01 host02 host03 host04 host05 host06 host07 host08 host09 host10"],
  ["a[08-11]", "a08 a09 a10 a11"],
  ["a[8-011]", "a8 a9 a10 a11"],
  ["a,b,c", "a b c"],
  ["a[1,3]", "a1 a3"],
  ["a[1-2,5,7-8]", "a1 a2 a5 a7 a8"],
  ["x[1-2]y[1-2]", "x1y1 x1y2 x2y1 x2y2"],
  ["a[1-2],b", "a1 a2 b"],
  ["red[01-02],red", "red01 red02 red"],
  ["a,a", "a"],
  ["a,,b", "a b"],
  ["", ""],
  ["local:a,b,c", "local:a local:b local:c"],
  ["local:a,other:b", "local:a other:b"],
  ["a,local:b", "a local:b"],
  ["pi@[2001:db8::5]", "pi@[2001:db8::5]"],
  ["[fe80::1%br-lan],red[1-2]", "[fe80::1%br-lan] red1 red2"],
];

for (const [list, names] of ROWS) {
  Deno.test(`expand() gives the original's names for ${JSON.stringify(list)}`, () => {
    assert.deepEqual(expand(list), names === "" ? [] : names.split(" "));
  });
}

Deno.test("expand() leaves a name with a blank whole", () => {
  assert.deepEqual(expand("a b"), ["a b"]);
});

const REFUSED: readonly [list: string, reason: RegExp][] = [
  ["a[[1-2]]", /brackets within brackets/],
  ["a[1-2", /not closed/],
  ["a]", /not opened/],
  ["a[x-z]", /"x-z" is no range/],
  ["a[1-]", /"1-" is no range/],
  ["a[]", /"" is no range/],
  ["a[1, 2]", /" 2" is no range/],
  ["a[3-1]", /runs backwards/],
  ["job[0-100001]", /more than 100000 names/],
  ["job[0-100000]", /more than 100000 names/],
  ["job[0-99999999999999999999]", /more than 100000 names/],
  ["a[1-400]b[1-400]", /more than 100000 names/],
  ["a[1-60000],b[1-60000]", /more than 100000 names/],
  // Each of these would make gigabytes, or take minutes, if its names were made before they are counted.
  [Array(1000).fill("a[1-100000]").join(","), /more than 100000 names/],
  ["[1-100000,1-100000]", /more than 100000 names/],
  [`a[1-100000]${"x".repeat(99_000)}`, /more than 600 characters/],
  [`${"[1-2]".repeat(16)}${"[1]".repeat(30_000)}`, /more than 600 characters/],
  [`[${"9".repeat(99_000)}-${"9".repeat(99_000)}]`, /more than 600 characters/],
];

for (const [list, reason] of REFUSED) {
  Deno.test(`expand() refuses ${JSON.stringify(list.slice(0, 60))} (${list.length} characters) in one short line`, () => {
    assert.throws(() => expand(list), (error) => {
      assert(error instanceof InvalidError);
      assert.match(error.message, reason);
      assert(!error.message.includes("\n"));
      assert(error.message.length < 600);
      return true;
    });
  });
}

Deno.test("expand() takes as many names as the limit allows", () => {
  assert.equal(expand(`job[1-${EXPAND_LIMIT}]`).length, EXPAND_LIMIT);
});

Deno.test("expand() keeps every digit of numbers beyond 2^53", () => {
  assert.deepEqual(expand("a[9007199254740992-9007199254740993]"), ["a9007199254740992", "a9007199254740993"]);
});

const word = fc.stringMatching(/^[a-z]{1,3}$/);
const range = fc.record({ low: fc.nat(120), count: fc.integer({ min: 1, max: 12 }), pad: fc.nat(3) });

Deno.test("expand() pads a range to the width of its low bound, for any range", () => {
  fc.assert(fc.property(word, range, word, (before, { low, count, pad }, after) => {
    const first = "0".repeat(pad) + low;
    const expected = Array.from({ length: count }, (_, i) => {
      const digits = String(low + i);
      return before + "0".repeat(Math.max(0, first.length - digits.length)) + digits + after;
    });
    assert.deepEqual(expand(`${before}[${first}-${low + count - 1}]${after}`), expected);
  }));
});

Deno.test("expand() of a list is its parts one after the other, each name once", () => {
  const part = fc.oneof(word, fc.tuple(word, range).map(([w, r]) => `${w}[${r.low}-${r.low + r.count}]`));
  fc.assert(fc.property(fc.array(part), (parts) => {
    assert.deepEqual(expand(parts.join(",")), [...new Set(parts.flatMap((one) => expand(one)))]);
  }));
});

Deno.test("splitTopLevel() keeps repeated parts and commas within brackets", () => {
  assert.deepEqual(splitTopLevel("pi@red,pi@red[1,3],,pi@red"), ["pi@red", "pi@red[1,3]", "pi@red"]);
});
