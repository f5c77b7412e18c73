import assert from "node:assert/strict";
import { JOB_STATES } from "../../src/job/states.ts";
import type { AttemptState } from "../../src/link/link.ts";
import { disagreement, leftRunning } from "../../src/operations/disagreement.ts";
import { newJob } from "../store/support.ts";

const QUEUE = { experiment: "runs/one", directory: "/home/runs/one", name: "a" };
const JOB = newJob("j", "true", { host: "red", user: "pi", attempt: 2, boot: "b1" });
const END = { exitCode: 0, startedAtMs: 0, endedAtMs: 1 };
const STATES: Readonly<Record<string, AttemptState>> = {
  none: { type: "none" },
  claimed: { type: "claimed" },
  forbidden: { type: "forbidden" },
  alive: { type: "alive", pid: 7, startedAtMs: 0, orphan: false },
  end: { type: "ended", state: "end", ...END },
  kill: { type: "ended", state: "kill", ...END },
  crash: { type: "crashed", exitCode: null },
  other: { type: "other", attempt: "ff.1", alive: false },
  later: { type: "other", attempt: `${JOB.id}.3`, alive: false },
  away: { type: "away", machine: "red2+0a1b2c3d" },
  "other alive": { type: "other", attempt: "ff.1", alive: true },
};

function judge(status: typeof JOB_STATES[number], state: string, more: { isRun?: boolean; boot?: string } = {}) {
  const about = { queue: QUEUE, machine: "pi@red", boot: "b1", isRun: false, ...more };
  return disagreement({ ...JOB, status }, STATES[state]!, about);
}

/** Which of the host's words are trouble for a job in this state; notes are in brackets. */
const TROUBLE: Readonly<Record<typeof JOB_STATES[number], string>> = {
  undefined: "alive, (end), (kill), (crash), later, away, other alive",
  ready: "alive, (end), (kill), (crash), later, away, other alive",
  run: "none, claimed, forbidden, end, kill, crash, other, later, away, other alive",
  start: "none, claimed, forbidden, end, kill, crash, other, later, away, other alive",
  end: "alive, kill, crash, away, other alive",
  kill: "alive, end, crash, away, other alive",
  fail_start: "alive, end, kill, crash, away, other alive",
  crash: "alive, end, kill, away, other alive",
};

for (const status of JOB_STATES) {
  Deno.test(`disagreement() of a job that is ${status}, with all that a host can say`, () => {
    const found = Object.keys(STATES).flatMap((state) => {
      const one = judge(status, state);
      if (one === null) return [];
      assert.deepEqual([one.job, one.where], ["j", "pi@red"]);
      assert.match(one.finding, new RegExp(`^is ${status}\\b`));
      assert.notEqual(one.action, "");
      return [one.kind === "note" ? `(${state})` : state];
    });
    assert.equal(found.join(", "), TROUBLE[status]);
  });
}

Deno.test("disagreement() of a job on another machine than its name leads to says so, and never that it is gone", () => {
  const away = judge("start", "away");
  assert.equal(away?.finding, "is start, on red2 for all that is known, and that is not where pi@red leads to now");
  assert.equal(away?.action, "cms queue check a --experiment=runs/one on red2, or when the name leads there again");
  const about = { queue: QUEUE, machine: "localhost", boot: "node2/x", isRun: false };
  const local = disagreement({ ...JOB, status: "start", boot: "node1/y" }, STATES["none"]!, about);
  assert.equal(local?.finding, "is start, on node1 for all that is known, and that is not this machine");
  const booted = disagreement({ ...JOB, status: "start", boot: "node2/y" }, STATES["none"]!, about);
  assert.match(booted?.action ?? "", /makes it crash/);
});

Deno.test("disagreement() gives the command that settles it", () => {
  const experiment = "--experiment=runs/one";
  assert.equal(judge("start", "end")?.finding, "is start, but ended with exit code 0 there");
  assert.equal(judge("start", "end")?.action, `cms queue refresh a ${experiment}`);
  assert.equal(judge("end", "alive")?.action, `cms queue reset a --name=j ${experiment} ends it`);
  assert.equal(judge("crash", "alive")?.action, `cms queue refresh a ${experiment} takes it back`);
  assert.match(judge("run", "none")?.action ?? "", /lets it wait again$/);
  assert.match(judge("run", "none", { boot: "b2" })?.action ?? "", /makes it crash/);
});

Deno.test("disagreement() while a run goes on leaves starts that are on the way alone, and the rest to the run", () => {
  assert.equal(judge("run", "none", { isRun: true }), null);
  assert.equal(judge("run", "claimed", { isRun: true }), null);
  assert.match(judge("start", "none", { isRun: true })?.finding ?? "", /no trace/);
  assert.match(judge("start", "end", { isRun: true })?.action ?? "", /^nothing: the run takes it in/);
});

Deno.test("leftRunning() names what carries a mark and is no live attempt's own: trouble beside a next start, else a note", () => {
  const about = { queue: QUEUE, machine: "pi@red", boot: "b1", isRun: false };
  const marks = [1, 2, 2].map((number, i) => ({ pid: 70 + i, attempt: `${JOB.id}.${number}` as const, owner: "q/j" }));
  const left = (status: typeof JOB_STATES[number], state: string) => {
    const found = leftRunning({ ...JOB, status }, { state: STATES[state]!, marks }, about);
    return found === null ? null : [found.kind, found.finding];
  };
  assert.deepEqual(left("end", "end"), ["note", "has left processes 70, 71, 72 running"]);
  assert.deepEqual(left("ready", "end"), ["trouble", "has left processes 70, 71, 72 running"]);
  assert.deepEqual(left("start", "alive"), ["trouble", "has left process 70 running"]);
  assert.deepEqual(left("start", "claimed"), ["trouble", "has left process 70 running"]);
  assert.equal(leftRunning(JOB, { state: STATES["end"]!, marks: [] }, about), null);
});
