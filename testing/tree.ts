/**
 * All that can be seen of a directory from outside, to prove that nothing in it was touched.
 *
 * @module
 */

/**
 * A line for each path below a directory: kind, mode, inode, size, times of the last change, and the bytes of files in
 * hex.
 */
export async function treeOf(directory: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    const { mode, ino, size, mtime, ctime, isSymlink, isFile } = await Deno.lstat(path);
    const content = isSymlink ? await Deno.readLink(path) : isFile ? (await Deno.readFile(path)).toHex() : "";
    lines.push(`${name} ${mode} ${ino} ${size} ${mtime?.getTime()} ${ctime?.getTime()} ${content}`);
    if (isDirectory) lines.push(...(await treeOf(path)).map((line) => `${name}/${line}`));
  }
  return lines.sort();
}
