/**
 * Hosts that say anything about any attempt, at any time: the core throws for nothing, and moves no job where it may
 * not go.
 */
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import type { Job } from "../../src/job/job.ts";
import { mayMove } from "../../src/job/states.ts";
import type { AttemptState, LinkEvent } from "../../src/link/link.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Core } from "../../src/scheduler/core.ts";
import type { CoreEvent } from "../../src/scheduler/events.ts";
import { fifo, fifoMulti } from "../../src/scheduler/policies.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { job, slotHost } from "../scheduler/world.ts";
import { BOUNDED } from "./support.ts";

const MACHINES = ["pi@red", "pi@red01", "pi@nosuch"];
const NAMES = ["a", "b", "c", "d", "nosuch"] as JobName[];

const machine = fc.constantFrom(...MACHINES);
const number = fc.constantFrom(0, 1, 2, 7, 1e15);
const attemptOf = fc.record({
  job: fc.constantFrom(...NAMES),
  number: fc.constantFrom(0, 1, 2, 3),
  of: fc.constantFrom(...NAMES),
}).map(({ job, number, of }) => ({ job, attempt: `${of.padEnd(32, "_")}.${number}` }));
const state: fc.Arbitrary<AttemptState> = fc.oneof(
  fc.constantFrom<AttemptState>({ type: "none" }, { type: "claimed" }, { type: "forbidden" }),
  fc.record({ type: fc.constant("alive" as const), pid: number, startedAtMs: fc.option(number), orphan: fc.boolean() }),
  fc.record({
    type: fc.constant("ended" as const),
    state: fc.constantFrom("end" as const, "kill" as const),
    exitCode: fc.option(number),
    startedAtMs: fc.option(number),
    endedAtMs: fc.option(number),
  }),
  fc.record({ type: fc.constant("crashed" as const), exitCode: fc.option(number) }),
  fc.record({ type: fc.constant("other" as const), attempt: fc.constantFrom("ff.1", "x"), alive: fc.boolean() }),
);
const linkEvent: fc.Arbitrary<LinkEvent> = fc.oneof(
  fc.tuple(attemptOf, number, number).map(([ref, pid, atMs]) => ({ type: "started", ...ref, pid, atMs }) as const),
  fc.tuple(attemptOf, fc.constantFrom("end" as const, "kill" as const, "crash" as const), fc.option(number), number)
    .map(
      ([ref, state, exitCode, atMs]) => ({ type: "ended", ...ref, state, exitCode, atMs }) as const,
    ),
  attemptOf.map((ref) => ({ type: "refused", ...ref, reason: "because" }) as const),
  fc.tuple(attemptOf, state).map(([ref, state]) => ({ type: "known", ...ref, state }) as const),
  attemptOf.map((ref) => ({ type: "reused", ...ref }) as const),
  fc.constant({ type: "down", reason: "gone" } as const),
);
const event: fc.Arbitrary<CoreEvent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(machine, linkEvent).map(([machine, event]) => ({ type: "link", machine, event }) as const),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(machine, fc.constantFrom("b1", "b2")).map(([machine, boot]) =>
      ({ type: "link_up", machine, boot }) as const
    ),
  },
  fc.tuple(machine, fc.boolean()).map(([machine, lasting]) =>
    ({ type: "connect_failed", machine, reason: "no", lasting }) as const
  ),
  {
    weight: 3,
    arbitrary: fc.tuple(machine, fc.array(fc.tuple(attemptOf, state), { maxLength: 3 })).map(([machine, all]) =>
      ({ type: "answer", machine, states: all.map(([ref, state]) => ({ ...ref, state })) }) as const
    ),
  },
  attemptOf.map((ref) => ({ type: "stage_failed", ...ref, reason: "no" }) as const),
  fc.constantFrom(...NAMES).map((name) =>
    ({ type: "external", external: { ...NO_EXTERNAL_CHANGES, kill: [name] } }) as const
  ),
  fc.constantFrom<CoreEvent>({ type: "tick" }, { type: "stop", signal: "SIGINT" }),
);

const flight = fc.record({
  status: fc.constantFrom("undefined" as const, "ready" as const, "run" as const, "start" as const, "crash" as const),
  attempt: fc.constantFrom(0, 1, 2),
  host: fc.constantFrom("red", "red01", "no/host", null),
  user: fc.constantFrom("pi", null),
  boot: fc.constantFrom("b1", null),
  slot: fc.constantFrom("h1", "h9", null),
});

for (const scheduler of ["fifo", "fifo_multi"] as const) {
  Deno.test(`a ${scheduler} core takes whatever hosts say, moves jobs only where they may go, and keeps its slots`, () => {
    const steps = fc.array(fc.tuple(event, fc.constantFrom(0, 1, 1_000, 700_000)), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(flight, { minLength: 4, maxLength: 4 }), steps, (begin, events) => {
        const jobs = new Map<JobName, Job>(begin.map((fields, i) => [NAMES[i]!, { ...job(NAMES[i]!), ...fields }]));
        const hosts = scheduler === "fifo" ? [] : [slotHost("h1", "pi@red"), slotHost("h2", "pi@red01")];
        const core = new Core({
          policy: scheduler === "fifo" ? fifo(2) : fifoMulti(),
          hosts,
          timeoutMs: 600_000,
        }, jobs);
        let nowMs = 1_000_000;
        for (const [one, passedMs] of [[{ type: "begin" }, 0] as const, ...events]) {
          nowMs += passedMs;
          const taken: string[] = [];
          for (const effect of core.step(one, nowMs)) {
            if (effect.type === "start") {
              assert.ok(effect.request.attempt.startsWith(effect.request.job.padEnd(32, "_")));
            }
            if (effect.type !== "change" || effect.change.type !== "set") continue;
            const old = jobs.get(effect.change.job)!;
            const { status = old.status, attempt = old.attempt } = effect.change.fields;
            // The one move that needs no attempt: fifo, on a machine that does not answer.
            const isAllowed = mayMove(old.status, status) || (old.status === "ready" && status === "fail_start");
            assert.ok(status === old.status || isAllowed, `${old.status} to ${status}`);
            if (status === "run") taken.push(effect.change.fields.slot ?? "none");
            assert.ok(attempt >= old.attempt, `attempt ${old.attempt} to ${attempt}`);
            jobs.set(old.name, { ...old, ...effect.change.fields });
          }
          // What is inherited, or comes back, may be more than there are slots; nothing is started on top of it.
          if (scheduler === "fifo") assert.ok(taken.length === 0 || core.inspect().running <= 2, "above max_parallel");
          for (const slot of taken) {
            assert.ok((core.inspect().slots.inUse().get(slot) ?? 0) <= 1, `${slot} is taken twice`);
          }
          const { done, running, failed, total } = core.progress();
          assert.ok(failed <= done && done + running <= total, JSON.stringify(core.progress()));
        }
        core.result();
      }),
      BOUNDED,
    );
  });
}
