/**
 * Runs the machine's own programs for the test hosts.
 *
 * @module
 */

/** What a program left behind. */
export interface Outcome {
  /** Exit code; 128+n for a signal. */
  readonly code: number;
  /** All of it, as UTF-8. */
  readonly stdout: string;
  /** All of it, as UTF-8. */
  readonly stderr: string;
}

/**
 * Runs a program to its end. Does not throw when it fails.
 * @param options `input`: text for its stdin (else it has none); `env`: its whole environment (else ours).
 */
export async function outcomeOf(
  command: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const [program, ...args] = command;
  const child = new Deno.Command(program ?? "", {
    args,
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.env ? { clearEnv: true, env: options.env } : {}),
  }).spawn();
  if (options.input !== undefined) await feed(child.stdin, options.input);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/**
 * Runs a program that has to succeed; returns its stdout.
 * @throws {Error} If it ends with another code than 0; the message has its stderr.
 */
export async function must(command: readonly string[], options: { input?: string } = {}): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(command, options);
  if (code !== 0) throw new Error(`Cannot run "${command.join(" ")}": it ended with ${code}: ${stderr.trim()}`);
  return stdout;
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // It ended without reading; its exit code tells.
  }
}
