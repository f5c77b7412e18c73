/**
 * What `check` says of a queue's files and of the run that holds it.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { dependenciesOf, findCircle, hasDependencies } from "../job/dependencies.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { someNames } from "../names/some_names.ts";
import type { QueueInspection } from "../store/inspect_queue.ts";
import { storePaths } from "../store/paths.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { circleText } from "./check_order.ts";
import { lineEndWarnings, sharedFileWarnings, unknownFields } from "./entry_warnings.ts";
import { type Finding, queueCommand } from "./finding.ts";
import { runnerState } from "./process_state.ts";

/** Most jobs that are not in the queue that are named one by one. */
const MOST_NAMED = 20;
const GUIDE = "docs/operations.md";

/** All that is to be said, in the order in which it matters. */
export async function checkFiles(deps: Deps, ref: StoreRef, queue: QueueInspection): Promise<Finding[]> {
  const { shown, shownJournal } = storePaths(ref, "queue");
  const found: Finding[] = [];
  const say = (kind: Finding["kind"], where: string, finding: string, action = "") => {
    found.push({ kind, job: null, where, finding, action });
  };
  const inFlight = [...queue.jobs.values()].filter((job) => isInFlight(job.status)).length;
  if (queue.yamlProblem !== null) {
    const action = queue.yamlProblem.code === "not_found"
      ? `get it back from a back-up: its journal is still there; see ${GUIDE}`
      : `mend the file; until then only a run that goes on works on the queue; see ${GUIDE}`;
    const finding = queue.yamlProblem.code === "not_found"
      ? "does not exist"
      : without(queue.yamlProblem.message, shown);
    say("trouble", shown, finding, action);
  }
  if (queue.journalProblem !== null) {
    const action = `see A damaged journal in ${GUIDE}; the records after that place are not counted here`;
    say("trouble", shownJournal, without(queue.journalProblem.message, shownJournal), action);
  }
  if (queue.begunAt !== null) {
    say(
      inFlight > 0 ? "trouble" : "note",
      shownJournal,
      `was begun at ${queue.begunAt}: this directory was copied or moved`,
      `run only one of the two; see Moving an experiment in ${GUIDE}`,
    );
  }
  if (queue.tornBytes > 0) {
    say(
      "note",
      shownJournal,
      `ends in ${queue.tornBytes} bytes of a change that was never completed and does not count`,
      "nothing: the next command that changes the queue cuts them off",
    );
  }
  for (const warning of queue.warnings) {
    say("trouble", shown, warning, "undo the edit, or end the job first: cms queue reset, cms queue delete");
  }
  const jobs = [...queue.jobs.values()];
  for (const text of unknownFields("job", jobs)) say("trouble", shown, text, "mend or remove the field");
  for (const text of sharedFileWarnings(jobs)) say("trouble", shown, text, "give each job a file of its own");
  for (const text of lineEndWarnings(jobs)) say("trouble", shown, text, "take the \\r out");
  checkOrder(ref, queue, say);
  if (queue.isEdited && queue.warnings.length === 0) {
    say("note", shown, "was edited since the program wrote it; the edit counts");
  }
  if (queue.unwritten > 0 && queue.runner === null) {
    const finding = `does not show ${queue.unwritten} changes yet that stand in the journal`;
    say("note", shown, finding, `${queueCommand(ref, "refresh")} writes them, and so does the end of the next run`);
  }
  if (queue.isLocked) {
    const action = "look for a cms that is stopped (state T in ps): kill -CONT PID, or kill PID";
    say("trouble", `${ref.name}-queue.lock`, "somebody holds the queue's lock and does not let go", action);
  }
  await checkRun(deps, ref, queue, say);
  if (inFlight > 0 && queue.runner === null) {
    const finding = `${inFlight} ${inFlight === 1 ? "job is" : "jobs are"} in flight, and no run follows`;
    say("note", `queue ${ref.name}`, finding, `${runAgain(ref, queue.lastRun)} goes on`);
  }
  if (queue.leftovers.length > 0) {
    const finding = `killed writers left ${queue.leftovers.join(", ")}`;
    say("note", `queue ${ref.name}`, finding, "nothing: the next run removes them");
  }
  return found;
}

async function checkRun(
  deps: Deps,
  ref: StoreRef,
  { runner }: QueueInspection,
  say: (kind: Finding["kind"], where: string, finding: string, action?: string) => void,
): Promise<void> {
  if (runner === null) return;
  const { pid, hostname, about } = runner;
  const who = pid === 0 ? "somebody" : `process ${pid} on ${hostname}`;
  const what = about === undefined ? "holds it for a moment" : `runs it (${about.scheduler}, ${about.slots} at once)`;
  const where = `queue ${ref.name}`;
  const state = await runnerState(deps, runner);
  if (state === "gone") {
    const action = `lsof ${storePaths(ref, "queue").run} tells who holds it`;
    say("trouble", where, `${who} is gone, but its right to run the queue is still held`, action);
  } else if (state === "stopped") {
    say("trouble", where, `${who} ${what}, but is stopped`, `kill -CONT ${pid} lets it go on`);
  } else say("note", where, `${who} ${what}`);
}

/** Jobs that wait for what is not in the queue, or for each other. */
function checkOrder(
  ref: StoreRef,
  { jobs }: QueueInspection,
  say: (kind: Finding["kind"], where: string, finding: string, action?: string) => void,
): void {
  const waiting = [...jobs.values()].filter((job) => isWaiting(job.status) && hasDependencies(job));
  const absent = new Map<string, string[]>();
  for (const job of waiting) {
    for (const parent of dependenciesOf(job)) {
      if (jobs.has(parent)) continue;
      const children = absent.get(parent);
      if (children === undefined) absent.set(parent, [job.name]);
      else children.push(job.name);
    }
  }
  const mend = "mend the field after, after_any or after_notok, or add the job";
  for (const [parent, children] of [...absent].slice(0, MOST_NAMED)) {
    say("trouble", `queue ${ref.name}`, `${someNames(children)} waits for ${parent}, which is not in the queue`, mend);
  }
  const circle = findCircle(waiting.map(({ name }) => name), jobs);
  if (circle === null) return;
  say("trouble", `queue ${ref.name}`, `jobs wait for each other: ${circleText(circle)}`, "take one of them out");
}

/** The command of the last run, as far as it is known. */
function runAgain(ref: StoreRef, last: LastRun | null): string {
  if (last === null) return "cms queue run";
  const { scheduler, cluster, slots } = last.about;
  const option = scheduler === "fifo"
    ? `--max_parallel=${slots}`
    : cluster === null
    ? "--hosts=..."
    : `--hostfile=${cluster}`;
  return queueCommand(ref, `run ${scheduler}`, option);
}

/** A message without the file that it begins with; a line's number stays. */
function without(message: string, file: string): string {
  if (message.startsWith(`${file}: `)) return message.slice(file.length + 2);
  return message.startsWith(`${file}:`) ? `line ${message.slice(file.length + 1)}` : message;
}
