/**
 * What other people do to the queue meanwhile: commands, some of which are killed.
 *
 * @module
 */

import type { Outcome } from "../../../testing/harness.ts";
import { type Deed, uptimeMs } from "../deeds.ts";
import { planNames } from "../jobs.ts";
import { addJobs } from "../queue.ts";
import { findTraces } from "../keeper.ts";
import type { Random } from "../random.ts";
import { CLUSTER, type World } from "../world.ts";
import { type Fault, pass } from "./fault.ts";

/** A command that takes longer hangs. One that has to wait for a run that stands still may take that long. */
const COMMAND_LIMIT_MS = 180_000;

/** Jobs are added. */
export const add: Fault = {
  name: "queue add",
  weight: 5,
  plan(world, random) {
    const names = planNames(`${world.round.prefix}x${random.whole(0, 99_999)}-`, random.whole(1, 5), random);
    const host = random.one(world.hosts).name;
    return command(world, random, "queue add", "add", names, addJobs(world.round, names, host));
  },
};

/** Jobs are deleted, in whatever state they are. */
export const remove: Fault = {
  name: "queue delete",
  weight: 3,
  plan(world, random) {
    const names = some(world, random);
    return command(world, random, "queue delete", "delete", names, [
      ...["queue", "delete", world.round.queue, `--name=${names.join(",")}`],
    ]);
  },
};

/** Jobs are reset, in whatever state they are. */
export const reset: Fault = {
  name: "queue reset",
  weight: 5,
  plan(world, random) {
    const names = some(world, random);
    return command(world, random, "queue reset", "reset", names, [
      ...["queue", "reset", world.round.queue, `--name=${names.join(",")}`],
    ]);
  },
};

/** Asks the hosts beside the run. */
export const refresh: Fault = {
  name: "queue refresh",
  weight: 2,
  plan: (world, random) => command(world, random, "queue refresh", null, [], ["queue", "refresh", world.round.queue]),
};

/** A host gets no jobs for a while. */
export const deactivate: Fault = {
  name: "cluster deactivate, activate",
  weight: 3,
  plan(world, random) {
    const id = random.one(world.hosts).name;
    const lastsMs = random.between(200, 6_000);
    return {
      text: `cluster deactivate ${id}`,
      needs: ["cluster"],
      async run() {
        const off = await world.manager.cms("cluster", "deactivate", CLUSTER, `--id=${id}`);
        await pass(lastsMs);
        // The disk may be full.
        for (let i = 0; i < 100; i++) {
          const { code, stdout, stderr } = await world.manager.cms("cluster", "activate", CLUSTER, `--id=${id}`);
          findTraces(world.journal, "cluster activate", stdout + stderr);
          if (code === 0) return off.code === 0 ? "done" : "refused at first";
          await pass(100);
        }
        throw new Error(`Cannot activate host "${id}" again`);
      },
    };
  },
};

/** One to three neighbours of the queue. */
function some(world: World, random: Random): string[] {
  const { names } = world.round;
  const from = random.whole(0, names.length - 1);
  return names.slice(from, from + random.whole(1, 3));
}

/** A command; one in six is killed in the middle, and has then perhaps done its work. */
function command(
  world: World,
  random: Random,
  what: string,
  type: Deed["type"] | null,
  names: readonly string[],
  args: readonly string[],
): ReturnType<Fault["plan"]> {
  const killAfterMs = random.next() < 1 / 6 ? random.between(0, 400) : null;
  return {
    text: `${what} ${names.join(",")}${killAfterMs === null ? "" : ", killed"}`,
    needs: [],
    async run() {
      const { manager, journal } = world;
      const fromMs = uptimeMs();
      const child = manager.spawn([`${manager.bin}/cms`, ...args], { limitMs: COMMAND_LIMIT_MS });
      const ended = child.ended();
      if (killAfterMs !== null) {
        await pass(killAfterMs);
        await child.kill9();
      }
      let outcome: Outcome;
      try {
        outcome = await ended;
      } catch (error) {
        journal.find("program", (error as Error).message);
        outcome = { code: -1, stdout: child.stdout, stderr: child.stderr };
      }
      const { code, stdout, stderr } = outcome;
      // What it did after its last word is not over before its children are.
      if (type !== null) journal.deeds.push({ type, names, fromMs, toMs: uptimeMs(), done: code === 0 });
      findTraces(journal, what, stdout + stderr);
      if (code === 0) return "done";
      if (code === 137 && killAfterMs !== null) return "killed";
      if (code !== 1 && code !== 2) journal.find("program", `${what} ended with ${code}: ${stdout}${stderr}`);
      journal.tell(`${what} ended with ${code}: ${stderr.trim().split("\n").at(-1)?.slice(0, 200)}`);
      return code === 2 ? "refused" : "done in part";
    },
  };
}
