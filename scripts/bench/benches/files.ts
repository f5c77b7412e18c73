/**
 * Jobs that send files and bring some back, against GNU parallel: how many, what goes over the wire, and whether others
 * wait for the files.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { hasParallel, parallelHome } from "../contenders/parallel.ts";
import { outputOf, timeOf } from "../program.ts";
import { openRig, type Rig, THREE, withNewDisks } from "../rig.ts";

const SLOTS = 4;
const SHARED_BYTES = 50 * 1024 * 1024;
const OWN_BYTES = 10 * 1024;
/** Jobs that send nothing, behind the first few that do. */
const OTHERS = 6;
/** Parallel takes about a second for a job. */
const MOST_PARALLEL = 60;

const CMS = "cms, jobs/s";
const PARALLEL = "parallel --transferfile --return, jobs/s";
const WIRE = "cms, bytes over the wire for each that must go";
const FIRST = "cms, ms to the first start of a job that sends nothing";

/** See the module. */
export const files: Bench = {
  name: "files",
  about: "1,000 jobs that send the same 50 MB and 10 kB of their own and bring 10 kB back, three hosts",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

/** What a run of the program gave. */
interface Measured {
  readonly perSecond: number;
  readonly wire: number;
  readonly firstMs: number;
}

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 1000;
  const rig = await openRig(THREE, setting.directory, stack);
  await makeFiles(setting.directory, jobs);
  const rounds = new Map<number, Promise<Measured>>();
  const cms = (round: number): Promise<Measured> => {
    const known = rounds.get(round) ?? runCms(rig, setting, jobs, round);
    rounds.set(round, known);
    return known;
  };
  const isAlone = setting.without.some((name) => PARALLEL.startsWith(name)) || !await hasParallel(setting.say);
  const most = Math.min(jobs, MOST_PARALLEL);
  return {
    work: `${jobs} jobs that each send the same 50 MiB and 10 KiB of their own, and bring back 10 KiB; three hosts, ` +
      `${SLOTS} slots each${isAlone ? "" : `; of parallel ${most} jobs`}`,
    contenders: [
      { name: CMS, amount: 1, run: async (round) => (await cms(round)).perSecond },
      { name: WIRE, amount: 1, run: async (round) => (await cms(round)).wire },
      { name: FIRST, amount: 1, run: async (round) => (await cms(round)).firstMs },
      ...isAlone ? [] : [
        { name: PARALLEL, amount: 1, run: (round: number) => runParallel(rig, setting, most, round) },
      ],
    ],
    questions: [
      { of: CMS, to: PARALLEL, mark: { atLeast: 10 } },
      { of: WIRE, to: null, mark: { atMost: 1.1 } },
      { of: FIRST, to: null, mark: { atMost: 1000 } },
    ],
  };
}

/** A file for all, and one for each job; none can be made smaller. */
async function makeFiles(directory: string, jobs: number): Promise<void> {
  const bytes = new Uint8Array(SHARED_BYTES);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  await Deno.writeFile(`${directory}/shared`, bytes);
  await Deno.mkdir(`${directory}/own`);
  for (let i = 1; i <= jobs; i++) {
    await Deno.writeFile(`${directory}/own/${i}`, crypto.getRandomValues(new Uint8Array(OWN_BYTES)));
  }
}

async function runCms(rig: Rig, { program, directory }: Setting, jobs: number, round: number): Promise<Measured> {
  const experiment = `files-${round}`;
  const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
  const command = "test $(wc -c <shared) = 52428800 && cat own/{n} >result";
  const add = (from: number, to: number): Promise<string> => {
    const words = ["--send=shared", "--send=././own/{n}", "--fetch=result"];
    return outputOf(
      queue("add", "a", "--name=job{n}", `--param=n=${from}-${to}`, `--command=${command}`, ...words),
      options,
    );
  };
  await outputOf(queue("create", "a"), options);
  await add(1, OTHERS);
  await outputOf(queue("add", "a", `--name=other[1-${OTHERS}]`, "--command=date +%s%N"), options);
  await add(OTHERS + 1, jobs);
  return await withNewDisks(rig.hosts, { name: experiment, jobs }, async () => {
    const before = await bytesOf(rig);
    const hosts = Array(SLOTS).fill(THREE.map((name) => `pi@${name}`)).flat().join(",");
    const startedMs = Date.now();
    const runMs = await timeOf(queue("run", "fifo_multi", "a", `--hosts=${hosts}`), options);
    const fetchMs = await timeOf(queue("fetch", "a", `--name=job[1-${jobs}]`, "result", `--to=back-${round}`), options);
    const bytes = await bytesOf(rig) - before;
    for (let i = 1; i <= jobs; i++) {
      const back = await Deno.readFile(`${directory}/back-${round}/job${i}/result`);
      const own = await Deno.readFile(`${directory}/own/${i}`);
      if (Uint8Array.from(back).toHex() !== own.toHex()) throw new Error(`job${i} has brought something else back`);
    }
    const firsts = await Promise.all(
      rig.hosts.map((host) => host.run(`cat ~/${experiment}/other*/other*.out 2>/dev/null`)),
    );
    const first = Math.min(...firsts.flatMap(({ stdout }) => stdout.split("\n").filter(Boolean).map(Number))) / 1e6;
    const must = SHARED_BYTES * rig.hosts.length + 2 * OWN_BYTES * jobs;
    return { perSecond: jobs / (runMs + fetchMs) * 1000, wire: bytes / must, firstMs: first - startedMs };
  });
}

async function runParallel(rig: Rig, { directory }: Setting, jobs: number, round: number): Promise<number> {
  const ssh = `${directory}/ssh-files`;
  await Deno.writeTextFile(ssh, `#!/bin/sh\nexec ${rig.ssh.join(" ")} "$@"\n`, { mode: 0o755 });
  const env = { HOME: await parallelHome(directory), PARALLEL_SSH: ssh };
  const hosts = rig.hosts.map((host) => `${SLOTS}/${host.user}@${host.name}`).join(",");
  const name = `parallel-${round}`;
  const words = Array.from({ length: jobs }, (_, i) => String(i + 1));
  const command = "cat own/{} >result{}";
  const files = ["--transferfile", "shared", "--transferfile", "own/{}", "--return", "result{}"];
  return await withNewDisks(rig.hosts, { name, jobs }, async () => {
    const ms = await timeOf(["parallel", "-S", hosts, "--wd", name, ...files, command, ":::", ...words], {
      env,
      cwd: directory,
    });
    for (const word of words) await Deno.stat(`${directory}/result${word}`);
    for (const word of words) await Deno.remove(`${directory}/result${word}`);
    return jobs / ms * 1000;
  });
}

/** What has gone over the wires of the hosts so far, in both directions. */
async function bytesOf(rig: Rig): Promise<number> {
  const counts = await Promise.all(rig.hosts.map((host) => host.run("cat /proc/net/dev")));
  return counts.flatMap(({ stdout }) => stdout.split("\n"))
    .map((line) => /^\s*(\w+):\s*([0-9]+)(?:\s+[0-9]+){7}\s+([0-9]+)/.exec(line))
    .filter((found) => found !== null && found[1] !== "lo")
    .reduce((sum, found) => sum + Number(found![2]) + Number(found![3]), 0);
}
