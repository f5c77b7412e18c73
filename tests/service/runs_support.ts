/**
 * A service that can start runs in the background; what still runs at the end is stopped.
 *
 * @module
 */

import { SELF } from "../../testing/run_place.ts";
import { type TestService, withService } from "../../testing/service/service.ts";
import { waitUntil } from "../../testing/wait.ts";

/** As `withService`, with the queue `a` and a cluster `c` of two slots on localhost. `self` starts the program. */
export async function withRuns(
  use: (t: TestService) => Promise<void>,
  self: readonly string[] = SELF,
): Promise<void> {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /cluster/?name=c");
    await t.text("POST /cluster/c?id=h[1-2]&name=localhost&user=me");
    try {
      await use(t);
    } finally {
      await (await t.ask("PUT /queue/a/stop")).body?.cancel();
    }
  }, ({ deps }) => ({ deps: { ...deps, environment: { ...deps.environment, self } } }));
}

/** Adds jobs to queue `a`. */
export async function addJobs(t: TestService, name: string, command: string): Promise<void> {
  const words = new URLSearchParams({ name, command, user: "me", host: "localhost" });
  await t.text(`POST /queue/a?${words}`);
}

/** Waits until the jobs of queue `a` are in these states. */
export async function reach(t: TestService, ...states: string[]): Promise<void> {
  const now = async () =>
    Object.values(await t.json("GET /queue/a") as Record<string, { name: string; status: string }>)
      .map(({ name, status }) => `${name} ${status}`);
  await waitUntil(async () => `${states}; now ${await now()}`, async () => `${await now()}` === `${states}`, {
    limitMs: 30_000,
  });
}
