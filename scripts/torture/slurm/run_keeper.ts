/**
 * Keeps a run of a queue going: one that was killed is followed by the next.
 *
 * @module
 */

import type { Manager, Running } from "../../../testing/harness.ts";
import { CLUSTER } from "../../../testing/slurm_queue.ts";

/** See the module. */
export class RunKeeper {
  readonly #manager: Manager;
  readonly #words: readonly string[];
  #run: Running | null = null;
  #wasKilled = false;
  /** What runs said that ended otherwise than they should. */
  readonly complaints: string[] = [];
  /** Runs so far. */
  count = 0;

  constructor(manager: Manager, words: readonly string[]) {
    this.#manager = manager;
    this.#words = words;
  }

  /** What the last one printed. */
  get text(): string {
    return this.#run?.text ?? "";
  }

  /** Runs the queue again and again until a run comes to its own end. @param isOver Ends it before. */
  async toTheEnd(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.count++;
      this.#wasKilled = false;
      const run = this.#manager.spawn([`${this.#manager.bin}/cms`, ...this.#words], { limitMs: 3_600_000 });
      this.#run = run;
      const { code } = await run.ended();
      if (this.#wasKilled) continue;
      // So many allocations ended before they were of use that a person is asked to look at it, and does.
      if (code !== 0 && run.text.includes("cluster activate")) {
        await this.#manager.ok("cluster", "activate", CLUSTER, "--id=gpu");
        continue;
      }
      if (code !== 0) this.complaints.push(`a run ended with ${code}: ${run.text.slice(-600)}`);
      return;
    }
  }

  /** Ends the run at once, as a crash would. */
  async kill9(): Promise<void> {
    this.#wasKilled = true;
    await this.#run?.kill9();
  }
}
