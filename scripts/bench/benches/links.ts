/**
 * How long it takes until all machines of a run are connected: each is a real sshd on this machine, whose processors do
 * the work of both ends.
 *
 * @module
 */

import { realDeps } from "../../../src/deps_real.ts";
import { makeConnect } from "../../../src/link/connect.ts";
import type { Link } from "../../../src/link/link.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { openRig, type Rig } from "../rig.ts";

const COUNTS = [1, 4, 16, 64];

/** See the module. */
export const links: Bench = {
  name: "links",
  about: "1, 4, 16 and 64 machines opened at once, until all links are up",
  measure: "ms",
  rounds: 3,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const counts = COUNTS.filter((count) => count <= (setting.jobs ?? Infinity));
  const names = Array.from({ length: counts.at(-1)! }, (_, index) => `host${index + 1}`);
  const rig = await openRig(names, setting.directory, stack);
  const name = (count: number) => `${count} ${count === 1 ? "machine" : "machines"}`;
  return {
    work: "from nothing to all links up",
    contenders: counts.map((count) => ({
      name: name(count),
      amount: 1,
      run: () => openAll(rig, names.slice(0, count)),
    })),
    questions: counts.slice(1).map((count) => ({ of: name(count), to: name(1), mark: { below: count } })),
  };
}

async function openAll(rig: Rig, names: readonly string[]): Promise<number> {
  const real = realDeps();
  const get = (name: string) => name === "CMS_SSH" ? rig.ssh.join(" ") : real.environment.get(name);
  const connect = makeConnect({ ...real, environment: { ...real.environment, get } });
  const options = { directory: "links", queueId: real.ids.hex(8), role: "resident" as const, onEvent: () => {} };
  const begin = performance.now();
  const opened: Link[] = await Promise.all(names.map((name) => connect({ user: "pi", name, address: null }, options)));
  const ms = performance.now() - begin;
  await Promise.all(opened.map((link) => link.close()));
  return ms;
}
