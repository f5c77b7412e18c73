import assert from "node:assert/strict";
import fc from "fast-check";
import { Gathered, joined } from "../src/bytes.ts";

Deno.test("Gathered has what came, however it was cut, also of more than was said", () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
    fc.option(fc.nat(300), { nil: undefined }),
    (pieces, most) => {
      const gathered = new Gathered(most);
      const seen: Uint8Array[] = [];
      for (const piece of pieces) {
        gathered.add(piece);
        seen.push(piece);
        assert.deepEqual(gathered.bytes, joined(seen));
      }
      assert.equal(gathered.length, joined(pieces).length);
    },
  ));
});

Deno.test("Gathered has room for no more than what came and what may come", () => {
  const gathered = new Gathered(1000);
  for (let i = 0; i < 30; i++) {
    gathered.add(new Uint8Array(30));
    assert(gathered.bytes.buffer.byteLength <= 1000);
  }
});

Deno.test("Gathered copies little also of what comes beyond what was said", () => {
  const gathered = new Gathered(10);
  const rooms = new Set<ArrayBuffer>();
  for (let i = 0; i < 10_000; i++) {
    gathered.add(new Uint8Array(10));
    rooms.add(gathered.bytes.buffer);
  }
  assert(rooms.size < 12, `${rooms.size} rooms`);
});
