/**
 * Makes the executable: bundles the program, then `deno compile`, or where that cannot be done a self-extracting file.
 * Both carry the same bundle.
 *
 * @module
 */

import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { findBase, probeUrl } from "./base.ts";
import { bundle } from "./bundle.ts";
import { denoCompile, denoDirectory, lastLine, run, versionOfProgram } from "./deno.ts";
import type { CompileOptions } from "./options.ts";
import type { Part } from "./parts.ts";
import { makeSelfExtracting } from "./self_extracting.ts";

/** What was made. */
export interface Made {
  /** Absolute path. */
  readonly output: string;
  /** Its size. */
  readonly sizeBytes: number;
  /** How it was made. */
  readonly way: "deno-compile" | "self-extracting";
}

/** Where the program is and where files between calls are kept. */
export interface Places {
  /** The bundles of the program; the first of them is its main module. */
  readonly parts: readonly Part[];
  /** A directory that survives: the compressed Deno executable stays there. */
  readonly work: string;
}

/**
 * Makes one executable file.
 * @param say Takes lines for the person who waits.
 * @throws {Error} If it cannot be made; the message is one line. `options.output` is as it was before, then.
 */
export async function makeExecutable(
  options: CompileOptions,
  places: Places,
  say: (line: string) => void,
): Promise<Made> {
  const output = resolve(options.output);
  // A directory of this process: two that compile at the same time must not mix.
  const workDirectory = resolve(places.work);
  const directory = join(workDirectory, `compile-${process.pid}`);
  const paths = places.parts.map(({ name }) => join(directory, name));
  const [programPath = "", ...others] = paths;
  await mkdir(directory, { recursive: true });
  try {
    for (const part of places.parts) await bundle(part, directory);
    const version = await versionOfProgram(programPath);
    if (options.way !== "self-extracting") {
      const reason = await compileOfficially({ ...options, output }, [programPath, ...others], version);
      if (reason === null) return { output, sizeBytes: (await stat(output)).size, way: "deno-compile" };
      if (options.way === "deno-compile") throw new Error(`Cannot compile for ${options.target}: ${reason}`);
      say(`No base binary for deno compile: ${reason}`);
    }
    if (options.target !== Deno.build.target) {
      throw new Error(
        `Cannot compile for ${options.target}: a self-extracting file carries the Deno of this platform, ${Deno.build.target}`,
      );
    }
    say("Making a self-extracting file that carries this Deno");
    const runtimePath = await Deno.realPath(Deno.execPath());
    const sizeBytes = await makeSelfExtracting({ programPaths: paths, runtimePath, outputPath: output, workDirectory });
    return { output, sizeBytes, way: "self-extracting" };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Tries `deno compile`.
 * @returns Null when it is made, else why its base binary cannot be had.
 * @throws {Error} For all else that goes wrong: another way would only hide it.
 */
async function compileOfficially(
  options: CompileOptions,
  [program = "", ...others]: readonly string[],
  version: string,
): Promise<string | null> {
  const search = {
    target: options.target,
    version: Deno.version.deno,
    denoDirectory: await denoDirectory(),
    denortBin: Deno.env.get("DENORT_BIN"),
    probe: probeUrl,
  };
  const base = await findBase(search);
  if (base.kind === "absent") return base.reason;
  const made = join(dirname(program), "cms");
  const result = await denoCompile(program, others, made, options.target);
  if (!result.ok) {
    const reason = lastLine(result.stderr);
    // The address answered, but the download broke: then the cache is as empty as before.
    const missing = base.kind === "download" && (await findBase({ ...search, probe: () => Promise.resolve("") })).kind;
    if (missing === "absent") return `the download failed: ${reason}`;
    throw new Error(`Cannot compile for ${options.target}: deno compile failed: ${reason}`);
  }
  if (options.target === Deno.build.target) {
    const answer = await run([made, "--version"], 20_000);
    if (answer.stdout.trim() !== version) {
      const said = answer.stdout.trim().split("\n")[0] || lastLine(answer.stderr);
      throw new Error(
        `Cannot compile for ${options.target}: "--version" of what was made says "${said}", not "${version}"`,
      );
    }
  }
  await mkdir(dirname(options.output), { recursive: true });
  // Across file systems a rename does not work; beside its place it is one step.
  const beside = `${options.output}.${process.pid}.tmp`;
  await Deno.copyFile(made, beside);
  await rename(beside, options.output);
  return null;
}
