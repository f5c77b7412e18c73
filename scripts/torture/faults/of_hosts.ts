/**
 * Faults of hosts: their power, their cable, their agents.
 *
 * @module
 */

import { uptimeMs } from "../deeds.ts";
import { type Fault, pass, seconds } from "./fault.ts";

/** The agent of the round that goes on: each round has a queue of its own. */
const KILL_AGENT = `last=$(ls -t experiment/.cms/*/$(hostname)*/agent 2>/dev/null | head -n 1)
[ -n "$last" ] && read -r pid rest <"$last" && kill -9 "$pid" 2>/dev/null && echo killed`;

/** An agent is killed; its tail is left. */
export const killAgent: Fault = {
  name: "kill -9 of an agent",
  weight: 6,
  plan(world, random) {
    const host = random.one(world.hosts);
    return {
      text: `kill -9 of the agent on ${host.name}`,
      needs: [host.name],
      async run() {
        const { stdout } = await host.run(KILL_AGENT);
        return stdout.includes("killed") ? "killed" : "there was none";
      },
    };
  },
};

/** A host loses power, and gets it again. */
export const crashHost: Fault = {
  name: "crash and boot of a host",
  weight: 4,
  plan(world, random) {
    const host = random.one(world.hosts);
    const lastsMs = random.next() < 0.25 ? world.timeoutMs * 1.5 : random.between(0, world.timeoutMs / 2);
    return {
      text: `crash of ${host.name}, boot after ${seconds(lastsMs)}`,
      needs: [host.name],
      async run() {
        await host.crash();
        world.journal.troubles.push({ type: "power", host: host.name, atMs: uptimeMs() });
        await pass(lastsMs);
        await host.boot();
        return lastsMs > world.timeoutMs ? "booted after the time-out" : "booted";
      },
    };
  },
};

/** A host is cut off for less than the time-out. */
export const cutHost: Fault = {
  name: "cut for less than the time-out",
  weight: 5,
  plan: (world, random) => cut(world, random, random.between(50, world.timeoutMs * 0.7)),
};

/** The time-out counts from when the silence is noticed. */
const NOTICED_MS = 4_000;

/** A host is cut off for longer than the time-out. */
export const cutHostLong: Fault = {
  name: "cut for more than the time-out",
  weight: 2,
  plan: (world, random) => cut(world, random, (world.timeoutMs + NOTICED_MS) * random.between(1, 1.7)),
};

function cut(...[world, random, lastsMs]: [...Parameters<Fault["plan"]>, number]): ReturnType<Fault["plan"]> {
  const host = random.one(world.hosts);
  return {
    text: `cut of ${host.name} for ${seconds(lastsMs)}`,
    needs: [host.name],
    async run() {
      const atMs = uptimeMs();
      // Noted at once: what follows from it comes before it is over. Silence of less is none.
      if (lastsMs >= world.timeoutMs) world.journal.troubles.push({ type: "silent", host: host.name, atMs });
      await host.cut();
      await pass(lastsMs);
      await host.mend();
      return "mended";
    },
  };
}
