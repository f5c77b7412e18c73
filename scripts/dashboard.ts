/**
 * `deno task dashboard`: makes the script of the page, `src/dashboard/bundle/page.js`, and the types of the service
 * that the page is checked against. The script stands in the repository, so that the program runs from its sources.
 *
 * @module
 */

import openapiTS, { astToString } from "openapi-typescript";
import { documentOf } from "../src/service/openapi.ts";
import { realDeps } from "../src/deps_real.ts";
import { runScript, write } from "./script.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const CONFIG = `--config=${ROOT}src/dashboard/dashboard.json`;
const PAGE = `${ROOT}src/dashboard/page.tsx`;
const BUNDLE = `${ROOT}src/dashboard/bundle/page.js`;
/** What the page may weigh, compressed, with its style. */
const MOST_BYTES = 60_000;

/** Makes the types of the service's operations. */
async function makeTypes(): Promise<void> {
  const types = astToString(await openapiTS(JSON.stringify(documentOf(realDeps()))));
  await Deno.mkdir(`${ROOT}.deno/dashboard`, { recursive: true });
  await Deno.writeTextFile(`${ROOT}.deno/dashboard/types.ts`, types);
}

/** Makes the script in a file. @throws {Error} If it cannot be made. */
async function bundlePage(output: string): Promise<void> {
  await deno("bundle", "--quiet", CONFIG, "--minify", "--platform=browser", `--output=${output}`, PAGE);
}

/** Checks the page against the service. @throws {Error} With what the compiler says. */
async function checkPage(): Promise<void> {
  await makeTypes();
  await deno("check", "--quiet", CONFIG, PAGE);
}

/** Bytes of the page's script and style, compressed. */
async function weigh(script: string): Promise<number> {
  const style = await Deno.readTextFile(`${ROOT}src/dashboard/page.css`);
  const parts = [await Deno.readTextFile(script), style].map(async (text) => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return (await new Response(stream).bytes()).length;
  });
  return (await Promise.all(parts)).reduce((sum, bytes) => sum + bytes, 0);
}

async function deno(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  if (!success) throw new Error(`deno ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** What is not as the sources make it: one line each. */
export async function staleParts(): Promise<string[]> {
  const directory = await Deno.makeTempDir({ prefix: "cms-dashboard-" });
  try {
    await checkPage();
    await bundlePage(`${directory}/page.js`);
    const made = await Deno.readTextFile(`${directory}/page.js`);
    const stale: string[] = [];
    if (await Deno.readTextFile(BUNDLE).catch(() => "") !== made) {
      stale.push("src/dashboard/bundle/page.js is not what the sources make: deno task dashboard");
    }
    const bytes = await weigh(`${directory}/page.js`);
    if (bytes > MOST_BYTES) stale.push(`the page weighs ${bytes} bytes compressed, more than ${MOST_BYTES}`);
    return stale;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function main(): Promise<number> {
  await checkPage();
  await bundlePage(BUNDLE);
  write(`${BUNDLE}: ${await weigh(BUNDLE)} bytes compressed, with the style\n`);
  return 0;
}

if (import.meta.main) await runScript(main);
