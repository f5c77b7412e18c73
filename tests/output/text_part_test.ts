import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { joined } from "../../src/bytes.ts";
import { firstLinesEnd, lastLinesStart, LineCutter, shownLine } from "../../src/output/text_part.ts";

const encoder = new TextEncoder();

Deno.test("LineCutter gives each line once, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }).filter((s) => !s.includes("\n"))),
      fc.nat(40),
      (lines, size) => {
        const bytes = encoder.encode(lines.join("\n"));
        const cutter = new LineCutter();
        const found: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size + 1) {
          found.push(
            ...cutter.take(bytes.subarray(at, at + size + 1)),
          );
        }
        const all = joined([...found, cutter.end()].flatMap((line, i) => i === 0 ? [line] : [Uint8Array.of(10), line]));
        assert.deepEqual(all, bytes);
      },
    ),
  );
});

Deno.test("LineCutter gives a line without an end in pieces of bounded size", () => {
  const cutter = new LineCutter();
  const piece = encoder.encode("\u20ac".repeat(33_333) + "x");
  const given: Uint8Array[] = [];
  for (let i = 0; i < 20; i++) given.push(...cutter.take(piece).map((line) => line.slice()));
  assert.ok(given.length > 20 && given.every(({ length }) => length <= 65_536));
  // No character is cut.
  const text = [...given, cutter.end()].map((line) => new TextDecoder("utf-8", { fatal: true }).decode(line)).join("");
  assert.deepEqual(encoder.encode(text), joined(Array(20).fill(piece)));
});

Deno.test("shownLine() leaves nothing that moves the cursor, and keeps tabs", () => {
  assert.equal(shownLine("a\tb\u001b[31m\u0007\r"), "a\tb\\x1b[31m\\x07");
  assert.equal(shownLine("10 %\r20 %"), "10 %\\r20 %");
});

Deno.test("lastLinesStart() and firstLinesEnd() count lines with and without a last line end", () => {
  const last = (text: string, count: number) => text.slice(lastLinesStart(encoder.encode(text), count));
  const first = (text: string, count: number) => text.slice(0, firstLinesEnd(encoder.encode(text), count).end);
  for (const end of ["", "\n"]) {
    assert.equal(last(`a\nb\nc${end}`, 2), `b\nc${end}`);
    assert.equal(last(`a${end}`, 5), `a${end}`);
    assert.equal(first(`a\nb\nc${end}`, 2), "a\nb\n");
    assert.equal(first(`a${end}`, 5), `a${end}`);
  }
  assert.equal(last("", 3), "");
  assert.equal(last("\n\n\n", 2), "\n\n");
  assert.equal(firstLinesEnd(encoder.encode("a\nb"), 5).lines, 1);
});
