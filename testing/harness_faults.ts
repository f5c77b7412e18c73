/**
 * What the tests of failures share beyond `harness.ts`: processes of the manager, and looks at what really happened on
 * the hosts.
 *
 * A job of {@link onceCommand} writes down each of its starts and ends on its host, in files that nothing of the
 * program touches: what counts is what ran, not what was printed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestHost, TestHosts } from "./hosts.ts";
import { waitUntil } from "./wait.ts";
import { Manager, type Running } from "./harness.ts";

/**
 * ssh options with which a cut link is noticed in about three seconds, not in a minute. They win over those of the
 * program.
 */
export const QUICK_SSH = ["ServerAliveInterval=1", "ServerAliveCountMax=2", "ConnectTimeout=1"] as const;

/** A manager whose ssh has further options. */
export function makeManager(hosts: TestHosts, sshOptions: readonly string[] = []): Promise<Manager> {
  const ssh = [hosts.env.CMS_SSH ?? "ssh", ...sshOptions.map((option) => `-o${option}`)].join(" ");
  return Manager.make(hosts, { CMS_SSH: ssh });
}

/** Makes queue `a` with these jobs. */
export async function makeQueue(
  manager: Manager,
  names: string,
  command: string,
  ...options: string[]
): Promise<void> {
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", `--name=${names}`, `--command=${command}`, ...options);
}

/** How many jobs of queue `a` are in each state, as `end:3 ready:1`. */
export async function countStates(manager: Manager): Promise<string> {
  const counts = new Map<string, number>();
  for (const { status } of (await manager.jobs()).values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].sort().map(([state, count]) => `${state}:${count}`).join(" ");
}

/** Waits until a job of queue `a` has a state. */
export async function waitForState(manager: Manager, job: string, state: string, limitMs = 30_000): Promise<void> {
  const look = async () => (await manager.jobs()).get(job)?.status;
  await waitUntil(async () => `${job} to be ${state}; it is ${await look()}`, async () => await look() === state, {
    limitMs,
  });
}

/** Pids of the ssh processes of a command: of all, or of those whose command line has a word. */
export function sshPids(run: Running, word = ""): number[] {
  return childrenOf(run.pid).filter((pid) => {
    const words = readText(`/proc/${pid}/cmdline`).split("\0");
    return words[0]?.endsWith("ssh") && (word === "" || words.includes(word));
  });
}

/** How often a command printed a pattern (which has the flag g). */
export function countOf(run: { readonly stdout: string; readonly stderr: string }, pattern: RegExp): number {
  return (run.stdout + run.stderr).match(pattern)?.length ?? 0;
}

/** Pids of the children of a process. */
export function childrenOf(parent: number): number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readText(`/proc/${name}/stat`);
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent) pids.push(Number(name));
  }
  return pids;
}

/** True while a process lives; one that only waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`);
  return stat !== "" && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
}

/** The text of a file, "" if there is none. */
export function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/**
 * A command that writes down its start and its end in its host's home, in files of its own and of all; `work` in
 * between.
 */
export function onceCommand(work: string): string {
  return `n=\${PWD##*/}; echo "$n" >> ~/ran.$n; echo "+ $n" >> ~/steps; ${work}; echo "- $n" >> ~/steps`;
}

/** A command that waits for the file `~/NAME` on its host, for a minute at most. */
export function waitsFor(name: string): string {
  return `i=0; while [ ! -e ~/${name} ] && [ $i -lt 1200 ]; do sleep 0.05; i=$((i+1)); done`;
}

/** Makes the file that {@link waitsFor} waits for. */
export async function letGo(host: TestHost, name: string): Promise<void> {
  await Deno.writeTextFile(`${host.home}/${name}`, "");
}

/** How often each job ran, over all hosts, by name; from the files of {@link onceCommand}. */
export function runsOf(hosts: TestHosts): Map<string, number> {
  const runs = new Map<string, number>();
  for (const host of hosts.hosts.values()) {
    for (const { name } of Deno.readDirSync(host.home)) {
      if (!name.startsWith("ran.")) continue;
      const lines = readText(`${host.home}/${name}`).trim().split("\n");
      for (const line of lines) runs.set(line, (runs.get(line) ?? 0) + 1);
    }
  }
  return runs;
}

/** Asserts that each of these jobs ran once, and nothing else did. */
export function assertRanOnce(hosts: TestHosts, names: readonly string[]): void {
  const runs = [...runsOf(hosts)].map(([name, count]) => `${name}:${count}`).sort();
  assert.deepEqual(runs, names.map((name) => `${name}:1`).sort());
}

/** The most jobs that ever ran at once on a host, from the starts and ends that they wrote. */
export function mostAtOnce(host: TestHost): number {
  let now = 0;
  let most = 0;
  for (const line of readText(`${host.home}/steps`).split("\n")) {
    if (line.startsWith("+")) most = Math.max(most, ++now);
    if (line.startsWith("-")) now--;
  }
  return most;
}

/** `job1`, `job2` ... */
export function jobNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `job${i + 1}`);
}

/** Waits until no process of pi is left on a host: no job, no wrapper, no agent. */
export async function waitForSilence(host: TestHost): Promise<void> {
  const processes = "ps -o pid=,args= -u pi | grep -v 'sshd' || true";
  await waitUntil(
    async () => `no process of pi on ${host.name}; there is ${(await host.run(processes, { user: "root" })).stdout}`,
    async () => (await host.run(processes, { user: "root" })).stdout.trim() === "",
    { limitMs: 15_000 },
  );
}
