/** The allocator and the scheduler's core on a simulated Slurm, see `src/simulation/slurm_run.ts`. */
import assert from "node:assert/strict";
import { faultsOf, playScenario } from "../../src/simulation/slurm_scenario.ts";
import { type Door, GOOD_LUCK, type SlurmLuck } from "../../src/simulation/slurm_site.ts";
import { Allocations } from "../../src/slurm/allocations.ts";
import { Asked } from "../../src/slurm/asked.ts";
import { Fleet } from "../../src/slurm/fleet.ts";
import { Attempts } from "../../src/scheduler/attempts.ts";

const BAD_LUCK: SlurmLuck = {
  refused: 0.1,
  unanswered: 0.2,
  blind: 0.2,
  preempted: 0.0005,
  nodeLost: 0.0003,
  nodeBooted: 0.0003,
  reused: 0.2,
  pendingMs: 60_000,
};

function playMany(seeds: number, door: Door = "right"): string[] {
  const of = { jobs: 150, allocations: 5, slots: 4, meanMs: 100_000, luck: BAD_LUCK, hasLimits: true, door };
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    faultsOf(playScenario({ seed, ...of })).map((fault) => `seed ${seed}: ${fault}`)
  );
}

Deno.test("However Slurm's allocations wait, end and are answered for, no job is lost or runs twice", () => {
  assert.deepEqual(playMany(10), []);
});

Deno.test("2,000 jobs on 10 allocations of 10 minutes leave hardly any slot time idle, with few words to Slurm", () => {
  const played = playScenario({ seed: 7, jobs: 2_000, allocations: 10, slots: 4, meanMs: 30_000, luck: GOOD_LUCK });
  assert.deepEqual(faultsOf(played), []);
  const share = played.idleMs / played.slotMs;
  assert(share < 0.08, `${(100 * share).toFixed(1)} % of the slot time is idle`);
  assert(played.submits + played.looks < 20 * played.allocations, `${played.submits} submits, ${played.looks} looks`);
});

/** A wrong allocator is found out. */
function mutant(what: string, make: () => () => void): void {
  Deno.test(`The simulated Slurm finds an allocator that ${what}`, () => {
    const undo = make();
    try {
      assert.notDeepEqual(playMany(8), []);
    } finally {
      undo();
    }
  });
}

mutant("takes what one look does not show for over", () => {
  const right = Asked.prototype.learn;
  Asked.prototype.learn = function (...seen) {
    for (const one of this.allocations.values()) one.saidOver = "GONE";
    return right.apply(this, seen);
  };
  return () => void (Asked.prototype.learn = right);
});

mutant("does not count those that are near their end", () => {
  const right = Fleet.prototype.of;
  Fleet.prototype.of = function (entry) {
    return right.call(this, entry).filter(({ closing }) => closing === null);
  };
  return () => void (Fleet.prototype.of = right);
});

mutant("takes a submit without an answer for refused", () => {
  const right = Allocations.prototype.submitted;
  Allocations.prototype.submitted = function (name, result, nowMs) {
    const seen = result.type === "unknown" ? { type: "refused", reason: result.reason } as const : result;
    return right.call(this, name, seen, nowMs);
  };
  return () => void (Allocations.prototype.submitted = right);
});

mutant("does not count those that are pending", () => {
  const right = Fleet.prototype.of;
  Fleet.prototype.of = function (entry) {
    return right.call(this, entry).filter(({ state }) => state !== "pending");
  };
  return () => void (Fleet.prototype.of = right);
});

mutant("does not try again what ran in one that was preempted", () => {
  const right = Attempts.prototype.end;
  Attempts.prototype.end = function (one, { isEndOfMachine: _, ...ending }, ...rest) {
    return right.call(this, one, ending, ...rest);
  };
  return () => void (Attempts.prototype.end = right);
});

mutant("does not know when the time of one is over", () => {
  const right = Asked.prototype.learn;
  Asked.prototype.learn = function (...seen) {
    const learned = right.apply(this, seen);
    for (const { one } of learned.started) one.untilMs = Infinity;
    return learned;
  };
  return () => void (Asked.prototype.learn = right);
});

Deno.test("The simulated Slurm finds a door that takes what ran on a lost node for ended", () => {
  assert.match(playMany(8, "hasty").join("\n"), /is started beside/);
});

Deno.test("The simulated Slurm finds a door that takes one allocation for an earlier one of its id", () => {
  assert.notDeepEqual(playMany(8, "forgetful"), []);
});
