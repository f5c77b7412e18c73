/**
 * Makes `cms` without `deno compile`: the launcher (POSIX sh), then the running Deno executable and the bundled program
 * as gzip streams. The same input gives the same bytes: no times, names or paths go in. Works for this platform only.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { replaceFile } from "./files.ts";
import { FLAGS } from "./flags.ts";

/** What goes into the file and where it is written. */
export interface SelfExtractingOptions {
  /** The bundled program: JavaScript files that will stand in one directory, `main.mjs` first. */
  readonly programPaths: readonly string[];
  /** The Deno executable to carry. */
  readonly runtimePath: string;
  /** The file to make. */
  readonly outputPath: string;
  /** Directory that keeps the compressed runtime between calls: compressing it takes seconds. */
  readonly workDirectory: string;
}

/**
 * Writes the self-extracting file, executable for all, in one step.
 * @returns Its size in bytes.
 */
export async function makeSelfExtracting(options: SelfExtractingOptions): Promise<number> {
  const launcher = await readFile(new URL("./launcher.sh", import.meta.url), "utf8");
  const parts = await Promise.all(options.programPaths.map((path) => readFile(path)));
  const program = Buffer.concat(parts);
  const names = options.programPaths.map((path, i) => `${basename(path)}:${parts[i]!.length}`).join(" ");
  const runtime = await readFile(options.runtimePath);
  const runtimeHash = createHash("sha256").update(runtime).digest("hex");
  const runtimeGz = await compressedRuntime(runtime, runtimeHash, options.workDirectory);
  const programGz = gzipSync(program, { level: 9 });
  // The hash names the cache directory, so all that is unpacked or decides how it is started is in it.
  const hash = createHash("sha256").update(`${runtimeHash}\n${FLAGS.join(" ")}\n${names}\n${launcher}\n`).update(
    program,
  )
    .digest("hex").slice(0, 32);
  const text = fillIn(launcher, {
    HASH: hash,
    RUNTIME_BYTES: String(runtimeGz.length),
    PROGRAM_BYTES: String(programGz.length),
    PARTS: names,
    FLAGS: FLAGS.join(" "),
  });
  const file = Buffer.concat([Buffer.from(text), runtimeGz, programGz]);
  await replaceFile(options.outputPath, file, 0o755);
  return file.length;
}

/** Fills in the `@NAME@` marks; `TEXT_BYTES`, the length of the result itself, is found here. */
export function fillIn(launcher: string, values: Readonly<Record<string, string>>): string {
  const filled = launcher.replace(/@([A-Z_]+)@/g, (mark, name: string) => values[name] ?? mark);
  const empty = filled.replaceAll("@TEXT_BYTES@", "");
  const marks = filled.split("@TEXT_BYTES@").length - 1;
  const bytes = Buffer.byteLength(empty);
  // Writing the length makes the text longer, at times by a digit more than was counted.
  let total = bytes;
  while (bytes + marks * String(total).length !== total) total = bytes + marks * String(total).length;
  return filled.replaceAll("@TEXT_BYTES@", String(total));
}

async function compressedRuntime(runtime: Uint8Array, hash: string, workDirectory: string): Promise<Uint8Array> {
  const path = `${workDirectory}/deno-${hash.slice(0, 16)}.gz`;
  const kept = await readFile(path).catch(() => null);
  if (kept !== null) return kept;
  const made = gzipSync(runtime, { level: 9 });
  await replaceFile(path, made, 0o644);
  return made;
}
