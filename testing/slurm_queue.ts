/**
 * A manager on the login node of a test Slurm, and jobs that write down what they did, in files that nothing of the
 * program touches.
 *
 * @module
 */

import { Manager } from "./harness.ts";
import type { TestHost } from "./hosts.ts";

/** The cluster with one entry, `gpu`. */
export const CLUSTER = "hpc";

/** A manager with a cluster. @param fields Further fields of its entry, as the file has them. */
export async function slurmManager(login: TestHost, fields: string): Promise<Manager> {
  const manager = await Manager.on(login);
  const entry = `gpu: {user: pi, name: localhost, id: gpu, status: active, kind: slurm, ${fields}}`;
  await login.run(`mkdir -p experiment ran && echo '${entry}' >experiment/${CLUSTER}-cluster.yaml`);
  return manager;
}

/** The command of a job that writes down its start and its end; between them it does `work`. */
export function recorded(work: string): string {
  const line = (mark: string) => `echo "${mark} $CMS_ATTEMPT $SLURM_JOB_ID $(hostname)" >>~/ran/$CMS_JOB`;
  return `${line("S")}; ${work}; ${line("E")}`;
}

/** What a job wrote down about one attempt. */
export interface Ran {
  readonly attempt: number;
  /** The allocation. */
  readonly job: string;
  readonly host: string;
  readonly ended: boolean;
}

/**
 * The attempts of a job, in the order of their starts. @throws {Error} If one was started twice, or two of them ran at
 * once for all that can be seen.
 */
export async function ranOf(login: TestHost, job: string): Promise<Ran[]> {
  const text = await Deno.readTextFile(`${login.home}/ran/${job}`).catch(() => "");
  const ran: { attempt: number; job: string; host: string; ended: boolean }[] = [];
  for (const line of text.split("\n").filter(Boolean)) {
    const [mark, number, allocation = "", host = ""] = line.split(" ");
    const attempt = Number(number);
    if (mark === "S") {
      if (ran.some((each) => each.attempt === attempt)) {
        throw new Error(`${job}.${attempt} was started twice:\n${text}`);
      }
      ran.push({ attempt, job: allocation, host, ended: false });
    } else {
      const last = ran.at(-1);
      if (last?.attempt !== attempt) throw new Error(`${job}.${attempt} ended beside a later attempt:\n${text}`);
      last.ended = true;
    }
  }
  return ran;
}
