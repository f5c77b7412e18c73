/**
 * Runs a program and takes its time.
 *
 * @module
 */

/** Where and how a program runs. */
export interface RunOptions {
  /** Its directory. */
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for its stdin; else it has none. */
  readonly input?: string;
}

/** A run that hangs is ended after this; no bench comes near it. */
const LIMIT_MS = 5 * 60_000;

/**
 * Runs a program to its end; its stdout is thrown away.
 * @returns Milliseconds from before its start until it has ended.
 * @throws {Error} If it does not end with 0; the message has the end of its stderr.
 */
export async function timeOf(command: readonly string[], options: RunOptions = {}): Promise<number> {
  return (await run(command, options, "null")).ms;
}

/**
 * Runs a program to its end.
 * @returns Its stdout.
 * @throws {Error} As {@link timeOf}.
 */
export async function outputOf(command: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await run(command, options, "piped")).stdout;
}

/**
 * Starts a program and reads its stdout to the end.
 * @returns Milliseconds from before its start until the first of its output is there.
 * @throws {Error} If there is none, or it does not end with 0.
 */
export async function timeToFirstByte(
  [program = "", ...args]: readonly string[],
  { cwd }: RunOptions,
): Promise<number> {
  const begin = performance.now();
  const options = {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  } as const;
  const child = new Deno.Command(program, { ...options, ...(cwd !== undefined && { cwd }) }).spawn();
  let ms: number | null = null;
  for await (const _ of child.stdout) ms ??= performance.now() - begin;
  if ((await child.status).success && ms !== null) return ms;
  throw new Error(`Cannot run "${[program, ...args].join(" ")}": it said nothing, or failed`);
}

async function run(
  [program, ...args]: readonly string[],
  { cwd, env, input }: RunOptions,
  stdout: "null" | "piped",
): Promise<{ ms: number; stdout: string }> {
  const begin = performance.now();
  const child = new Deno.Command(program ?? "", {
    args,
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    stdin: input === undefined ? "null" : "piped",
    stdout,
    stderr: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).spawn();
  const text = stdout === "piped" ? new Response(child.stdout).text() : Promise.resolve("");
  const noise = new Response(child.stderr).text();
  if (input !== undefined) await new Blob([input]).stream().pipeTo(child.stdin);
  const { code } = await child.status;
  const ms = performance.now() - begin;
  if (code !== 0) {
    throw new Error(
      `Cannot run "${[program, ...args].join(" ").slice(0, 200)}": it ended with ${code}: ${
        (await noise).trim().slice(-500)
      }`,
    );
  }
  await noise;
  return { ms, stdout: await text };
}
