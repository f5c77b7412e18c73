/**
 * `queue check`: do a queue's files, its run and its hosts agree? Reads and asks; changes nothing, neither here nor
 * there.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { type Machine, machineKey, machineOfJob, machineText, parseMachine } from "../cluster/machine.ts";
import { attemptOf, isAttemptOf, jobIdOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { earlierJobs } from "../job/places.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { makeConnect } from "../link/connect.ts";
import type { AttemptState, Connect, Mark } from "../link/link.ts";
import type { JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import { inspectQueue, type QueueInspection } from "../store/inspect_queue.ts";
import type { StoreRef } from "../store/store.ts";
import { checkFiles } from "./check_files.ts";
import { disagreement, leftRunning } from "./disagreement.ts";
import { type Finding, queueCommand } from "./finding.ts";
import { onMachines } from "./on_machines.ts";
import { runnerState } from "./process_state.ts";

/**
 * While a run goes on its queue is a moment behind or before the hosts: what disagrees counts if it still does after
 * this.
 */
const AGAIN_MS = 1_500;

/** What a check found. */
export interface QueueCheck {
  /**
   * First what is to be said of the queue as a whole, then its jobs in file order, then hosts that could not be asked.
   */
  readonly findings: readonly Finding[];
  readonly jobs: number;
  readonly inFlight: number;
  /** Machines that answered, as `user@name`. */
  readonly asked: readonly string[];
}

/** What the machines said of the jobs. */
interface Answers {
  readonly states: Map<JobName, { state: AttemptState; boot: string; marks: readonly Mark[] }>;
  /** What jobs, and those that they replaced, have left on machines where they were before. */
  readonly earlier: { job: Job; machine: Machine; boot: string; marks: readonly Mark[] }[];
  readonly machines: Map<string, Machine>;
  readonly failures: Finding[];
}

/**
 * Checks a queue. All jobs that name a host are asked about: also one that is ready by the queue may run there.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function checkQueue(
  deps: Deps,
  request: { queue: StoreRef },
  connect: Connect = makeConnect(deps),
): Promise<QueueCheck> {
  const { queue } = request;
  let inspection = await inspectQueue(deps, queue);
  const { runner } = inspection;
  if (runner !== null && await runnerState(deps, runner) === "gone") {
    // One that is just dying holds its locks a moment longer.
    await deps.clock.sleepUntil(deps.clock.now() + AGAIN_MS);
    inspection = await inspectQueue(deps, queue);
  }
  const answers = await ask(deps, queue, inspection, [...inspection.jobs.values()], connect);
  const findings = await checkFiles(deps, queue, inspection);
  const [all, asked] = [inspection.jobs, new Set([...answers.machines.values()].map(machineText))];
  let found = judge(queue, inspection, answers);
  const older = await olderThanHosts(deps, queue, inspection, { connect, asked });
  const suspects = [...new Set(found.filter(({ kind }) => kind === "trouble").map(({ job }) => job))];
  if (suspects.length > 0) {
    // Somebody may have changed the queue between the reading and the asking.
    if (inspection.runner !== null) await deps.clock.sleepUntil(deps.clock.now() + AGAIN_MS);
    inspection = await inspectQueue(deps, queue);
    const jobs = suspects.flatMap((name) => (name === null ? undefined : inspection.jobs.get(name)) ?? []);
    const again = await ask(deps, queue, inspection, jobs, connect);
    const still = judge(queue, { ...inspection, jobs: new Map(jobs.map((job) => [job.name, job])) }, again);
    const settled = Map.groupBy(still.filter(({ kind }) => kind === "trouble"), ({ job }) => job);
    found = [...found.filter(({ kind }) => kind === "note"), ...suspects.flatMap((job) => settled.get(job) ?? [])];
    answers.failures.push(...again.failures);
  }
  return {
    findings: [...findings, ...found, ...older, ...unnamed(queue, all), ...answers.failures],
    jobs: all.size,
    inFlight: [...all.values()].filter((job) => isInFlight(job.status)).length,
    asked: [...asked].sort(),
  };
}

async function ask(
  deps: Deps,
  queue: StoreRef,
  { id }: QueueInspection,
  jobs: readonly Job[],
  connect: Connect,
): Promise<Answers> {
  const answers: Answers = { states: new Map(), earlier: [], machines: new Map(), failures: [] };
  // Those in flight first: they are named first where a host does not answer. A job without an id was never started.
  const known = jobs.filter((job) => job.id !== "");
  const ordered = [true, false].flatMap((flies) => known.filter((job) => isInFlight(job.status) === flies));
  const earlier = new Map(known.flatMap((job) => earlierJobs(job).map((was) => [was, job])));
  await onMachines(
    deps,
    {
      connect,
      store: { ref: queue, id },
      role: "onlooker",
      jobs: [...ordered, ...earlier.keys()],
      warn: (_, { machine, reason, jobs }) => {
        answers.failures.push({
          kind: "trouble",
          job: null,
          where: machineText(machine),
          finding: `cannot be asked about ${someNames(jobs.map((job) => job.name))}: ${reason}`,
          action: `mend the way to it, then ${queueCommand(queue, "check")}`,
        });
      },
    },
    async (link, there) => {
      const now = new Set(there.filter((job) => !earlier.has(job)));
      const states = await link.ask([...now].map(attemptOf));
      const marks = await link.marks();
      const byOwner = Map.groupBy(marks, ({ owner }) => owner);
      // The queue's id is another where its directory was moved.
      const byJob = Map.groupBy(marks, ({ attempt }) => jobIdOf(attempt));
      const left = (job: Job): Mark[] => [
        ...new Set([...byOwner.get(`${id}/${job.name}`) ?? [], ...byJob.get(job.id) ?? []]),
      ];
      [...now].forEach((job, i) => {
        answers.states.set(job.name, { state: states[i]!, boot: link.boot, marks: left(job) });
      });
      for (const was of there) {
        const job = earlier.get(was);
        if (job === undefined || now.has(job)) continue;
        answers.earlier.push({ job, machine: link.machine, boot: link.boot, marks: left(was) });
      }
      answers.machines.set(machineKey(link.machine), link.machine);
    },
  );
  return answers;
}

/**
 * Jobs that wait by these files, but ran on a machine of the last run: a back-up was put back. An entry from before its
 * first start names no host. Machines that do not answer are passed over: nothing says that the jobs were there.
 * Those that answer are put into `asked`.
 */
