/**
 * `deno task compile`: makes dist/cms, one file that runs where neither Node nor Deno is installed.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { makeExecutable } from "./compile/make.ts";
import { parseOptions, USAGE } from "./compile/options.ts";
import { partsOf } from "./compile/parts.ts";

/** Runs the task; returns its exit status. */
export async function compile(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, Deno.build.target);
    if (options === "help") {
      say(USAGE.trimEnd());
      return 0;
    }
    const root = new URL("../", import.meta.url);
    const places = {
      parts: partsOf(fileURLToPath(root)),
      work: fileURLToPath(new URL(".deno/compile", root)),
    };
    const made = await makeExecutable(options, places, say);
    const size = `${(made.sizeBytes / 1e6).toFixed(1)} MB`;
    say(`Made ${options.output} for ${options.target} (${made.way}, ${size})`);
    return 0;
  } catch (error) {
    Deno.stderr.writeSync(new TextEncoder().encode(`ERROR: ${(error as Error).message}\n`));
    return error instanceof RangeError ? 2 : 1;
  }
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exitCode = await compile(Deno.args);
