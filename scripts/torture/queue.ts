/**
 * The queue of a round: its jobs, its run, and what is left of it at the end.
 *
 * @module
 */

import { load } from "js-yaml";
import { readText } from "../../tests/e2e/harness_faults.ts";
import type { Entry, Evidence } from "./judge.ts";
import { COMMAND, parseRecord } from "./jobs.ts";
import { CLUSTER, type Place, type Round, type World } from "./world.ts";

/** Arguments of `cms` that add jobs. In `fifo` each names its host. */
export function addJobs(round: Pick<Round, "queue" | "scheduler">, names: readonly string[], host: string): string[] {
  const shells = ["sh", "bash", "dash"];
  return [
    ...["queue", "add", round.queue, `--name=${names.join(",")}`, `--command=${COMMAND}`],
    `--shell=${shells[names.length % shells.length]}`,
    ...(round.scheduler === "fifo" ? ["--user=pi", `--host=${host}`] : []),
  ];
}

/** Arguments of `cms` that run the queue. */
export function runArgs(round: Pick<Round, "queue" | "scheduler" | "maxParallel">, timeoutMs: number): string[] {
  const hosts = round.scheduler === "fifo" ? `--max_parallel=${round.maxParallel}` : `--hostfile=${CLUSTER}`;
  return ["queue", "run", round.scheduler, round.queue, hosts, `--timeout=${timeoutMs / 60_000}`];
}

/** The jobs of a queue file by name. @throws {Error} If it is no YAML, or not that of a queue. */
export function parseQueue(text: string): Map<string, Entry> {
  const jobs = new Map<string, Entry>();
  for (const [name, fields] of Object.entries(load(text) as Record<string, Record<string, unknown>>)) {
    jobs.set(name, {
      id: String(fields.id),
      status: String(fields.status),
      host: fields.host === null ? null : String(fields.host),
      attempt: Number(fields.attempt),
      exitCode: fields.exit_code === null ? null : Number(fields.exit_code),
      note: fields.note === undefined ? null : String(fields.note),
    });
  }
  return jobs;
}

/** Reads all that a round left behind. */
export function gather(world: World, slots: Place["slots"]): Evidence {
  const { round, hosts, manager, journal } = world;
  const jobs = parseQueue(readText(manager.path(`${round.queue}-queue.yaml`)));
  const ran = hosts.flatMap((host) =>
    [...Deno.readDirSync(`${host.home}/ran`)]
      .filter(({ name }) => name.startsWith(`${round.queue}.`))
      .flatMap(({ name }) => parseRecord(name, host.name, readText(`${host.home}/ran/${name}`)))
  );
  const logs = new Map([...jobs].map(([name, { host }]) => {
    const home = hosts.find((each) => each.name === host)?.home;
    const log = readText(`${home}/experiment/${name}/${name}.log`);
    return [name, [...log.matchAll(/^# cloudmesh state: (.*)$/gm)].at(-1)?.[1] ?? null] as const;
  }));
  const { deeds, troubles } = journal;
  return { jobs, ran, logs, slots, maxParallel: round.maxParallel, deeds, troubles };
}
