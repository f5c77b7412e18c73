import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { quote } from "../../src/names/quote.ts";

Deno.test("quote() gives a shell back exactly the text, for any text", async () => {
  const samples = fc.sample(fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")), 100);
  const texts = [...samples, "", "'", "''", "a'b", "$(id)", "`id`", "\\", "\n", "a\n", "!x", "-n", "*"];
  const script = texts.map((text) => `printf '%s\\0' ${quote(text)}`).join("\n");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert.deepEqual(new TextDecoder().decode(stdout).split("\0").slice(0, -1), texts);
});

Deno.test("quote() refuses a NUL", () => {
  assert.throws(() => quote("a\0b"), RangeError);
});
