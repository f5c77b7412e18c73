/**
 * The executable of the whole program for tests: `dist/cms`, made when the sources have changed since it was made.
 *
 * A first run of it in a new home unpacks 98 MB; tests that change HOME often set XDG_CACHE_HOME to one shared
 * directory.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { makeExecutable } from "../scripts/compile/make.ts";
import { partsOf } from "../scripts/compile/parts.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const OUTPUT = `${ROOT}dist/cms`;
const WORK = `${ROOT}.deno/compile`;

let made: Promise<string> | undefined;

/** The absolute path of an executable made from the sources as they are now; several processes may ask at once. */
export function compiledCms(): Promise<string> {
  made ??= make();
  return made;
}

async function make(): Promise<string> {
  Deno.mkdirSync(WORK, { recursive: true });
  using lock = Deno.openSync(`${WORK}/lock`, { create: true, write: true });
  await lock.lock(true);
  const stamp = `${WORK}/made`;
  const sources = sourcesHash();
  if (readText(stamp) === `${sources} ${identity()}`) return OUTPUT;
  const options = { target: Deno.build.target, output: OUTPUT, way: "auto" } as const;
  await makeExecutable(options, { parts: partsOf(ROOT), work: WORK }, () => {});
  Deno.writeTextFileSync(stamp, `${sources} ${identity()}`);
  return OUTPUT;
}

/** Tells the file that was made here from one that somebody else put in its place since. */
function identity(): string {
  try {
    const { size, mtime, ino } = Deno.statSync(OUTPUT);
    return `${size} ${mtime?.getTime()} ${ino}`;
  } catch {
    return "none";
  }
}

/** Hash of all that decides what the executable is: path and content of each source, and the Deno that makes it. */
function sourcesHash(): string {
  const hash = createHash("sha256").update(`${Deno.version.deno} ${Deno.build.target} ${Deno.env.get("DENORT_BIN")}`);
  const paths = ["main.ts", "deno.json", "deno.lock", ...filesOf("src"), ...filesOf("scripts/compile")];
  for (const path of paths) hash.update(`\0${path}\0${readText(ROOT + path)}`);
  return hash.digest("hex");
}

function filesOf(directory: string): string[] {
  const entries = [...Deno.readDirSync(ROOT + directory)].sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory ? filesOf(path) : [path];
  });
}

function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}
