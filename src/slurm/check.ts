/**
 * How an entry of Slurm is, for `cluster check`: whether Slurm answers, would take such an allocation, has nodes that
 * see the experiment directory, and allocations that belong to nobody.
 *
 * @module
 */

import type { Host } from "../cluster/host.ts";
import type { Deps } from "../deps.ts";
import { someNames } from "../names/some_names.ts";
import { storePaths } from "../store/paths.ts";
import { listNames } from "../store/queue_file.ts";
import { readRunner } from "../store/run_claim.ts";
import type { StoreRef } from "../store/store.ts";
import { makeSlurm } from "./command_line.ts";
import { entryOf, fieldsOf } from "./entry.ts";
import { SubmitNotes } from "./notes.ts";
import type { Sight, Slurm } from "./slurm.ts";

/** What is wrong with an entry, and what is good to know. */
export interface SlurmVerdict {
  readonly troubles: readonly string[];
  readonly notes: readonly string[];
}

/** Asks the Slurm of an entry. Changes nothing; where Slurm would take an allocation, a job of a second looks there. */
export async function checkSlurm(
  deps: Deps,
  { host, cluster }: { readonly host: Host; readonly cluster: StoreRef },
  slurm: Slurm = makeSlurm(deps, entryOf(host).login),
): Promise<SlurmVerdict> {
  const entry = entryOf(host);
  const directory = entry.login.name === "localhost" ? cluster.directory : cluster.experiment;
  const facts = await slurm.check(fieldsOf(entry), directory);
  if (typeof facts === "string") return { troubles: [`its Slurm cannot be asked: ${facts}`], notes: [] };
  const notes = [facts.version];
  const known = await knownNames(deps, cluster);
  const open = facts.ours.filter(({ state }) => state !== "over");
  const groups = Map.groupBy(open, ({ name }) => known.get(name)?.text ?? "belong to no queue here");
  for (const [text, sights] of groups) {
    const ids = sights.map(idOf);
    const isUsed = known.get(sights[0]!.name)?.isRunning === true;
    notes.push(`allocations ${someNames(ids)} ${text}${isUsed ? "" : `; to end them: scancel ${ids.join(" ")}`}`);
  }
  if (facts.refusal !== null) return { troubles: [`Slurm would refuse an allocation: ${facts.refusal}`], notes };
  const spool = await slurm.spool(fieldsOf(entry), directory);
  const what = `the directory ${directory} of the login host`;
  if (spool.type === "apart") return { troubles: [`node ${spool.node} does not see ${what}`], notes };
  const unknown = spool.type === "unknown" ? spool.reason : null;
  notes.push(unknown === null ? `nodes share ${what}` : `not known whether nodes share ${what}: ${unknown}`);
  return { troubles: [], notes };
}

/** What a submit's queue is said to be. */
interface Owner {
  readonly text: string;
  readonly isRunning: boolean;
}

function idOf({ array, task }: Sight): string {
  return `${array}_${task}`;
}

/** All submits that the queues beside the cluster know of, by name. */
async function knownNames(deps: Deps, cluster: StoreRef): Promise<Map<string, Owner>> {
  const names = new Map<string, Owner>();
  for (const name of await listNames(deps, cluster.directory, "queue")) {
    const paths = storePaths({ ...cluster, name }, "queue");
    const notes = await new SubmitNotes(deps.files, paths.allocations).read();
    if (notes.length === 0) continue;
    const isRunning = await readRunner(deps, paths) !== null;
    const text = `belong to queue ${name}${isRunning ? "" : ", on which no run works: its next run uses them"}`;
    for (const note of notes) names.set(note.name, { text, isRunning });
  }
  return names;
}
