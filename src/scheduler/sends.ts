/**
 * What a job sends: the paths that it names, and its input if that stands on the manager.
 *
 * @module
 */

import type { Environment, Files } from "../deps.ts";
import type { Job } from "../job/job.ts";
import type { StartRequest } from "../link/link.ts";
import { sendDirectory, type SentPath, sentPath } from "../link/sent_path.ts";

/** What {@link sentPaths} needs. */
export interface SendsOptions {
  readonly files: Files;
  readonly environment: Pick<Environment, "get">;
  /** The experiment directory on the manager, absolute. */
  readonly localDirectory: string;
  /** As it was named: below the directory from which the queue was made, or absolute. */
  readonly hostDirectory: string;
}

/** What of a job says what it sends. */
export type Sends = Pick<StartRequest, "send" | "input">;

/** What a job says of that; nothing where it names neither. */
export function sendsOf({ name, send, input }: Pick<Job, "name" | "send" | "input">): Sends {
  return {
    ...(send === undefined || send === null ? {} : { send }),
    ...(input === `${name}/input` || input === "" ? {} : { input }),
  };
}

/** True if it may have something to send. */
export function maySend({ send, input }: Sends): boolean {
  return send !== undefined || input !== undefined;
}

/** All that it sends. Relative paths are below the directory in which the experiment directory stands. */
export async function sentPaths(
  options: SendsOptions,
  { job, send, input }: Sends & Pick<StartRequest, "job">,
): Promise<SentPath[]> {
  const { files, environment, localDirectory, hostDirectory } = options;
  const from = sendDirectory(localDirectory, hostDirectory);
  const home = environment.get("HOME") ?? null;
  const paths = (send ?? []).flatMap((path) => sentPath(path, from, home) ?? []);
  if (input === undefined) return paths;
  for (const below of [from, localDirectory]) {
    const path = sentPath(input, below, home);
    const whole = path === null ? null : `${path.base}/${path.kept}`;
    // What stands in the job's own directory goes with that.
    if (path === null || whole?.startsWith(`${localDirectory}/${job}/`)) continue;
    const stamp = await files.stamp(whole!).catch(() => null);
    if (stamp !== null) return [...paths, path];
  }
  return paths;
}
