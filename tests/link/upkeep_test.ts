/** keepLooking() beside a host that is made up: what it tells of jobs of which nobody else will. */
import assert from "node:assert/strict";
import type { Clock } from "../../src/deps.ts";
import { UnreportedEnds } from "../../src/link/unreported_ends.ts";
import type { AttemptState, Link, LinkEvent } from "../../src/link/link.ts";
import { keepLooking, LINK_TIMES } from "../../src/link/upkeep.ts";
import { attempt } from "../agent/support.ts";

/** When the host reports that the job runs: before it is asked, while its answer is under way, or after that. */
type Begun = "before" | "meanwhile" | "after" | "never";

/**
 * Sends `job`, and looks once. `asked`: what the host says of it when it is asked.
 * @returns What was told then, and whether the attempt was forbidden.
 */
async function lookOnce(asked: AttemptState, begun: Begun): Promise<{ told: string[]; isForbidden: boolean }> {
  const told: LinkEvent[] = [];
  const ends = new UnreportedEnds((event) => told.push(event));
  const ref = attempt("job");
  ends.sent(ref, 0);
  if (begun === "before") ends.alive(ref);
  const stop = new AbortController();
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    epochMs: () => nowMs,
    sleepUntil(atMs) {
      if (atMs - nowMs < LINK_TIMES.lookMs) {
        if (begun === "after") ends.alive(ref);
      } else if (nowMs > 0) stop.abort();
      nowMs = atMs;
      return Promise.resolve();
    },
  };
  let isForbidden = false;
  const link: Partial<Link> = {
    ask(attempts) {
      if (begun === "meanwhile") ends.alive(ref);
      return Promise.resolve(attempts.map(() => asked));
    },
    forbid(attempts) {
      isForbidden = true;
      return Promise.resolve(attempts.map(() => ({ type: "forbidden" })));
    },
  };
  await keepLooking({ clock, times: LINK_TIMES, signal: stop.signal }, link as Link, ends);
  assert.ok(ends.since(Infinity).length === (told.length === 0 ? 1 : 0), "told and followed, or neither");
  return { told: told.map((event) => event.type === "ended" ? `ended ${event.state}` : event.type), isForbidden };
}

Deno.test("keepLooking() tells of a start that got lost on its host, once it is made sure that it never happens", async () => {
  assert.deepEqual(await lookOnce({ type: "none" }, "never"), { told: ["refused"], isForbidden: true });
});

Deno.test("keepLooking() tells of a start that was refused by a wrapper that was ended before it said so", async () => {
  assert.deepEqual(await lookOnce({ type: "forbidden" }, "never"), { told: ["refused"], isForbidden: true });
  assert.deepEqual(await lookOnce({ type: "forbidden" }, "before"), { told: [], isForbidden: false });
});

Deno.test("keepLooking() tells of a start that was ended while it made its claim", async () => {
  assert.deepEqual(await lookOnce({ type: "claimed" }, "never"), { told: ["refused"], isForbidden: true });
});

Deno.test("keepLooking() tells that a job crashed that ran and has left no trace, and forbids nothing", async () => {
  assert.deepEqual(await lookOnce({ type: "none" }, "before"), { told: ["ended crash"], isForbidden: false });
});

Deno.test("keepLooking() tells nothing of a job that runs", async () => {
  const alive = { type: "alive", pid: 7, startedAtMs: null, orphan: false } as const;
  assert.deepEqual(await lookOnce(alive, "before"), { told: [], isForbidden: false });
});

Deno.test("keepLooking() takes no answer for the last word that is older than the report of a start", async () => {
  assert.deepEqual(await lookOnce({ type: "none" }, "meanwhile"), { told: [], isForbidden: false });
});

Deno.test("keepLooking() gives the host a while to begin what it had no trace of", async () => {
  assert.deepEqual(await lookOnce({ type: "none" }, "after"), { told: [], isForbidden: false });
});
