/**
 * What Slurm's commands print, read. Pure.
 *
 * @module
 */

import type { AllocationState, Sight, Submitted } from "./slurm.ts";

/** What `squeue` is asked for. `Field:|` neither pads nor cuts; the text of the reason comes last, as it may be any. */
export const FIELDS = [
  "Name",
  "ArrayJobID",
  "ArrayTaskID",
  "JobID",
  "State",
  "NodeList",
  "RestartCnt",
  "StartTime",
  "TimeLeft",
  "Reason",
].map((field) => `${field}:|`).join(",");

const STATES: Readonly<Record<string, AllocationState>> = {
  PENDING: "pending",
  CONFIGURING: "pending",
  REQUEUED: "pending",
  REQUEUE_HOLD: "pending",
  REQUEUE_FED: "pending",
  RESV_DEL_HOLD: "pending",
  SPECIAL_EXIT: "pending",
  POWER_UP_NODE: "pending",
  EXPEDITING: "pending",
  RUNNING: "running",
  SUSPENDED: "running",
  STOPPED: "running",
  SIGNALING: "running",
  RESIZING: "running",
  STAGE_OUT: "running",
  COMPLETED: "over",
  CANCELLED: "over",
  FAILED: "over",
  TIMEOUT: "over",
  NODE_FAIL: "over",
  PREEMPTED: "over",
  BOOT_FAIL: "over",
  DEADLINE: "over",
  OUT_OF_MEMORY: "over",
  REVOKED: "over",
  LAUNCH_FAILED: "over",
  RECONFIG_FAIL: "over",
};

/** Reads the lines of `squeue`. What is none of them (warnings) is passed over. */
export function parseSights(text: string): Sight[] {
  return text.split("\n").flatMap((line) => {
    const parts = line.split("|");
    return parts.length < 10 ? [] : sightOf(parts);
  });
}

function sightOf(parts: readonly string[]): Sight[] {
  const [name = "", array = "", task = "", job = "", word = "", nodes = "", restarts = "", started = "", left = ""] =
    parts;
  const reason = parts.slice(9).join("|").replace(/\|$/, "");
  if (!/^[0-9]+$/.test(array) || !/^[0-9]+$/.test(job)) return [];
  // A word that is not known yet: it is not over, and nothing is to be started there.
  const state = STATES[word.split(" ")[0] ?? ""] ?? "ending";
  return [{
    name,
    // What is no array has one task.
    task: /^[0-9]+$/.test(task) ? Number(task) : 0,
    array,
    job: state === "pending" ? null : job,
    state,
    reason: reasonOf(state, word, reason),
    nodes: state === "pending" ? [] : expandNodes(nodes),
    restarts: Number(restarts) || 0,
    started: state === "pending" || !/^[0-9]/.test(started) ? null : started,
    leftMs: state === "running" ? parseLeft(left) : null,
  }];
}

function reasonOf(state: AllocationState, word: string, reason: string): string {
  if (state === "pending") return word === "PENDING" ? reason : word;
  // Of the others the state says what happened. Where it says next to nothing, so does the reason.
  const says = reason !== "" && reason !== "None";
  return word === "FAILED" && says ? `${word} (${reason})` : word;
}

/** `D-HH:MM:SS` or less of it, as ms; null for what is no time (`UNLIMITED`, `INVALID`). */
export function parseLeft(text: string): number | null {
  const [, days, clock] = /^(?:([0-9]+)-)?([0-9]+(?::[0-9]+){0,2})$/.exec(text) ?? [];
  if (clock === undefined) return null;
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days ?? 0) * 86_400 + seconds) * 1000;
}

/** The names of a list of nodes: `n1,gpu[01-03,07],r[1-2]c[1-2]`. */
export function expandNodes(text: string): string[] {
  // Commas in brackets belong to the name.
  const names = text.match(/(?:\[[^\]]*\]|[^,[\]])+/g) ?? [];
  return names.filter((name) => !/^\(.*\)$/.test(name)).flatMap(expandName);
}

function expandName(name: string): string[] {
  const [all, before = "", inside = "", after = ""] = /^([^[]*)\[([^\]]*)\](.*)$/s.exec(name) ?? [];
  if (all === undefined) return [name];
  const numbers = inside.split(",").flatMap((part) => {
    const [, first, last] = /^([0-9]+)-([0-9]+)$/.exec(part) ?? [];
    if (first === undefined || last === undefined) return [part];
    const count = Math.min(Math.max(Number(last) - Number(first) + 1, 0), 65_536);
    return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(first.length, "0"));
  });
  return numbers.flatMap((number) => expandName(after).map((rest) => `${before}${number}${rest}`));
}

/** What a command said when it failed, in one line, without its name. */
export function wordsOf(text: string): string {
  const lines = text.split("\n").map((line) =>
    line.replace(/^(?:sbatch|squeue|scancel|sinfo|srun): (?:error: |fatal: )?/, "").replaceAll(/\p{Cc}+/gu, " ").trim()
  );
  return [...new Set(lines.filter((line) => line !== ""))].join("; ").slice(0, 300);
}

/** Exit statuses of `timeout`. */
const OUT_OF_TIME: ReadonlySet<number> = new Set([124, 137]);
/** Where these are said, the request may have arrived all the same. */
const NO_ANSWER =
  /timed out|Unable to contact|Zero Bytes|Communication|connection (?:failure|refused|reset)|Unexpected message|backup controller/i;

/** What `sbatch --parsable` came to. */
export function parseSubmitted({ out, err, code }: { out: string; err: string; code: number }): Submitted {
  const [, job] = /^([0-9]+)(?:;.*)?$/m.exec(out) ?? [];
  if (code === 0 && job !== undefined) return { type: "submitted", job };
  const words = wordsOf(err);
  if (OUT_OF_TIME.has(code)) return { type: "unknown", reason: words === "" ? "no answer from Slurm" : words };
  if (code === 0 || NO_ANSWER.test(err)) {
    return { type: "unknown", reason: words || "it did not say the id of the job" };
  }
  return { type: "refused", reason: words === "" ? `sbatch ended with ${code}` : words };
}
