/**
 * Files that come piece by piece, for the real `Files`.
 *
 * @module
 */

/** As `Files.receive` has it. */
export async function receive(path: string, pieces: AsyncIterable<Uint8Array>, modifiedMs: number): Promise<void> {
  const name = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const temporary = `${path.slice(0, path.lastIndexOf("/"))}/.${name}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      for await (const piece of pieces) {
        for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
      }
      await file.utime(new Date(), new Date(modifiedMs));
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
