/**
 * A line to a host that takes its time: `delay_proxy.ts HOST PORT MS` passes stdin to a connection and back, each piece
 * so many milliseconds late. For `ProxyCommand`. Pieces do not wait for each other, as on a real line.
 *
 * @module
 */

const PIECE_BYTES = 64 * 1024;

/** Passes on what comes, in order, each piece `ms` after it came; ends the target when the source has ended. */
export async function passOn(
  source: { read(piece: Uint8Array): Promise<number | null> },
  target: { write(bytes: Uint8Array): Promise<number> },
  ms: number,
): Promise<void> {
  const buffer = new Uint8Array(PIECE_BYTES);
  let last: Promise<void> = Promise.resolve();
  for (let count = await source.read(buffer); count !== null; count = await source.read(buffer)) {
    const piece = buffer.slice(0, count);
    const due = new Promise<void>((resolve) => setTimeout(resolve, ms));
    const before = last;
    last = (async () => {
      await due;
      await before;
      for (let at = 0; at < piece.length;) at += await target.write(piece.subarray(at));
    })();
    // Whoever has gone wants nothing more.
    last.catch(() => {});
  }
  await last;
}

async function main([hostname = "", port = "", ms = ""]: readonly string[]): Promise<void> {
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay();
  const up = passOn(Deno.stdin, connection, Number(ms)).then(() => connection.closeWrite());
  const down = passOn(connection, Deno.stdout, Number(ms));
  await Promise.race([down, Promise.all([up, down])]).catch(() => {});
  Deno.exit();
}

if (import.meta.main) await main(Deno.args);
