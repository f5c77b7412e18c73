/** placeOfLastLines() on files of all sizes, also while they grow. */
import assert from "node:assert/strict";
import { placeOfLastLines } from "../../src/operations/place_of_lines.ts";
import { lastLinesStart } from "../../src/output/text_part.ts";

const encoder = new TextEncoder();

Deno.test("placeOfLastLines() finds the end, and where the last lines begin, whatever the size", async () => {
  let reads = 0;
  for (const size of [0, 1, 2, 65_535, 65_536, 65_537, 131_072, 1_000_000, 5_000_001]) {
    for (const line of ["x\n", `${"y".repeat(99)}\n`, `${"z".repeat(99_999)}\n`]) {
      const bytes = encoder.encode(line.repeat(Math.ceil(size / line.length))).subarray(0, size);
      const read = ({ from = 0, maxBytes }: { from?: number; maxBytes: number }) => {
        reads++;
        return Promise.resolve(bytes.subarray(from, from + maxBytes));
      };
      reads = 0;
      assert.equal(await placeOfLastLines(read, 0), size);
      assert.ok(reads <= 20, `${reads} reads of ${size} bytes`);
      for (const count of [1, 2, 40]) {
        assert.equal(await placeOfLastLines(read, count), lastLinesStart(bytes, count), `${count} of ${size}`);
      }
    }
  }
  assert.equal(await placeOfLastLines(() => Promise.resolve(null), 10), 0);
  // So large that only its end is looked at.
  const huge = 50_000_000_000;
  const read = ({ from = 0, maxBytes }: { from?: number; maxBytes: number }) =>
    Promise.resolve(new Uint8Array(Math.max(0, Math.min(maxBytes, huge - from))));
  assert.deepEqual([await placeOfLastLines(read, 0), await placeOfLastLines(read, 3)], [huge, huge - 16 * 1024 * 1024]);
});
