/**
 * Faults of the manager's processes.
 *
 * @module
 */

import { sshPids } from "../../../testing/harness_faults.ts";
import { uptimeMs } from "../deeds.ts";
import { findTraces } from "../keeper.ts";
import type { World } from "../world.ts";
import { type Fault, pass, seconds } from "./fault.ts";

/** The run is killed; the keeper starts it again. */
export const killManager: Fault = {
  name: "kill -9 of the manager",
  weight: 8,
  plan: (world) => ({
    text: "kill -9 of the manager",
    needs: ["manager"],
    run: async () => await world.round.keeper.kill9() ? "started again" : "there was no run",
  }),
};

/** The run is stopped, and goes on. */
export const stopManager: Fault = {
  name: "SIGSTOP of the manager",
  weight: 3,
  plan(world, random) {
    // Most are short; each fifth lasts as long as is allowed.
    const lastsMs = random.next() < 0.2 ? world.longestStopMs : random.between(200, world.longestStopMs / 4);
    return {
      text: `SIGSTOP of the manager for ${seconds(lastsMs)}`,
      needs: ["manager"],
      async run() {
        const { run } = world.round.keeper;
        if (run === null) return "there was no run";
        run.signal("SIGSTOP");
        await pass(lastsMs);
        run.signal("SIGCONT");
        return lastsMs > world.timeoutMs ? "went on, beyond the time-out" : "went on";
      },
    };
  },
};

/** A second run of the same queue. */
export const secondManager: Fault = {
  name: "a second manager",
  weight: 3,
  plan: (world) => ({
    text: "a second manager",
    needs: [],
    run: () => startSecond(world),
  }),
};

async function startSecond(world: World): Promise<string> {
  const { manager, round, journal } = world;
  const { run } = round.keeper;
  const holds = run?.isRunning === true && /^(INFO|WARNING)/m.test(run.text);
  const second = manager.spawn([`${manager.bin}/cms`, "queue", "run", "fifo", round.queue, "--max_parallel=1"], {
    limitMs: 3_600_000,
  });
  let isOver = false;
  const ended = second.ended().finally(() => isOver = true);
  // If the first one dies meanwhile, this one may begin: it must not go on.
  while (!isOver && run?.isRunning === true) await pass(20);
  if (!isOver) await pass(100);
  await second.kill9();
  const { code, stdout, stderr } = await ended;
  findTraces(journal, "a second manager", stdout + stderr);
  if (code === 2) return "refused";
  if (holds && run.isRunning && code !== 137) {
    journal.find("program", `a second manager was not refused, but ended with ${code}: ${stdout}${stderr}`);
  }
  return "there was no run";
}

/** One of the run's ssh processes is killed. */
export const killSsh: Fault = {
  name: "kill -9 of one ssh",
  weight: 6,
  plan(world, random) {
    const which = random.next();
    return {
      text: "kill -9 of one ssh",
      needs: [],
      run() {
        const { run } = world.round.keeper;
        const pids = run === null ? [] : sshPids(run);
        const pid = pids[Math.floor(which * pids.length)];
        if (pid === undefined) return Promise.resolve("there was none");
        try {
          const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
          Deno.kill(pid, "SIGKILL");
          for (const { name } of world.hosts) {
            if (words.includes(name)) {
              world.journal.troubles.push({ type: "ssh", host: name, atMs: uptimeMs() });
            }
          }
        } catch {
          return Promise.resolve("there was none");
        }
        return Promise.resolve("killed");
      },
    };
  },
};
