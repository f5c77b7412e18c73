/**
 * Variants that break the order of jobs: priorities, holds, tries, and what comes after what.
 *
 * @module
 */

import { upcoming } from "../../src/scheduler/ahead.ts";
import type { Job } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { hasDependencies } from "../../src/job/dependencies.ts";
import { hasNeeds } from "../../src/job/needs.ts";
import { waitingState } from "../../src/job/states.ts";
import { Candidates } from "../../src/scheduler/candidates.ts";
import { Core } from "../../src/scheduler/core.ts";
import { Endings } from "../../src/scheduler/endings.ts";
import { Lost } from "../../src/scheduler/lost.ts";
import { Notices } from "../../src/operations/notices/notices.ts";
import { OwedNotices } from "../../src/store/owed_notices.ts";
import { RunHosts } from "../../src/operations/run_hosts.ts";
import type { Mutant } from "./mutants.ts";
import { patch } from "./patch.ts";

/** Hands out a job that is set aside. */
function handsOut(isMeant: (job: Job) => boolean): () => () => void {
  return () =>
    patch(Candidates.prototype, "peek", (old) =>
      function (this: Candidates, jobs, nowMs): JobName | null {
        const name = old.call(this, jobs, nowMs);
        // One that no host could hold would be set aside again, and handed out for ever.
        const kept = [...this.aside].find((one) => isMeant(jobs.get(one)!) && !hasNeeds(jobs.get(one)!));
        return name !== null && kept !== undefined ? kept : name;
      });
}

/** The variants. */
export const ORDER_MUTANTS: readonly Mutant[] = [
  { rule: 5, name: "what is held starts", breaks: handsOut((job) => job.hold === true) },
  {
    rule: 5,
    name: "jobs start while the queue is paused",
    seed: 39,
    isSmall: true,
    breaks: () =>
      patch(Core.prototype, "step", (old) =>
        function (this: Core, event, nowMs) {
          return old.call(this, event.type === "pause" ? { ...event, isPaused: false } : event, nowMs);
        }),
  },
  {
    rule: 5,
    name: "a drained host gets jobs",
    seed: 12,
    isSmall: true,
    breaks: () =>
      patch(RunHosts.prototype, "read", (old) =>
        async function (this: RunHosts) {
          return (await old.call(this)).map((host) => ({ ...host, active: true }));
        }),
  },
  {
    rule: 5,
    name: "a job starts before what it comes after",
    breaks: handsOut((job) => job.hold !== true && hasDependencies(job)),
  },
  {
    rule: 5,
    name: "a try starts before its time",
    breaks: handsOut((job) => typeof job.not_before === "string" && job.hold !== true && !hasDependencies(job)),
  },
  {
    rule: 5,
    name: "a moved job keeps its old turn",
    breaks: () =>
      patch(Candidates.prototype, "apply", (old) =>
        function (this: Candidates, external, jobs) {
          return old.call(this, { ...external, reordered: false }, jobs);
        }),
  },
  {
    rule: 5,
    name: "the lowest priority first",
    breaks: () =>
      patch(Candidates.prototype, "peek", (old) =>
        function (this: Candidates, jobs, nowMs) {
          const name = old.call(this, jobs, nowMs);
          const next = upcoming(this, jobs, 5).toSorted((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
          return name === null ? null : next[0]?.name ?? name;
        }),
  },
  {
    rule: 5,
    name: "what can never start is left waiting",
    breaks: () => patch(Candidates.prototype, "takeDoomed", () => () => []),
  },
  {
    rule: 1,
    name: "nothing is asked about what is tried elsewhere when its host answers again",
    breaks: () => patch(Lost.prototype, "questions", () => () => ({ ask: [], forbid: [] })),
  },
  {
    rule: 1,
    name: "what is tried elsewhere counts as over while it is being ended",
    breaks: () =>
      patch(Lost.prototype, "answer", (old) =>
        function (this: Lost, ref, state) {
          old.call(this, ref, state.type === "alive" ? { type: "crashed", exitCode: null } : state);
        }),
  },
  {
    rule: 1,
    name: "a silent host's job is tried elsewhere, and nobody asked for that",
    breaks: () =>
      patch(Endings.prototype, "write", (old) =>
        function (this: Endings, one, end, place) {
          return old.call(this, one, end.cause === "lost" ? { ...end, cause: "crash" } : end, place);
        }),
  },
  {
    rule: 6,
    name: "an end is told twice",
    seed: 3,
    isSmall: true,
    breaks: () =>
      patch(Notices.prototype, "event", (old) =>
        function (this: Notices, event) {
          old.call(this, event);
          if (event.type === "ended" && event.state === "end") old.call(this, event);
        }),
  },
  {
    rule: 6,
    name: "a try that another one follows is told as an end",
    seed: 39,
    isSmall: true,
    breaks: () =>
      patch(Notices.prototype, "event", (old) =>
        function (this: Notices, event) {
          if (event.type !== "retry") return old.call(this, event);
          const { job, machine, why: reason } = event;
          old.call(this, { type: "ended", job, machine, state: "end", exitCode: 1, reason, elapsedMs: null });
        }),
  },
  {
    rule: 6,
    name: "ends are not told now and then",
    seed: 3,
    isSmall: true,
    breaks: () => {
      let calls = 0;
      return patch(Notices.prototype, "event", (old) =>
        function (this: Notices, event) {
          if (event.type !== "ended" || ++calls % 5 !== 0) old.call(this, event);
        });
    },
  },
  {
    rule: 2,
    name: "the end of a run that was killed is not told",
    seed: 167,
    isSmall: true,
    breaks: () =>
      patch(
        OwedNotices,
        "begin",
        (old) => (deps, paths, own) =>
          own.webhooks.length > 0 ? old.call(OwedNotices, deps, paths, own) : Promise.resolve(null),
      ),
  },
  {
    rule: 6,
    name: "a further try without a retry",
    breaks: () =>
      patch(Core.prototype, "step", (old) =>
        function (this: Core, event, nowMs) {
          const effects = old.call(this, event, nowMs);
          const end = effects.find((effect) => effect.type === "change");
          if (
            event.type === "link" && event.event.type === "ended" && event.event.exitCode !== 0 && end !== undefined
          ) {
            const fields = { status: waitingState(end.of) };
            effects.push({ ...end, change: { type: "set", job: event.event.job, fields } });
          }
          return effects;
        }),
  },
];
