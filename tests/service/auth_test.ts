import assert from "node:assert/strict";
import { makeAuth, MOST_BYTES } from "../../src/service/auth.ts";

const basic = (pair: string) => `Basic ${new TextEncoder().encode(pair).toBase64()}`;

Deno.test("only the very pair is right, byte for byte", () => {
  const longest = `pi:${"x".repeat(MOST_BYTES - 3)}`;
  for (const pair of ["pi:rêd berry", "pi:", longest]) {
    const at = pair.indexOf(":");
    const auth = makeAuth({ user: pair.slice(0, at), password: pair.slice(at + 1) });
    assert.deepEqual(auth.check(basic(pair)), { type: "right", user: "pi", role: "user" });
    for (const other of [`${pair}\0`, `${pair}x`, `\0${pair}`, pair.slice(0, -1), pair.toUpperCase(), ""]) {
      assert.equal(auth.check(basic(other)).type, other === "" ? "none" : "wrong", JSON.stringify(other).slice(0, 30));
    }
  }
});

Deno.test("what is not HTTP Basic is none", () => {
  const auth = makeAuth({ user: "pi", password: "red berry" });
  const right = basic("pi:red berry");
  assert.equal(auth.check(right.replace("Basic", "bASIC ")).type, "right");
  assert.equal(auth.check(right.replace(/=*$/, "")).type, "right");
  const others = ["", "Basic", "Basic ", "Basic ?", "Basic a", `Bearer ${right.slice(6)}`, `${right} x`];
  for (const header of [undefined, ...others, basic("x".repeat(2 * MOST_BYTES))]) {
    assert.equal(auth.check(header).type, "none", header?.slice(0, 30));
  }
});
