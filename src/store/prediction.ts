/**
 * What the last plan of a queue said, kept beside it to be compared with the run that follows. Nothing depends on it.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { StorePaths } from "./paths.ts";

/** See the module. */
export interface Prediction {
  /** When it was made, epoch ms. */
  readonly madeMs: number;
  readonly makespanMs: number;
  /** Jobs that it has run. */
  readonly jobs: number;
  readonly slots: number;
}

/** Keeps it; what cannot be written is left out. */
export async function writePrediction(deps: Deps, paths: StorePaths, prediction: Prediction): Promise<void> {
  await deps.files.replace(paths.plan, `${JSON.stringify(prediction)}\n`).catch(() => false);
}

/** The last one, or null. */
export async function readPrediction(deps: Deps, paths: StorePaths): Promise<Prediction | null> {
  try {
    const value = JSON.parse(await deps.files.readText(paths.plan) ?? "null") as Partial<Prediction> | null;
    const { madeMs, makespanMs, jobs, slots } = value ?? {};
    const isWhole = [madeMs, makespanMs, jobs, slots].every((one) => typeof one === "number" && one >= 0);
    return isWhole ? value as Prediction : null;
  } catch {
    return null;
  }
}
