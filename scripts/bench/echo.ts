/**
 * A program that gives back what it is given: what a line takes to go there and back.
 *
 * @module
 */

/** An open one. */
export interface Echo extends AsyncDisposable {
  /** Sends a line and waits for it. */
  roundTrip(): Promise<void>;
}

/** Starts the program. */
export function openEcho([program = "", ...args]: readonly string[]): Echo {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  const line = new TextEncoder().encode("x\n");
  return {
    async roundTrip() {
      await writer.write(line);
      for (let have = 0; have < line.length;) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`Cannot go on: ${program} has ended`);
        have += value.length;
      }
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await reader.cancel();
      await child.status;
    },
  };
}
