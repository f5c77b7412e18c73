import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { InvalidError } from "../../src/errors.ts";
import { durationField, parseDuration, renderDuration, renderWait } from "../../src/names/units.ts";

Deno.test("parseDuration() reads units, and takes a bare number for minutes", () => {
  const cases: [string, number][] = [
    ...[["90s", 90_000], ["30m", 1_800_000], ["2h", 7_200_000], ["1d", 86_400_000]] as [string, number][],
    ...[["1h30m", 5_400_000], ["1d2h3m4s", 93_784_000], ["10", 600_000], ["0.5", 30_000], ["1.5h", 5_400_000]] as [
      string,
      number,
    ][],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
  for (const text of ["", "0", "0s", "-1", "5 m", "m", "1m1h", "1x", "9999999d", "1e3", "1m30", "٣m"]) {
    assert.throws(() => parseDuration(text), InvalidError, text);
  }
});

Deno.test("durationField() gives a bare number its unit and keeps all else", () => {
  assert.equal(durationField("30"), "30m");
  assert.equal(durationField("90s"), "90s");
});

Deno.test("renderDuration() writes what parseDuration() reads, in the two largest units", () => {
  assert.equal(renderDuration(0), "0s");
  assert.equal(renderDuration(5_400_000), "1h30m");
  assert.equal(renderDuration(93_784_000), "1d2h");
  assert.deepEqual([renderWait(-1), renderWait(40_900), renderWait(90_000)], ["0 s", "40 s", "1m30s"]);
  fc.assert(fc.property(fc.integer({ min: 1, max: 3_599 }), (seconds) => {
    assert.equal(parseDuration(renderDuration(seconds * 1000)), seconds * 1000);
  }));
});
