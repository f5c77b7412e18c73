/**
 * The program's entry: the words of the command, the real effects, and the exit status. All else is in
 * `src/cli/program.ts`, which `--version` does without.
 *
 * @module
 */

import { asksVersion, withCalledName } from "./src/cli/called.ts";
import { restoreKeptEnvironment } from "./src/cli/restore_env.ts";
import { RealTerminal } from "./src/terminal_real.ts";
import { VERSION } from "./src/version.ts";

/**
 * The name that the program was called by. Node's module has it everywhere, but takes longer to load than a short
 * command does.
 */
async function calledAs(): Promise<string> {
  const named = Deno.env.get("CMS_CALLED_AS");
  if (named !== undefined) return named;
  try {
    return Deno.readTextFileSync("/proc/self/cmdline").split("\0")[0] as string;
  } catch {
    return (await import("node:process")).default.argv0;
  }
}

/** The words of the command, with the group that the program's name may stand for. */
export async function calledWords(): Promise<string[]> {
  return withCalledName((await calledAs()).split("/").at(-1) as string, Deno.args);
}

/** Runs the program with the real terminal. */
export async function main(): Promise<void> {
  restoreKeptEnvironment(Deno.env);
  const words = await calledWords();
  Deno.env.delete("CMS_CALLED_AS"); // Not for the jobs: another cms that they call has a name of its own.
  // The exit code is set, not forced: an exit before the event loop has turned would lose V8's code cache.
  const terminal = new RealTerminal();
  const status = await answer(words, terminal);
  Deno.exitCode = terminal.failure === null ? status : status || 1;
  if (terminal.failure === null) {
    if (terminal.mustExit) Deno.exit();
    return;
  }
  terminal.err(`ERROR: Cannot write the output: ${terminal.failure}\n`);
  await terminal.flush();
}

/** The version needs no grammar; all else is loaded for the other commands alone. @returns The exit status. */
async function answer(words: readonly string[], terminal: RealTerminal): Promise<number> {
  if (!asksVersion(words)) {
    const { cms } = await import("./src/cli/program.ts");
    const { realDeps } = await import("./src/deps_real.ts");
    return await cms(words, realDeps(), terminal);
  }
  terminal.out(`cms ${VERSION}\n`);
  await terminal.flush();
  return 0;
}

if (import.meta.main) await main();
