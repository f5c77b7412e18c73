/**
 * Reads what jobs have written, from the hosts that they ran on: parts of files, and what is added to them. It asks
 * beside whoever runs the queue, and leaves no trace on a host. What a run has collected is read here.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { isLocal, type Machine, machineKey, machineOfJob } from "../cluster/machine.ts";
import { attemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { Collected } from "../store/collected.ts";
import type { Connect, FilePart, Link } from "../link/link.ts";
import type { QueueStore } from "../store/store.ts";
import { knownMachines } from "./on_machines.ts";
import { readCollected } from "./collect/read_collected.ts";
import { type JobFile, pathOf } from "./output_files.ts";

/** A machine that does not answer, and why. */
export class SilentError extends Error {
  override name = "SilentError";
}

/** Open connections to machines, for reading. */
export class OutputReader {
  readonly #deps: Deps;
  readonly #store: Pick<QueueStore, "ref" | "id">;
  readonly #connect: Connect;
  readonly #links = new Map<string, Promise<Link>>();
  readonly #isRemoteOnly: boolean;
  #machines: Promise<Map<string, Machine>> | null = null;
  #collected: Promise<Collected> | null = null;

  /** Opens nothing yet. `isRemoteOnly`: what stands here does not count. */
  constructor(
    deps: Deps,
    store: Pick<QueueStore, "ref" | "id">,
    connect: Connect,
    { isRemoteOnly = false }: { isRemoteOnly?: boolean } = {},
  ) {
    this.#deps = deps;
    this.#store = store;
    this.#connect = connect;
    this.#isRemoteOnly = isRemoteOnly;
  }

  /**
   * Reads a part of a file of a job's last attempt. `ending`: what stands behind its usual name.
   * @returns null where there is none. @throws {SilentError} If the machine does not answer: the next call tries it
   * anew.
   */
  async read(
    job: Job,
    file: JobFile,
    part: FilePart,
    ending = "",
  ): Promise<Uint8Array | null> {
    const machine = machineOfJob(job);
    if (machine === null || job.attempt === 0) return null;
    const here = await this.#readHere(job, file, part);
    if (here !== null) return here;
    try {
      return await (await this.#open(machine)).read(attemptOf(job), pathOf(job, file) + ending, part);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.#links.delete(machineKey(machine));
      throw new SilentError(error.reason, { cause: error });
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    const links = await Promise.allSettled(this.#links.values());
    await Promise.allSettled(links.map((one) => one.status === "fulfilled" ? one.value.close() : null));
  }

  /** The part of a file that was collected; null where it was not. */
  async #readHere(job: Job, file: JobFile, part: FilePart): Promise<Uint8Array | null> {
    if (this.#isRemoteOnly || isWaiting(job.status) || isInFlight(job.status)) return null;
    this.#collected ??= Collected.open(this.#deps, this.#store.ref);
    return await readCollected(this.#deps, await this.#collected, { job, file, part });
  }

  #open(machine: Machine): Promise<Link> {
    const key = machineKey(machine);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = this.#dial(machine);
    this.#links.set(key, link);
    return link;
  }

  async #dial(machine: Machine): Promise<Link> {
    const { ref, id } = this.#store;
    this.#machines ??= knownMachines(this.#deps, ref.directory);
    return await this.#connect((await this.#machines).get(machineKey(machine)) ?? machine, {
      directory: isLocal(machine) ? ref.directory : ref.experiment,
      queueId: id,
      role: "onlooker",
      onEvent: () => {},
    });
  }
}
