/**
 * refreshQueue() of starts that were decided and never came to their host, where the link breaks between the two
 * questions; and of jobs that went to one machine by two names.
 */
import assert from "node:assert/strict";
import { LinkError } from "../../src/errors.ts";
import type { AttemptState, Connect, Link } from "../../src/link/link.ts";
import { refreshQueue } from "../../src/operations/refresh_queue.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { jobOf, onFiles, put, set } from "../store/support.ts";

const STATES: Readonly<Record<string, AttemptState>> = {
  never: { type: "none" },
  half: { type: "claimed" },
  runs: { type: "alive", pid: 7, startedAtMs: 0, orphan: false },
};

Deno.test("refreshQueue() leaves starts that it could not call off as they are, and calls them off the next time", () =>
  onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    const at = { user: "pi", host: "red", attempt: 1, boot: "b1", slot: "h" } as const;
    const names = Object.keys(STATES);
    const queue = await openQueue(deps, ref);
    await queue.commit(() => names.map((name) => put(name)));
    await queue.commit(() => names.map((name) => set(name, { status: "run", ...at })));
    let isBroken = true;
    const connect: Connect = (machine) =>
      Promise.resolve(
        {
          machine,
          boot: "b1",
          ask: (attempts) => Promise.resolve(attempts.map(({ job }) => STATES[job]!)),
          forbid: (attempts) =>
            isBroken
              ? Promise.reject(new LinkError(machine.name, "the connection was lost", false))
              : Promise.resolve(attempts.map(() => ({ type: "forbidden" }))),
          close: () => Promise.resolve(),
        } satisfies Partial<Link> as unknown as Link,
      );
    const refreshed = async (): Promise<string[]> => {
      await refreshQueue(deps, { queue: ref }, { warn: () => {} }, connect);
      await queue.sync();
      return names.map((name) => jobOf(queue, name).status);
    };
    assert.deepEqual(await refreshed(), ["run", "run", "start"]);
    isBroken = false;
    assert.deepEqual(await refreshed(), ["ready", "ready", "start"]);
    queue.close();
  }));

Deno.test("refreshQueue() lets a job that failed wait for the try that it has left, as a run does", () =>
  onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    const queue = await openQueue(deps, ref);
    const at = { user: "pi", host: "red", attempt: 1, boot: "b1", slot: "h", status: "start" } as const;
    const over = { startedAtMs: 0, endedAtMs: 1_000 } as const;
    const states: Readonly<Record<string, AttemptState>> = {
      failed: { type: "ended", state: "end", exitCode: 3, ...over },
      well: { type: "ended", state: "end", exitCode: 0, ...over },
      late: { type: "ended", state: "kill", exitCode: 143, limit: "2s", ...over },
      killed: { type: "ended", state: "kill", exitCode: 143, ...over },
      gone: { type: "none" },
    };
    const names = Object.keys(states);
    await queue.commit(() =>
      names.map((name) => put(name, "x", { ...at, retries: 1, retry_on: ["exit", "time_limit", "crash"] }))
    );
    const connect: Connect = (machine) =>
      Promise.resolve(
        {
          machine,
          boot: "b2",
          ask: (attempts) => Promise.resolve(attempts.map(({ job }) => states[job]!)),
          close: () => Promise.resolve(),
        } satisfies Partial<Link> as unknown as Link,
      );
    const { changes } = await refreshQueue(deps, { queue: ref }, { warn: assert.fail }, connect);
    assert.deepEqual(changes.map((change) => `${change.job} ${change.new}`), [
      "failed ready",
      "well end",
      "late ready",
      "killed kill",
      "gone ready",
    ]);
    await queue.sync();
    const past = names.map((name) =>
      jobOf(queue, name).history?.map((one) => `${one.status} ${one.exit_code} ${one.reason}`)
    );
    assert.deepEqual(past, [["end 3 exit code 3"], undefined, ["kill 143 time limit 2s"], undefined, [
      "crash null the host has no trace of it",
    ]]);
    assert.equal(jobOf(queue, "failed").reason, "retry 1 of 1");
    queue.close();
  }));

Deno.test("refreshQueue() asks a machine by each of its names, over one resident link at a time", () =>
  onFiles(async ({ deps, ref }) => {
    await createQueue(deps, ref);
    const queue = await openQueue(deps, ref);
    const hosts = ["red", "red-too", "red-again", "blue"];
    const at = { user: "pi", attempt: 1, boot: "b1", slot: "h", status: "crash" } as const;
    await queue.commit(() => hosts.map((host) => put(host, "x", { ...at, host })));
    const open = new Map<string, number>();
    const connect: Connect = (machine, { admit }) => {
      const place = machine.name.startsWith("red") ? "red" : machine.name;
      if (admit?.(place) === false) {
        return Promise.reject(new LinkError(machine.name, "another link leads to the same machine", true));
      }
      const count = (by: number): void => void open.set(place, (open.get(place) ?? 0) + by);
      assert.equal(open.get(place) ?? 0, 0, "this link ends the agent of the other");
      count(1);
      return Promise.resolve(
        {
          machine,
          boot: "b1",
          ask: (attempts) =>
            Promise.resolve(attempts.map(() => ({
              type: "ended",
              state: "end",
              exitCode: 0,
              startedAtMs: 0,
              endedAtMs: 1_000,
            }))),
          close: () => Promise.resolve(count(-1)),
        } satisfies Partial<Link> as unknown as Link,
      );
    };
    const { unreachable } = await refreshQueue(deps, { queue: ref }, { warn: assert.fail }, connect);
    assert.deepEqual(unreachable, []);
    await queue.sync();
    assert.deepEqual(hosts.map((name) => jobOf(queue, name).status), ["end", "end", "end", "end"]);
    queue.close();
  }));
