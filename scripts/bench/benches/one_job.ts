/**
 * What one job costs whoever waits for it: from the request to its end, over a link that is open and does nothing else.
 * Beside it a line that goes to the host and back through an ssh of its own.
 *
 * @module
 */

import { realDeps } from "../../../src/deps_real.ts";
import { jobScript } from "../../../src/job/script.ts";
import { makeConnect } from "../../../src/link/connect.ts";
import type { LinkEvent } from "../../../src/link/link.ts";
import { jobName } from "../../../src/names/grammar.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { openEcho } from "../echo.ts";
import { openRig, type Rig } from "../rig.ts";
import { spreadOf } from "../statistics.ts";

const MACHINE = { user: "pi", name: "red", address: null };
const SHELLS = ["bash", "sh"] as const;

/** See the module. */
export const oneJob: Bench = {
  name: "one-job",
  about: "one job of `true` at a time, from its request to its end, over an open link, against a round trip",
  measure: "ms",
  rounds: 5,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const times = setting.jobs ?? 100;
  const rig = await openRig(["red"], setting.directory, stack);
  const echo = stack.use(openEcho([...rig.ssh, "-T", "pi@red", "exec cat"]));
  const { start, prepare } = await openLink(rig, stack);
  const work = async (round: number) => {
    const alone = { bash: await aloneOn(rig, "bash", times), sh: await aloneOn(rig, "sh", times) };
    // As a run on one machine does it for the jobs that come next.
    prepare(SHELLS.flatMap((shell) => Array.from({ length: times }, (_, i) => `job-${round}-${i}-${shell}`)));
    const taken = { trip: [] as number[], bash: [] as number[], sh: [] as number[] };
    for (let i = 0; i < times; i++) {
      taken.trip.push(await timed(() => echo.roundTrip()));
      for (const shell of SHELLS) taken[shell].push(await timed(() => start(`job-${round}-${i}-${shell}`, shell)));
    }
    const [trip, bash, sh] = [taken.trip, taken.bash, taken.sh].map((each) => spreadOf(each).median);
    return {
      "round trip": trip!,
      "job, bash": bash!,
      "job, sh": sh!,
      "job, bash, less a round trip": bash! - trip!,
      "job, sh, less a round trip": sh! - trip!,
      "process alone, bash": alone.bash,
      "process alone, sh": alone.sh,
      "above its process, bash": bash! - trip! - alone.bash,
      "above its process, sh": sh! - trip! - alone.sh,
    };
  };
  const names = [
    "round trip",
    "job, bash",
    "job, sh",
    "job, bash, less a round trip",
    "job, sh, less a round trip",
    "process alone, bash",
    "process alone, sh",
    "above its process, bash",
    "above its process, sh",
  ] as const;
  return {
    work: `one job of \`true\`, ${times} times, each median`,
    contenders: sharedContenders(names, work),
    questions: names.slice(7).map((of) => ({ of, to: null, mark: { atMost: 1 } })),
  };
}

/**
 * What the job's process alone takes on the host: a shell there starts it, in a session of its own, one after the
 * other. The mean, ms.
 */
async function aloneOn(rig: Rig, shell: string, times: number): Promise<number> {
  const script = `echo true >alone.sh; a=$(date +%s%N); i=0
    while [ $i -lt ${times} ]; do setsid ${shell} alone.sh </dev/null & wait; i=$((i + 1)); done; echo $(($(date +%s%N) - a))`;
  return Number((await rig.hosts[0]!.run(script)).stdout) / 1e6 / times;
}

/** The link of this bench. */
interface OpenLink {
  /** Starts a job and waits for its end. */
  start(job: string, shell: string): Promise<void>;
  /** Has the directories of jobs made ahead. */
  prepare(jobs: readonly string[]): void;
}

/** What comes of a job that runs well; a round trip is told where answers take long. */
const ON_THE_WAY: ReadonlySet<LinkEvent["type"]> = new Set(["started", "round_trip", "notice"]);

/** Opens a link as a run does. */
async function openLink(rig: Rig, stack: AsyncDisposableStack): Promise<OpenLink> {
  const real = realDeps();
  const get = (name: string) => name === "CMS_SSH" ? rig.ssh.join(" ") : real.environment.get(name);
  const connect = makeConnect({ ...real, environment: { ...real.environment, get } });
  let onEvent: (event: LinkEvent) => void = () => {};
  const options = { directory: "one-job", queueId: real.ids.hex(8), role: "resident" as const };
  const link = await connect(MACHINE, { ...options, onEvent: (event) => onEvent(event) });
  stack.defer(() => link.close());
  const start: OpenLink["start"] = (name, shell) =>
    new Promise((resolve, reject) => {
      onEvent = (event) => {
        if (event.type === "ended") resolve();
        else if (!ON_THE_WAY.has(event.type)) reject(new Error(`Cannot run a job: ${JSON.stringify(event)}`));
      };
      const job = jobName(name);
      const files = { output: `${name}.out`, log: `${name}.log` };
      const script = jobScript({ name, shell, command: "true", pyenv: null, gpu: null });
      link.start([{ job, attempt: `${real.ids.hex(16)}.1`, shell, script, ...files, gpu: null, backlog: null }]);
    });
  return { start, prepare: (jobs) => link.prepare(jobs.map(jobName)) };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
