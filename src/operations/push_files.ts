/**
 * Sends files of the manager to the machines of a cluster, to each once, side by side.
 *
 * @module
 */

import { machineOf } from "../cluster/host.ts";
import { type Machine, machineKey, machineText, tellApart } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { InvalidError, LinkError, NotFoundError } from "../errors.ts";
import { placeOf } from "../cluster/slurm_place.ts";
import { Gate } from "../link/gate.ts";
import type { Connect } from "../link/link.ts";
import { pushFiles, type PushReport } from "../link/push.ts";
import { PushError } from "../link/rsync.ts";
import { type SentPath, sentPath } from "../link/sent_path.ts";
import { expand } from "../names/expand.ts";
import { readCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";

/** What {@link pushToCluster} takes. */
export interface PushRequest {
  readonly cluster: StoreRef;
  /** Files and directories of the manager; `DIR/./sub/file` keeps `sub/file` of the path, others their last part. */
  readonly paths: readonly string[];
  /** Directory over there: below the home directory, or absolute. */
  readonly to: string;
  /** Ids of hosts; null: all that are active. */
  readonly ids: string | null;
  /** Does what takes a session to a machine when there is a place for it. @throws {LinkError} If too many wait. */
  readonly visit?: <T>(machine: Machine, work: () => Promise<T>) => Promise<T>;
  /** A machine that takes no byte for so long has failed. */
  readonly idleMs?: number;
}

const MACHINES_AT_ONCE = 8;

/**
 * Sends the files.
 * @param done Called for each machine when it has them, or with the reason why not.
 * @throws {InvalidError} If a path is not there. @throws {CmsError} `not_found` if there is no such cluster or host.
 */
export async function pushToCluster(
  deps: Deps,
  request: PushRequest,
  done: (machine: Machine, report: PushReport | string) => void,
): Promise<void> {
  const paths = await pushedPaths(deps, request.paths);
  const problem = directoryProblem(request.to);
  if (problem !== null) throw new InvalidError([`Cannot push to ${JSON.stringify(request.to)}: ${problem}`]);
  const machines = await machinesOf(deps, request);
  const gate = new Gate(MACHINES_AT_ONCE);
  const { to, idleMs, visit = (_machine, work) => work() } = request;
  await Promise.all(machines.map((machine) =>
    gate.pass(async () => {
      try {
        done(machine, await visit(machine, () => pushFiles(deps, machine, paths, to, idleMs)));
      } catch (error) {
        if (!(error instanceof LinkError) && !(error instanceof PushError)) throw error;
        done(
          machine,
          error instanceof LinkError ? error.message : `Cannot push to ${machineText(machine)}: ${error.message}`,
        );
      }
    })
  ));
}

/** What paths stand for, before anything is sent. @throws {InvalidError} If one is not there. */
export async function pushedPaths(deps: Deps, paths: readonly string[]): Promise<SentPath[]> {
  return await Promise.all(paths.map((path) => pushedOf(deps, path)));
}

/** Opens links to machines that have got the files before, each once. */
export function pushFirst(
  deps: Deps,
  connect: Connect,
  paths: readonly SentPath[],
  onPushed: (machine: Machine, report: PushReport) => void = () => {},
): Connect {
  if (paths.length === 0) return connect;
  const done = new Map<string, Promise<unknown>>();
  const gate = new Gate(MACHINES_AT_ONCE);
  const push = async (machine: Machine): Promise<void> => {
    try {
      onPushed(machine, await gate.pass(() => pushFiles(deps, placeOf(machine)?.login ?? machine, paths, ".")));
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      throw new LinkError(machineText(machine), `cannot push files: ${error.message}`, true);
    }
  };
  return async (machine, options) => {
    const key = machineKey(machine);
    const pushed = done.get(key) ?? push(machine);
    done.set(key, pushed);
    pushed.catch(() => done.delete(key));
    await pushed;
    return await connect(machine, options);
  };
}

/** Each machine once. */
async function machinesOf(deps: Deps, { cluster, ids }: PushRequest): Promise<Machine[]> {
  const hosts = await readCluster(deps, cluster);
  const wanted = ids === null ? null : expand(ids);
  const missing = wanted?.find((id) => ![...hosts.keys()].some((known) => known === id));
  if (missing !== undefined) {
    throw new NotFoundError("host", missing, `Could not find host ${missing} in cluster ${cluster.name}`);
  }
  const chosen = [...hosts.values()].filter((host) =>
    wanted === null ? host.status === "active" : wanted.includes(host.id)
  );
  if (chosen.length === 0) throw new InvalidError([`Cannot push: cluster ${cluster.name} has no active host`]);
  const machines = tellApart(chosen.map(machineOf));
  return [...new Map(machines.map((machine) => [machineKey(machine), machine])).values()];
}

async function pushedOf(deps: Deps, path: string): Promise<SentPath> {
  const pushed = sentPath(path, deps.environment.cwd(), null);
  if (pushed === null) {
    throw new InvalidError([`Cannot push ${path}: name a file or directory, without .. behind ./`]);
  }
  // A service has the files of its directory only.
  const stamp = await deps.files.stamp(`${pushed.base}/${pushed.kept}`).catch((error: Error) => {
    throw new InvalidError([`Cannot push ${path}: ${error.message}`]);
  });
  if (stamp === null) throw new InvalidError([`Cannot push ${path}: there is no such file`]);
  return pushed;
}

function directoryProblem(to: string): string | null {
  if (to === "" || to.length > 4000 || /\p{C}/u.test(to)) return "give a directory on the hosts";
  return /^~[^/]/.test(to) ? "give a directory on the hosts, absolute or below the home directory" : null;
}
