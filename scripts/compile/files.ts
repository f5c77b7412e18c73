/**
 * Files of the compile scripts: written whole or not at all.
 *
 * @module
 */

import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";

/** Replaces a file in one step, so that one that is being executed or read keeps its old bytes. Makes the directory. */
export async function replaceFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temp = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temp, bytes);
    await chmod(temp, mode);
    await rename(temp, path);
  } finally {
    await rm(temp, { force: true });
  }
}
