/**
 * Many machines: how long it takes until all of a run are connected, and a run of some jobs on each. Every one is a
 * real sshd on this machine, whose processors do the work of both ends.
 *
 * @module
 */

import { realDeps } from "../../../src/deps_real.ts";
import { makeConnect } from "../../../src/link/connect.ts";
import type { Link } from "../../../src/link/link.ts";
import type { TestHost } from "../../../testing/hosts.ts";
import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { start, treeMemoryOf } from "../processes.ts";
import { outputOf } from "../program.ts";
import { openRig, type Rig } from "../rig.ts";

const COUNTS = [1, 4, 16, 64, 300];
/** Of these a run is made too. */
const RUNS = [1, 64, 300];
const JOBS_EACH = 20;
/** Jobs at once; this machine does the work of all hosts. */
const AT_ONCE = 300;
/** How often memory is looked at; a run on one machine is over in a second. */
const lookMs = (count: number): number => Math.min(1000, 50 * count);
const INSTANCES = "/proc/sys/fs/inotify/max_user_instances";

/** See the module. */
export const links: Bench = {
  name: "links",
  about: "1, 4, 16, 64 and 300 machines opened at once, until all links are up; runs of 20 jobs on each, and memory",
  measure: "figure",
  rounds: 3,
  open,
};

const openName = (count: number): string => `ms, ${count} ${count === 1 ? "machine" : "machines"} opened`;
const runName = (count: number): string => `ms, a run of ${JOBS_EACH} jobs on each of ${count}`;
const memoryName = (count: number): string => `MB for each of ${count}, manager and ssh`;

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const counts = COUNTS.filter((count) => count <= (setting.jobs ?? Infinity));
  const runs = RUNS.filter((count) => counts.includes(count));
  const names = Array.from({ length: counts.at(-1)! }, (_, index) => `host${index + 1}`);
  await allowTails(names.length, stack);
  const rig = await openRig(names, setting.directory, stack);
  const most = runs.at(-1)!;
  const runContenders = runs.flatMap((count): Contender[] =>
    sharedContenders([runName(count), memoryName(count)], async (round) => {
      const { ms, mb } = await runOn(rig, setting, { count, experiment: `links-${count}-${round}` });
      return { [runName(count)]: ms, [memoryName(count)]: mb / count };
    })
  );
  return {
    work:
      `from nothing to all links up; ${JOBS_EACH} jobs of \`true\` on each machine, ${AT_ONCE} at once, all ended well`,
    contenders: [
      ...counts.map((count) => ({
        name: openName(count),
        amount: 1,
        run: () => openAll(rig, names.slice(0, count)),
      })),
      ...runContenders,
    ],
    questions: [
      ...counts.slice(1).map((count) => ({ of: openName(count), to: openName(1), mark: { below: count } })),
      ...runs.slice(1).map((count) => ({ of: runName(count), to: runName(1), mark: { below: count } })),
      { of: memoryName(most), to: null, mark: most < 300 ? null : { below: 2 } },
    ],
  };
}

/**
 * Each agent has a `tail -f`, which the kernel tells of new events, and it counts that for all hosts of this machine
 * together: 128 of them, where a real host has one.
 */
async function allowTails(count: number, stack: AsyncDisposableStack): Promise<void> {
  const before = await Deno.readTextFile(INSTANCES);
  if (Number(before) >= 4 * count) return;
  await Deno.writeTextFile(INSTANCES, String(4 * count));
  stack.defer(() => Deno.writeTextFile(INSTANCES, before));
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

/**
 * A run of the program in which each machine has its own jobs, so that one that is refused fails some.
 * @throws {Error} If a job did not end well.
 */
async function runOn(
  rig: Rig,
  { program, directory }: Setting,
  { count, experiment }: { count: number; experiment: string },
): Promise<{ ms: number; mb: number }> {
  const hosts = rig.hosts.slice(0, count);
  const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
  await outputOf(queue("create", "a"), options);
  const jobs = Array.from({ length: JOBS_EACH }).flatMap((_, i) =>
    hosts.map(({ name: host, user }) => ({ name: `${host}-${i}`, command: "true", shell: "sh", user, host }))
  );
  const input = jobs.map((job) => `${JSON.stringify(job)}\n`).join("");
  await outputOf(queue("add", "a", "--stdin"), { ...options, input });
  await each(hosts, `mkdir /home/pi/${experiment}; mount -t tmpfs -o mode=0777 tmpfs /home/pi/${experiment}`);
  const begin = performance.now();
  const child = start(queue("run", "fifo", "a", `--max_parallel=${AT_ONCE}`), options, "null");
  let mb = 0;
  const timer = setInterval(() => mb = Math.max(mb, treeMemoryOf(child.pid)), lookMs(count));
  await child.status.finally(() => clearInterval(timer));
  const ms = performance.now() - begin;
  await each(hosts, `umount -l /home/pi/${experiment}`);
  const listed = JSON.parse(await outputOf(queue("list", "a", "--output=json"), options)) as {
    readonly status: string;
    readonly exit_code: number | null;
  }[];
  const well = listed.filter(({ status, exit_code: code }) => status === "end" && code === 0).length;
  if (well === jobs.length) return { ms, mb };
  const states = Map.groupBy(listed, ({ status }) => status);
  const text = [...states].map(([status, those]) => `${those.length} ${status}`).join(", ");
  throw new Error(`Of ${jobs.length} jobs on ${count} machines ${well} ended well: ${text}`);
}

async function each(hosts: readonly TestHost[], script: string): Promise<void> {
  for (let at = 0; at < hosts.length; at += 16) {
    await Promise.all(hosts.slice(at, at + 16).map((host) => host.run(script, { user: "root" })));
  }
}
