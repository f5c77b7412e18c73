/**
 * A tree of files as text, to see whether it has changed.
 *
 * @module
 */

/** Path, mode and content or target of all that is in a directory, but for one of its entries. */
export async function snapshotOf(directory: string, without = ""): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (name === without) continue;
    const path = `${directory}/${name}`;
    const { mode, isSymlink } = await Deno.lstat(path);
    const content = isSymlink ? await Deno.readLink(path) : isDirectory ? "" : await Deno.readTextFile(path);
    lines.push(`${name} ${mode} ${content}`);
    if (isDirectory) lines.push(...(await snapshotOf(path)).map((line) => `${name}/${line}`));
  }
  return lines.sort();
}
