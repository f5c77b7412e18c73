/**
 * Bundles the program.
 *
 * The grammar library imports modules of Node for commands that are programs of their own, which this program has none
 * of; the first import of any of them makes Deno set up all of Node, which takes longer than a short command does. They
 * are replaced by `without_node/`. Nothing else may import them, but for what the service's bundle alone holds; this is
 * checked.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { firstError, run } from "./deno.ts";
import type { Part } from "./parts.ts";

const REPLACED: Readonly<Record<string, string>> = {
  "node:child_process": "unused",
  "node:events": "events",
  "node:fs": "unused",
  "node:path": "unused",
  "node:process": "process",
  "node:util": "util",
};
const NODE_IMPORT = /^(import .* from )"(node:[a-z_]+)";$/gm;
/** What only the grammar library imports. */
const MARK = "node:child_process";

/**
 * Makes the file of a part in a directory: all that it imports in one JavaScript file, where dynamic imports stay lazy.
 * Minified, as the comments of the plain output name directories of this machine.
 * @throws {Error} If it cannot be bundled; bundling fetches esbuild from npm once.
 */
export async function bundle(part: Part, directory: string): Promise<void> {
  const plain = `${directory}/plain-${part.name}`;
  await denoBundle(part.entry, plain, part.without);
  const text = await readFile(plain, "utf8");
  if (text.includes(`"${MARK}"`)) await writeFile(plain, text.replaceAll(NODE_IMPORT, replaced));
  const file = `${directory}/${part.name}`;
  await denoBundle(plain, file, part.without);
  await writeFile(file, part.without.reduce(hideImport, await readFile(file, "utf8")));
}

/** What is left out is nowhere: named in a literal Deno would look for it at each start, to see what it imports. */
function hideImport(text: string, name: string): string {
  return text.replaceAll(`import(${JSON.stringify(name)})`, `import(String(${JSON.stringify(name)}))`);
}

function replaced(line: string, names: string, module: string): string {
  const name = REPLACED[module];
  if (name === undefined) return line;
  return `${names}${JSON.stringify(fileURLToPath(new URL(`./without_node/${name}.ts`, import.meta.url)))};`;
}

async function denoBundle(entry: string, output: string, without: readonly string[]): Promise<void> {
  const external = without.map((name) => `--external=${name}`);
  const minify = output.includes("/plain-") ? [] : ["--minify"];
  const args = ["bundle", "--quiet", ...minify, "--platform=deno", ...external, `--output=${output}`, entry];
  const result = await run([Deno.execPath(), ...args], 60_000);
  if (result.ok) return;
  const reason = firstError(result.stderr);
  const hint = /esbuild|registry|error sending request/.test(result.stderr)
    ? ' ("deno bundle" fetches esbuild from npm on first use: run this once with a network)'
    : "";
  throw new Error(`Cannot bundle ${entry}: ${reason}${hint}`);
}
