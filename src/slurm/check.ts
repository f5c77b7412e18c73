/**
 * How an entry of Slurm is, for `cluster check`: whether Slurm answers, would take such an allocation, and has some
 * that belong to nobody.
 *
 * @module
 */

import type { Host } from "../cluster/host.ts";
import type { Deps } from "../deps.ts";
import { someNames } from "../names/some_names.ts";
import { storePaths } from "../store/paths.ts";
import { listNames } from "../store/queue_file.ts";
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

/** Asks the Slurm of an entry. Changes nothing. */
export async function checkSlurm(
  deps: Deps,
  { host, cluster }: { readonly host: Host; readonly cluster: StoreRef },
  slurm: Slurm = makeSlurm(deps, entryOf(host).login),
): Promise<SlurmVerdict> {
  const entry = entryOf(host);
  const directory = entry.login.name === "localhost" ? cluster.directory : cluster.experiment;
  const facts = await slurm.check(fieldsOf(entry), directory);
  if (typeof facts === "string") return { troubles: [`its Slurm cannot be asked: ${facts}`], notes: [] };
  const known = await knownNames(deps, cluster);
  const open = facts.ours.filter(({ state }) => state !== "over");
  const strays = open.filter(({ name }) => !known.has(name));
  const notes = [facts.version];
  if (open.length > strays.length) notes.push(`${open.length - strays.length} allocations of queues here`);
  if (strays.length > 0) {
    const ids = strays.map(idOf);
    notes.push(`allocations ${someNames(ids)} belong to no queue here; to end them: scancel ${ids.join(" ")}`);
  }
  return { troubles: facts.refusal === null ? [] : [`Slurm would refuse an allocation: ${facts.refusal}`], notes };
}

function idOf({ array, task }: Sight): string {
  return `${array}_${task}`;
}

/** Names of all submits that the queues beside the cluster know of. */
async function knownNames(deps: Deps, cluster: StoreRef): Promise<Set<string>> {
  const names = new Set<string>();
  for (const name of await listNames(deps, cluster.directory, "queue")) {
    const { allocations } = storePaths({ ...cluster, name }, "queue");
    for (const note of await new SubmitNotes(deps.files, allocations).read()) names.add(note.name);
  }
  return names;
}
