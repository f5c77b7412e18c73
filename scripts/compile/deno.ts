/**
 * Runs the `deno` that runs this: bundling, compiling, trying what was made. Every run has a limit.
 *
 * @module
 */

import { FLAGS } from "./flags.ts";

/** What a run left. */
export interface Ran {
  /** Exit status 0. */
  readonly ok: boolean;
  /** All it wrote there. */
  readonly stdout: string;
  /** All it wrote there; the reason where it could not be started. */
  readonly stderr: string;
}

/** Runs a program to its end, or to the limit. */
export async function run(command: readonly string[], limitMs: number, env: Record<string, string> = {}): Promise<Ran> {
  const [program = "", ...args] = command;
  try {
    const output = await new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(limitMs),
    }).output();
    const text = new TextDecoder();
    const late = output.signal === "SIGTERM" ? `not done within ${limitMs / 1000} s\n` : "";
    return { ok: output.success, stdout: text.decode(output.stdout), stderr: text.decode(output.stderr) + late };
  } catch (error) {
    return { ok: false, stdout: "", stderr: (error as Error).message };
  }
}

/** The last line of a program's complaint: where it says what happened. */
export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}

/** The line of a complaint that says what is wrong. */
export function firstError(stderr: string): string {
  return stderr.split("\n").find((line) => /error/i.test(line))?.trim() ?? lastLine(stderr);
}

/** Deno's cache directory. */
export async function denoDirectory(): Promise<string> {
  const info = await run([Deno.execPath(), "info", "--json"], 20_000);
  return (JSON.parse(info.stdout) as { denoDir: string }).denoDir;
}

/**
 * What the bundled program says to `--version`: shows that it starts, and is what the finished file must say.
 * @throws {Error} If it does not start.
 */
export async function versionOfProgram(program: string): Promise<string> {
  const args = ["run", "--cached-only", "--no-config", "--no-lock", "--no-remote", "--no-npm", ...FLAGS];
  const result = await run([Deno.execPath(), ...args, program, "--version"], 20_000);
  if (!result.ok) throw new Error(`The bundled program does not start: ${firstError(result.stderr)}`);
  return result.stdout.trim();
}

/** Runs `deno compile` on the bundled program; `others` are bundles that it loads when it needs them. */
export function denoCompile(
  program: string,
  others: readonly string[],
  output: string,
  target: string,
): Promise<Ran> {
  const args = [
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    ...FLAGS,
    ...others.map((path) => `--include=${path}`),
  ];
  // 10 minutes: the download of the base binary (40 MB) over a slow line is part of it.
  return run([Deno.execPath(), ...args, `--target=${target}`, `--output=${output}`, program], 600_000);
}
