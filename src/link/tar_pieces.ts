/**
 * A tar stream in pieces, each behind a line with its length, so that something may follow it. Without the zeros with
 * which tar fills up the last of its records.
 *
 * @module
 */

import { joined } from "../bytes.ts";
import type { Child } from "../deps.ts";

const PIECE_BYTES = 256 * 1024;
/** More than the zeros that tar writes at the end: 20 blocks by default, and 2 that end the archive. */
const HELD_BYTES = 32 * 1024;
const BLOCK_BYTES = 512;

/** Sends all that tar writes. An error of the pipe shows as the end of one of the two. */
export async function inPieces(tar: Child, writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  const send = async (piece: Uint8Array): Promise<void> => {
    await writer.write(new TextEncoder().encode(`${piece.length}\n`));
    if (piece.length > 0) await writer.write(piece);
  };
  try {
    for await (const chunk of tar.stdout) {
      held.push(chunk);
      bytes += chunk.length;
      if (bytes < PIECE_BYTES + HELD_BYTES) continue;
      const all = joined(held);
      await send(all.subarray(0, bytes - HELD_BYTES));
      held = [all.slice(bytes - HELD_BYTES)];
      bytes = HELD_BYTES;
    }
    const last = withoutFill(joined(held));
    if (last.length > 0) await send(last);
    await send(new Uint8Array());
  } catch {
    tar.kill("SIGKILL");
    writer.abort().catch(() => {});
  }
}

/** Without the blocks of zeros at the end, but for the two that end an archive. */
export function withoutFill(bytes: Uint8Array): Uint8Array {
  const last = bytes.findLastIndex((byte) => byte !== 0);
  return bytes.subarray(0, (Math.ceil((last + 1) / BLOCK_BYTES) + 2) * BLOCK_BYTES);
}
