/**
 * refreshQueue() of starts that were decided and never came to their host, where the link breaks between the two
 * questions.
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
