/**
 * Jobs that run until the test lets them end, so that a test decides what runs at a moment.
 *
 * @module
 */

import type { TestHost, TestHosts } from "./hosts.ts";
import { waitUntil } from "./wait.ts";
import type { Manager, Running } from "./harness.ts";

/**
 * Command of a job for bash: notes itself in `~/ran`, with a child in the background, and ends when `~/go-JOB` or
 * `~/go-all` is there. Its process id, which is also its group's, stands in `~/pid-JOB`.
 */
export const GATED =
  "j=${0%.bash}; echo $j >> ~/ran; echo $$ > ~/pid-$j; sleep 600 & until [ -e ~/go-$j ] || [ -e ~/go-all ]; do sleep 0.05; done; kill %1; echo ended $j";

/** Lets jobs end on a host; without names all, also those that come later. */
export async function release(host: TestHost, ...jobs: string[]): Promise<void> {
  await host.run(`cd; touch ${(jobs.length > 0 ? jobs : ["all"]).map((job) => `go-${job}`).join(" ")}`);
}

/** Lets all jobs end on all hosts. */
export async function releaseAll(hosts: TestHosts): Promise<void> {
  for (const host of hosts.hosts.values()) await release(host);
}

/** Jobs that began on all hosts, as often as they did, sorted. */
export async function ranOn(hosts: TestHosts): Promise<string[]> {
  const lists = await Promise.all([...hosts.hosts.values()].map((host) => host.run("cat ~/ran 2>/dev/null")));
  return lists.flatMap(({ stdout }) => stdout.split("\n").filter(Boolean)).toSorted();
}

/** Waits until exactly these jobs are in state start. */
export async function waitForStarted(manager: Manager, run: Running, ...jobs: string[]): Promise<void> {
  let last: string[] = [];
  await waitUntil(() => `start of ${jobs}; the states are ${last}; the run printed:\n${run.text}`, async () => {
    last = await manager.states();
    const started = last.filter((line) => line.endsWith(" start")).map((line) => line.split(" ")[0]);
    return started.join() === jobs.join();
  }, { limitMs: 20_000 });
}

/** True if the job's process group is there. */
export async function isAlive(host: TestHost, job: string): Promise<boolean> {
  const { code } = await host.run(`read -r pid < ~/pid-${job} && kill -0 "-$pid" 2>/dev/null`);
  return code === 0;
}
