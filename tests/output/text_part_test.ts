import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { firstLines, lastLines, LineCutter, shownLine } from "../../src/output/text_part.ts";

const encoder = new TextEncoder();

Deno.test("LineCutter gives each line once, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }).filter((s) => !s.includes("\n"))),
      fc.nat(40),
      (lines, size) => {
        const bytes = encoder.encode(lines.join("\n"));
        const cutter = new LineCutter();
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += size + 1) {
          found.push(
            ...cutter.take(bytes.subarray(at, at + size + 1)),
          );
        }
        assert.equal([...found, cutter.end()].join("\n"), lines.join("\n").replace(/^\ufeff/, ""));
      },
    ),
  );
});

Deno.test("LineCutter gives a line without an end in pieces of bounded size", () => {
  const cutter = new LineCutter();
  const piece = encoder.encode("x".repeat(100_000));
  let given = 0;
  for (let i = 0; i < 20; i++) for (const line of cutter.take(piece)) given += line.length;
  assert.equal(given + cutter.end().length, 2_000_000);
});

Deno.test("shownLine() leaves nothing that moves the cursor, and keeps tabs", () => {
  assert.equal(shownLine("a\tb\u001b[31m\u0007\r"), "a\tb\\x1b[31m\\x07");
  assert.equal(shownLine("10 %\r20 %"), "10 %\\r20 %");
});

Deno.test("lastLines() and firstLines() count lines with and without a last line end", () => {
  for (const end of ["", "\n"]) {
    assert.equal(lastLines(`a\nb\nc${end}`, 2), `b\nc${end}`);
    assert.equal(lastLines(`a${end}`, 5), `a${end}`);
    assert.equal(firstLines(`a\nb\nc${end}`, 2), "a\nb\n");
    assert.equal(firstLines(`a${end}`, 5), `a${end}`);
  }
  assert.equal(lastLines("", 3), "");
  assert.equal(lastLines("\n\n\n", 2), "\n\n");
});
