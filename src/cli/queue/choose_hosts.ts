/**
 * The hosts of a `fifo_multi` run: from a list of `user@host`, from a cluster, or both.
 *
 * @module
 */

import { type Machine, parseMachine } from "../../cluster/machine.ts";
import { CmsError } from "../../errors.ts";
import { expand, splitTopLevel } from "../../names/expand.ts";
import { noFreeHosts } from "../../operations/no_free_hosts.ts";
import { writeRefusal } from "../../operations/refusal.ts";
import { readClusters } from "../../store/cluster_file.ts";
import type { StoreRef } from "../../store/store.ts";
import { type Context, hostFileOf } from "../context.ts";

/**
 * Hosts of a run; the hosts of `cluster`, which may stand for several, are read by the run itself, as they may change
 * while it goes on.
 */
export interface ChosenHosts {
  readonly hosts: readonly Machine[];
  readonly cluster: StoreRef | null;
}

/**
 * Reads the words of a command.
 * `refusal`: a file for the last as data.
 * @returns null, with a warning and exit status 2, if the cluster has no active host and no others are given.
 * @throws {CmsError} If the list is wrong, or there is no such cluster.
 */
export async function chooseHosts(
  context: Context,
  words: {
    hosts?: string | undefined;
    hostfile?: string | undefined;
    experiment: string;
    refusal?: string | undefined;
  },
): Promise<ChosenHosts | null> {
  const hosts = parseHosts(words.hosts ?? "");
  if (words.hostfile === undefined) {
    if (hosts.length === 0) throw new CmsError("usage", "Cannot run on no hosts: --hosts is empty");
    return { hosts, cluster: null };
  }
  const clusters = splitTopLevel(words.hostfile).flatMap((part) => expand(part))
    .map((name) => hostFileOf(context, name, words.experiment));
  if (clusters.length === 0) throw new CmsError("usage", "Cannot run on no hosts: --hostfile is empty");
  const cluster = { ...clusters[0]!, name: [...new Set(clusters.map(({ name }) => name))].join(",") };
  const all = [...(await readClusters(context.deps, cluster)).values()];
  if (hosts.length === 0 && !all.some((host) => host.status === "active" && host.max_jobs_allowed > 0)) {
    const message = await noFreeHosts(context.deps, cluster);
    context.lines.warning(message);
    context.status = 2;
    await writeRefusal(context.deps, words.refusal, { code: "invalid", message });
    return null;
  }
  return { hosts, cluster };
}

/** Each part is expanded for itself: a host that is named twice stays twice, for two jobs at once. */
export function parseHosts(list: string): Machine[] {
  return splitTopLevel(list).flatMap((part) => expand(part)).map(parseMachine);
}
