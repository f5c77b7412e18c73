/**
 * The scheduler alone on 500 hosts that do not exist: how near it comes to slots that are never empty, and what its
 * decisions cost, in a run of a tenth of the jobs beside it.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { measureRun } from "../../simulate/measure.ts";

const RUN = { seed: 1, hosts: 500, rttMs: 50, durationMs: 1_000 } as const;

/** See the module. */
export const simulation: Bench = {
  name: "simulation",
  about: "50,000 jobs of 1 s on 500 simulated hosts behind lines of 50 ms there and back, against the ideal",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

function open({ jobs: given }: Setting): Promise<Plan> {
  const jobs = given ?? 50_000;
  const names = ["makespan / ideal", "us for a decision", "us for a decision, a tenth of the jobs"] as const;
  const work = async () => {
    const [small, large] = [await measureRun({ ...RUN, jobs: jobs / 10 }), await measureRun({ ...RUN, jobs })];
    if (large.violation !== null) throw new Error(`The simulated run broke a rule: ${large.violation}`);
    const each = ({ coreMs, steps }: typeof large): number => coreMs * 1000 / steps;
    return {
      [names[0]]: large.makespanMs / large.idealMs,
      [names[1]]: each(large),
      [names[2]]: each(small),
    } as Record<typeof names[number], number>;
  };
  return Promise.resolve({
    work: `${jobs.toLocaleString("en-US")} jobs of 1 s on ${RUN.hosts} simulated hosts, ${RUN.rttMs} ms there and back`,
    contenders: sharedContenders(names, work),
    questions: [
      { of: names[0], to: null, mark: { atMost: 1.05 } },
      { of: names[1], to: names[2], mark: { atMost: 1.5 } },
    ],
  });
}
