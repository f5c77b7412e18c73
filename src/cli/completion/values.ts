/**
 * The values that options and names can have, as far as they are known.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import { JOB_STATES } from "../../job/states.ts";
import { SET_FIELDS } from "../../operations/changed_fields.ts";
import { listHosts } from "../../operations/list_hosts.ts";
import { listJobs } from "../../operations/list_jobs.ts";
import { clusterRef, experimentDirectory, queueRef } from "../../operations/refs.ts";
import { HOST_FIELDS } from "../../operations/set_host_field.ts";
import { listNames } from "../../store/queue_file.ts";
import { FORMATS } from "../../output/records.ts";

/** What a value's source needs to know of the rest of the line. */
export interface TypedLine {
  readonly group: string;
  readonly verb: string;
  /** Values of the options that the line has already, and of the name as `queue` or `cluster`. */
  readonly given: ReadonlyMap<string, string>;
}

/** Values for an option, or for the name under `queue` or `cluster`; empty if none are known or they cannot be read. */
export async function valuesOf(deps: Deps, line: TypedLine, option: string): Promise<readonly string[]> {
  try {
    return await knownValues(deps, line, option);
  } catch {
    return []; // A TAB is no place for an error.
  }
}

async function knownValues(deps: Deps, line: TypedLine, option: string): Promise<readonly string[]> {
  const { group, verb, given } = line;
  const experiment = given.get("experiment");
  const directory = experimentDirectory(deps, experiment);
  switch (option) {
    case "queue":
      return await listNames(deps, directory, "queue");
    case "cluster":
    case "hostfile":
      return await listNames(deps, directory, "cluster");
    case "name":
    case "before":
    case "after":
    case "after-any":
    case "after-notok":
    case "after-corr": {
      if (group !== "queue") return [];
      const jobs = await listJobs(deps, { queue: queueRef(deps, { queue: given.get("queue"), experiment }) });
      return jobs.map((job) => job.name);
    }
    case "id":
      return (await hostsOf(deps, given.get("cluster"), experiment)).map((host) => host.id);
    case "hosts":
      return await machines(deps, directory, experiment);
    case "key":
      return group === "queue" ? SET_FIELDS : HOST_FIELDS;
    case "set":
      return SET_FIELDS.map((field) => `${field}=`);
    case "status":
      return group === "queue" ? JOB_STATES : ["active", "inactive"];
    case "output":
      return verb === "add" ? [] : FORMATS;
    case "format":
      return FORMATS;
    case "for":
      return ["over", "started", "ended-well"];
    case "by":
      return ["host", "params"];
    case "collect":
      return ["output", "all"];
    case "no-run":
      return ["fail", "wait"];
    case "shell":
      return ["bash", "sh", "zsh", "python3"];
    default:
      return [];
  }
}

async function hostsOf(deps: Deps, cluster: string | undefined, experiment: string | undefined) {
  return await listHosts(deps, { cluster: clusterRef(deps, { cluster, experiment }) });
}

/** `user@name` of all hosts of all clusters of the experiment. */
async function machines(deps: Deps, directory: string, experiment: string | undefined): Promise<string[]> {
  const found = new Set<string>();
  for (const cluster of await listNames(deps, directory, "cluster")) {
    for (const host of await hostsOf(deps, cluster, experiment)) found.add(`${host.user}@${host.name}`);
  }
  return [...found].sort();
}
