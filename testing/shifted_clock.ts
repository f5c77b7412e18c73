/**
 * A wall clock that steps, for single programs: what somebody does who sets the time of the manager, without a change
 * to the time of the machine of the tests.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("shifted_clock.c", import.meta.url));

/** The wall clock of the programs that have its variables, and of what they start. Removed by `await using`. */
export class ShiftedClock {
  /** Variables of the programs. */
  readonly env: Readonly<Record<string, string>>;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.env = { LD_PRELOAD: `${directory}/clock.so`, TEST_CLOCK: `${directory}/shift` };
  }

  /** Makes a clock that is as far from that of the machine as it says, in seconds. Needs a C compiler. */
  static async make(seconds = 0): Promise<ShiftedClock> {
    const clock = new ShiftedClock(await Deno.makeTempDir({ prefix: "cms-clock-" }));
    const args = ["-shared", "-fPIC", "-O2", "-nostdlib", "-o", clock.env.LD_PRELOAD!, SOURCE];
    const { success, stderr } = await new Deno.Command("cc", { args }).output();
    if (!success) throw new Error(`Cannot compile ${SOURCE}: ${new TextDecoder().decode(stderr)}`);
    await clock.set(seconds);
    return clock;
  }

  /** From now on the clock is so many seconds ahead of that of the machine; behind it if negative. */
  async set(seconds: number): Promise<void> {
    // In place: programs have the file in their memory.
    using file = await Deno.open(this.env.TEST_CLOCK!, { write: true, create: true });
    await file.write(new Uint8Array(new BigInt64Array([BigInt(seconds)]).buffer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}
