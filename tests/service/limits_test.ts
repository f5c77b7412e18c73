import assert from "node:assert/strict";
import { checkUtf8 } from "../../src/service/limits.ts";

/** More than is looked at in one piece. */
const PIECE = 64 * 1024;
const refused = { message: "The body is not UTF-8 text" };

Deno.test("a body is text wherever its pieces are cut, and its last character is whole", () => {
  const sign = new TextEncoder().encode("𝄞");
  for (let before = PIECE - 5; before <= PIECE + 1; before++) {
    const body = new Uint8Array(before + sign.length + 10).fill(32);
    body.set(sign, before);
    checkUtf8(body);
    assert.throws(() => checkUtf8(body.subarray(0, before + 3)), refused);
    body[before + 1] = 32;
    assert.throws(() => checkUtf8(body), refused);
  }
  const last = new Uint8Array(3 * PIECE + 1).fill(32);
  checkUtf8(last);
  last[3 * PIECE] = 0xff;
  assert.throws(() => checkUtf8(last), refused);
  checkUtf8(new Uint8Array());
});
