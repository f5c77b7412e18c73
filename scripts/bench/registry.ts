/**
 * The benches there are.
 *
 * @module
 */

import type { Bench } from "./bench.ts";
import { calls } from "./benches/calls.ts";
import { dashboard } from "./benches/dashboard.ts";
import { dispatch } from "./benches/dispatch.ts";
import { farHost } from "./benches/far_host.ts";
import { follow } from "./benches/follow.ts";
import { files } from "./benches/files.ts";
import { largeRun } from "./benches/large_run.ts";
import { latencyOf12 } from "./benches/latency_of_12.ts";
import { links } from "./benches/links.ts";
import { local } from "./benches/local.ts";
import { million } from "./benches/million.ts";
import { nextStart } from "./benches/next_start.ts";
import { looks } from "./benches/looks.ts";
import { oneJob } from "./benches/one_job.ts";
import { orders } from "./benches/orders.ts";
import { plan } from "./benches/plan.ts";
import { readers } from "./benches/readers.ts";
import { service } from "./benches/service.ts";
import { simulation } from "./benches/simulation.ts";
import { slurm } from "./benches/slurm.ts";
import { sleep } from "./benches/sleep.ts";
import { start } from "./benches/start.ts";
import { store } from "./benches/store.ts";
import { sweeps } from "./benches/sweeps.ts";
import { threeHosts } from "./benches/three_hosts.ts";
import { waiter } from "./benches/waiter.ts";

/** All of them, in the order in which they run when none is named. */
export const BENCHES: readonly Bench[] = [
  dispatch,
  threeHosts,
  sleep,
  oneJob,
  calls,
  farHost,
  nextStart,
  local,
  latencyOf12,
  start,
  store,
  looks,
  follow,
  plan,
  sweeps,
  files,
  links,
  slurm,
  simulation,
  orders,
  service,
  readers,
  waiter,
  dashboard,
  largeRun,
  million,
];

/**
 * Those of these names; all if there are none.
 * @throws {RangeError} If there is no bench of a name; the message is one line.
 */
export function benchesOf(names: readonly string[]): readonly Bench[] {
  if (names.length === 0) return BENCHES;
  return names.map((name) => {
    const found = BENCHES.find((bench) => bench.name === name);
    if (found) return found;
    throw new RangeError(`There is no bench "${name}"; there are ${BENCHES.map((bench) => bench.name).join(", ")}`);
  });
}