async function olderThanHosts(
  deps: Deps,
  queue: StoreRef,
  { id, jobs, lastRun, runner }: QueueInspection,
  { connect, asked }: { connect: Connect; asked: Set<string> },
): Promise<Finding[]> {
  const machines = runner === null ? Object.keys(lastRun?.about.machines ?? {}) : [];
  const waiting = [...jobs.values()].filter((job) => job.id !== "" && isWaiting(job.status));
  const moved = machines.flatMap((text) => {
    const { user, name: host } = parseMachine(text);
    const elsewhere = waiting.filter((job) => job.host !== host || job.user !== user);
    return elsewhere.map((job) => ({ ...job, user, host }));
  });
  const found = new Map<JobName, Finding>();
  const work = { connect, store: { ref: queue, id }, role: "onlooker", jobs: moved, warn: () => {} } as const;
  await onMachines(deps, work, async (link, there) => {
    const states = await link.ask(there.map(attemptOf));
    asked.add(machineText(link.machine));
    there.forEach((job, i) => {
      const state = states[i]!;
      const isAnother = state.type === "other" && !isAttemptOf(state.attempt, job.id);
      if (isAnother || (job.attempt === 0 && state.type !== "other")) return;
      const about = { queue, machine: machineText(link.machine), boot: link.boot, isRun: false };
      const one = disagreement(job, state, about);
      if (one !== null && one.kind === "trouble") found.set(job.name, one);
    });
  });
  return [...jobs.keys()].flatMap((name) => found.get(name) ?? []);
}

function judge(queue: StoreRef, { jobs, runner }: QueueInspection, { states, earlier }: Answers): Finding[] {
  const found: Finding[] = [];
  for (const job of jobs.values()) {
    const answer = states.get(job.name);
    const machine = machineOfJob(job);
    if (answer === undefined || machine === null) continue;
    const about = { queue, machine: machineText(machine), boot: answer.boot, isRun: runner?.about !== undefined };
    const both = [disagreement(job, answer.state, about), leftRunning(job, answer, about)];
    found.push(...both.filter((one) => one !== null));
  }
  for (const { job, machine, boot, marks } of earlier) {
    const about = { queue, machine: machineText(machine), boot, isRun: runner?.about !== undefined };
    const one = jobs.get(job.name)?.id === job.id ? leftRunning(job, { state: { type: "none" }, marks }, about) : null;
    if (one !== null) found.push(one);
  }
  return found;
}

/** Jobs in flight whose host cannot be named: a run can do nothing about them. */
function unnamed(queue: StoreRef, jobs: ReadonlyMap<JobName, Job>): Finding[] {
  return [...jobs.values()].filter((job) => isInFlight(job.status) && machineOfJob(job) === null).map((job) => ({
    kind: "trouble",
    job: job.name,
    where: `queue ${queue.name}`,
    finding: `is ${job.status}, but on no host that can be asked (${JSON.stringify(job.host)})`,
    action: queueCommand(queue, "reset", `--name=${job.name}`),
  }));
}
