/**
 * The variables by which a job knows what it is. Pure.
 *
 * @module
 */

import type { Environment } from "../names/environment.ts";
import type { Job } from "./job.ts";
import { tryNumber } from "./retry.ts";

/** What the program says to a job of itself, but for its name and the number of the attempt, which its host knows. */
export function ownVariables(job: Job, { queue, host }: { queue: string; host: string }): Environment {
  const { params, index } = job;
  const own: Record<string, string> = { CMS_QUEUE: queue, CMS_HOST: host, CMS_TRY: String(tryNumber(job)) };
  if (index !== undefined && index !== null) own.CMS_INDEX = String(index);
  for (const [name, value] of Object.entries(params ?? {})) own[`CMS_PARAM_${name}`] = value;
  return own;
}

/** True if a job that is added with others wants to know which of them it is. */
export function namesIndex(spec: { readonly command: string; readonly [field: string]: unknown }): boolean {
  return Object.values(spec).some((value) => typeof value === "string" && value.includes("CMS_INDEX")) ||
    JSON.stringify(spec.env ?? "").includes("CMS_INDEX");
}
