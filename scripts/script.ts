/**
 * What the longer scripts have in common: where they write to, and how they end.
 *
 * @module
 */

/** Writes the result, to stdout. */
export function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

/** Tells what goes on while it takes its time, on stderr; not part of the result. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/**
 * Runs `main` and ends the process with its exit status; 2 for a `RangeError` (wrong words), 1 for any other, each told
 * in a line.
 */
export async function runScript(main: () => Promise<number>): Promise<never> {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    say(`ERROR: ${(error as Error).message}`);
    Deno.exitCode = error instanceof RangeError ? 2 : 1;
  }
  // Listeners for signals keep the process otherwise.
  Deno.exit();
}
