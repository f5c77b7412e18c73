/**
 * The scheduler alone on hosts that do not exist: how near it comes to slots that are never empty, and what its
 * decisions cost. 500 hosts with short jobs, beside a run of a tenth of them; and 10,000 with jobs of a minute, in a
 * process of its own, which needs more memory than one gets by itself.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { measureRun } from "../../simulate/measure.ts";

type Request = Parameters<typeof measureRun>[0];
type Measured = Awaited<ReturnType<typeof measureRun>>;

const RUN = { seed: 1, hosts: 500, rttMs: 50, durationMs: 1_000 } as const;
/** Its file has 200 MB: a disk that takes 10 MB in a second is not busy with it for all of the time. */
const LARGE = { seed: 1, hosts: 10_000, rttMs: 50, durationMs: 60_000, writeMsPerByte: 1e-4 } as const;
const HEAP_MB = 16_000;

/** See the module. */
export const simulation: Bench = {
  name: "simulation",
  about:
    "50,000 jobs of 1 s on 500 simulated hosts, 500,000 of 60 s on 10,000, 50 ms there and back, against the ideal",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

function open({ jobs: given }: Setting): Promise<Plan> {
  const jobs = given ?? 50_000;
  const names = ["makespan / ideal", "us for a decision", "us for a decision, a tenth of the jobs"] as const;
  const larges = ["makespan / ideal, 10,000 hosts", "us for a decision, 10,000 hosts"] as const;
  const work = async () => {
    const [small, large] = [await measureRun({ ...RUN, jobs: jobs / 10 }), await measureRun({ ...RUN, jobs })];
    mustHold(large);
    return {
      [names[0]]: large.makespanMs / large.idealMs,
      [names[1]]: each(large),
      [names[2]]: each(small),
    } as Record<typeof names[number], number>;
  };
  const largeWork = async () => {
    const large = await measureApart({ ...LARGE, jobs: jobs * 10 });
    mustHold(large);
    return { [larges[0]]: large.makespanMs / large.idealMs, [larges[1]]: each(large) } as Record<
      typeof larges[number],
      number
    >;
  };
  const text = (count: number) => count.toLocaleString("en-US");
  return Promise.resolve({
    work: `${text(jobs)} jobs of 1 s on ${RUN.hosts} simulated hosts, ${text(jobs * 10)} of 60 s on ${
      text(LARGE.hosts)
    }, ${RUN.rttMs} ms there and back`,
    contenders: [...sharedContenders(names, work), ...sharedContenders(larges, largeWork)],
    questions: [
      { of: names[0], to: null, mark: { atMost: 1.05 } },
      { of: names[1], to: names[2], mark: { atMost: 1.5 } },
      { of: larges[0], to: null, mark: { atMost: 1.05 } },
      { of: larges[1], to: null, mark: { atMost: 40 } },
    ],
  });
}

function each({ coreMs, steps }: Measured): number {
  return coreMs * 1000 / steps;
}

function mustHold({ violation }: Measured): void {
  if (violation !== null) throw new Error(`The simulated run broke a rule: ${violation}`);
}

async function measureApart(request: Request): Promise<Measured> {
  const script = fileURLToPath(new URL("../../simulate/measure.ts", import.meta.url));
  const args = ["run", `--v8-flags=--max-old-space-size=${HEAP_MB}`, "-A", script, JSON.stringify(request)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot measure ${request.hosts} hosts: ${text.decode(stderr).trim().slice(-500)}`);
  return JSON.parse(text.decode(stdout));
}
