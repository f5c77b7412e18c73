/**
 * The queue of a round: its jobs, its run, and what is left of it at the end.
 *
 * @module
 */

import { load } from "js-yaml";
import { readText } from "../../testing/harness_faults.ts";
import type { Entry, Evidence } from "./judge.ts";
import { COMMAND, parseRecord, RIVAL_COMMAND, triesWords } from "./jobs.ts";
import { CLUSTER, type Place, type Round, type World } from "./world.ts";

/** Arguments of `cms` that add jobs. In `fifo` each names its host. */
export function addJobs(
  round: Pick<Round, "queue" | "scheduler" | "records" | "tries">,
  names: readonly string[],
  host: string,
): string[] {
  const command = round.records === "rival" ? RIVAL_COMMAND : COMMAND;
  const shells = ["sh", "bash", "dash"];
  return [
    ...["queue", "add", round.queue, `--name=${names.join(",")}`, `--command=${command}`],
    `--shell=${shells[names.length % shells.length]}`,
    ...(round.tries === null ? [] : triesWords(round.tries)),
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
    [...Deno.readDirSync(`${host.home}/${round.records}/${host.name}`)]
      .filter(({ name }) => name.startsWith(round.prefix))
      .flatMap(({ name }) =>
        parseRecord(name, host.name, readText(`${host.home}/${round.records}/${host.name}/${name}`))
      )
  );
  const beside = new Map(hosts.map(({ name, home }) => [name, besideOf(`${home}/experiment`)]));
  const logs = new Map([...jobs].map(([name, { host, id, attempt }]) => {
    const home = hosts.find((each) => each.name === host)?.home;
    const directories = [name, ...beside.get(host ?? "")?.get(name) ?? []];
    // Of the directories of that name, the one that is this job's; of one that never started an earlier log is left.
    const log = directories.map((directory) => readText(`${home}/experiment/${directory}/${name}.log`))
      .find((text) => text.includes(`# attempt: ${id}.${attempt}\n`)) ?? "";
    return [name, [...log.matchAll(/^# cloudmesh state: (.*)$/gm)].at(-1)?.[1] ?? null] as const;
  }));
  const { deeds, troubles } = journal;
  return { jobs, ran, logs, slots, maxParallel: round.maxParallel, tries: round.tries, deeds, troubles };
}

/** Directories `JOB.QUEUE-ID` of an experiment directory, by job. */
function besideOf(experiment: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name } of Deno.readDirSync(experiment)) {
    const job = /^(.+)\.[0-9a-f]{16}$/.exec(name)?.[1];
    if (job !== undefined) found.set(job, [...found.get(job) ?? [], name]);
  }
  return found;
}
