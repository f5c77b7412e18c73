/**
 * Reads tar streams, one after another: what GNU tar, that of BSD and busybox write of regular files. Names are texts;
 * whether they may be used is the caller's to say.
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";

const BLOCK = 512;
/** Longest name, or record of further fields. */
const MOST_FIELDS = 64 * 1024;

/** What stands in the stream. */
export type Member =
  | { readonly type: "file"; readonly path: string; readonly sizeBytes: number; readonly modifiedMs: number }
  /** A block that is no part of a tar stream, as text. */
  | { readonly type: "mark"; readonly text: string };

/**
 * Reads the stream. The pieces of a file are taken before the next member is.
 * @param isMark Tells a block that is no header by its text. @param take Gets each file with its bytes; what it leaves
 * is skipped. @throws {RangeError} If the stream is none, or breaks off.
 */
export async function readTar(
  reader: ByteReader,
  isMark: (text: string) => boolean,
  take: (member: Member, pieces: AsyncIterable<Uint8Array>) => Promise<"on" | "end">,
): Promise<void> {
  let own: { path?: string; size?: number } = {};
  for (;;) {
    const block = await reader.exactly(BLOCK);
    // The end of one stream.
    if (block.every((byte) => byte === 0)) continue;
    const mark = new TextDecoder().decode(block).trimEnd();
    if (isMark(mark)) {
      if (await take({ type: "mark", text: mark }, nothing()) === "end") return;
      continue;
    }
    const header = readHeader(block);
    const size = own.size ?? header.size;
    if (header.kind === "L" || header.kind === "x" || header.kind === "g" || header.kind === "K") {
      if (header.size > MOST_FIELDS) throw new RangeError("a name is too long");
      const bytes = await whole(reader, header.size);
      if (header.kind === "L") own = { ...own, path: textUpToNul(bytes) };
      else if (header.kind === "x") own = { ...own, ...extended(bytes) };
      continue;
    }
    const isFile = header.kind === "0" || header.kind === "\0" || header.kind === "7";
    // Whoever takes the file may leave it in the middle.
    let left = size;
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const piece = await reader.some(left);
        left -= piece.length;
        yield piece;
      }
    };
    const member = { path: own.path ?? header.path, sizeBytes: size, modifiedMs: header.modified * 1000 };
    const next = isFile ? await take({ type: "file", ...member }, pieces()) : "on";
    for (left += (BLOCK - size % BLOCK) % BLOCK; left > 0;) left -= (await reader.some(left)).length;
    own = {};
    if (next === "end") return;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function whole(reader: ByteReader, size: number): Promise<Uint8Array> {
  const padded = Math.ceil(size / BLOCK) * BLOCK;
  return (await reader.exactly(padded)).subarray(0, size);
}

function readHeader(block: Uint8Array): { path: string; size: number; modified: number; kind: string } {
  const sum = block.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (number(block.subarray(148, 156)) !== sum) throw new RangeError("it is no tar stream");
  const name = textUpToNul(block.subarray(0, 100));
  const isUstar = textUpToNul(block.subarray(257, 263)) === "ustar";
  const prefix = isUstar ? textUpToNul(block.subarray(345, 500)) : "";
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    size: number(block.subarray(124, 136)),
    modified: number(block.subarray(136, 148)),
    kind: String.fromCharCode(block[156]!),
  };
}

/** Octal text, or where that is too small binary. */
function number(field: Uint8Array): number {
  if ((field[0]! & 0x80) !== 0) {
    return field.subarray(1).reduce((all, byte) => all * 256 + byte, field[0]! & 0x3f);
  }
  const text = textUpToNul(field).trim();
  if (!/^[0-7]*$/.test(text)) throw new RangeError("it is no tar stream");
  return text === "" ? 0 : parseInt(text, 8);
}

function textUpToNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Records `LENGTH KEY=VALUE`. */
function extended(bytes: Uint8Array): { path?: string; size?: number } {
  const text = new TextDecoder().decode(bytes);
  const path = /(?:^|\n)[0-9]+ path=([^\n]*)\n/.exec(text)?.[1];
  const size = /(?:^|\n)[0-9]+ size=([0-9]+)\n/.exec(text)?.[1];
  return { ...(path !== undefined && { path }), ...(size !== undefined && { size: Number(size) }) };
}
