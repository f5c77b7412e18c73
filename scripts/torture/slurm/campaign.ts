/**
 * Torture of queues on a real Slurm: rounds, each with a fresh queue, while allocations are cancelled, nodes are lost,
 * and links, managers and slurmctld are killed. Then quiet, and a look at what the jobs themselves have written down.
 *
 * @module
 */

import { makeHosts, type TestHost } from "../../../testing/hosts.ts";
import { startSlurm, whyNoSlurm } from "../../../testing/slurm.ts";
import { CLUSTER, ranOf, recorded, slurmManager } from "../../../testing/slurm_queue.ts";
import { waitUntil } from "../../../testing/wait.ts";
import { pass } from "../faults/fault.ts";
import { Random } from "../random.ts";
import { DEEDS, type SlurmWorld } from "./deeds.ts";
import { RunKeeper } from "./run_keeper.ts";

/** Each job takes up to so long. */
const LONGEST_MS = 3_000;
const QUIET_LIMIT_MS = 300_000;
const MEAN_MS = 2_500;

/** What came of it. */
export interface SlurmResult {
  rounds: number;
  /** Starts that jobs wrote down. */
  starts: number;
  /** Attempts that wrote down their end and were ended before that could be told: their jobs were tried again. */
  endedUnseen: number;
  readonly deeds: Map<string, number>;
  readonly findings: string[];
}

type Options = { readonly seed: number; readonly minutes: number; readonly jobs: number };
type Place = Omit<SlurmWorld, "run"> & { readonly manager: Awaited<ReturnType<typeof slurmManager>> };

/** Carries it out. @throws {Error} If there can be no Slurm here. */
export async function tortureSlurm(
  { seed, minutes, jobs }: Options,
  { say, stop }: { say: (line: string) => void; stop: AbortSignal },
): Promise<SlurmResult> {
  const reason = await whyNoSlurm();
  if (reason !== null) throw new Error(`Cannot torture: ${reason}`);
  await using hosts = await makeHosts(["login"], { sharedHome: true });
  const login = hosts.host("login");
  const slurm = await startSlurm(login);
  await using manager = await slurmManager(login, "max_jobs_allowed: 2, time: 1h, allocations: 5");
  const random = new Random(seed);
  const result: SlurmResult = { rounds: 0, starts: 0, endedUnseen: 0, deeds: new Map(), findings: [] };
  const endMs = performance.now() + minutes * 60_000;
  while (performance.now() < endMs && !stop.aborted) {
    result.rounds++;
    const place = { login, slurm, manager, random: random.fork() };
    await playRound(place, { number: result.rounds, jobs, endMs, say, stop, result });
  }
  return result;
}

interface RoundOptions {
  readonly number: number;
  readonly jobs: number;
  readonly endMs: number;
  readonly say: (line: string) => void;
  readonly stop: AbortSignal;
  readonly result: SlurmResult;
}

async function playRound(place: Place, { number, jobs, endMs, say, stop, result }: RoundOptions): Promise<void> {
  const { manager, random, login } = place;
  const queue = `q${number}`;
  const names = Array.from({ length: jobs }, (_, i) => `${queue}.${i + 1}`);
  await manager.ok("queue", "create", queue);
  const again = ["--retries=100", "--retry-delay=1s", "--retry-on=lost,crash"];
  const words = ["queue", "add", queue, `--name=${queue}.[1-${jobs}]`, ...again];
  await manager.ok(...words, "--command", recorded(`sleep $(( $$ % ${LONGEST_MS / 1000} )).3`));
  const run = new RunKeeper(manager, ["queue", "run", "fifo_multi", queue, `--hostfile=${CLUSTER}`, "--timeout=1"]);
  say(`round ${number}: ${jobs} jobs`);
  let isOver = false;
  const kept = run.toTheEnd(() => isOver || stop.aborted).finally(() => isOver = true);
  while (!isOver && performance.now() < endMs && !stop.aborted) {
    await pass(random.between(MEAN_MS / 4, MEAN_MS * 1.75));
    if (isOver) break;
    const deed = random.weighted(DEEDS);
    say(deed.name);
    result.deeds.set(deed.name, (result.deeds.get(deed.name) ?? 0) + 1);
    await deed.act({ ...place, run }).catch((error) =>
      result.findings.push(`${deed.name}: ${(error as Error).message}`)
    );
  }
  say("quiet");
  await waitUntil("the end of the queue", () => isOver || stop.aborted, { limitMs: QUIET_LIMIT_MS }).catch(() => {
    result.findings.push(`${queue} does not come to an end: ${run.text.slice(-1500)}`);
  });
  isOver = true;
  if (stop.aborted || result.findings.length > 0) await run.kill9();
  await kept;
  if (stop.aborted) return;
  result.findings.push(...run.complaints);
  const listed = await manager.jobs(queue);
  for (const name of names) {
    const one = listed.get(name) ?? { status: "missing", exit_code: null, attempt: 0, reason: null };
    const { status, exit_code, attempt } = one;
    try {
      const ran = await ranOf(login, name);
      const last = ran.at(-1);
      result.starts += ran.length;
      result.endedUnseen += ran.slice(0, -1).filter(({ ended }) => ended).length;
      const isTrue = status === "end" && exit_code === 0 && last?.attempt === attempt && last.ended;
      if (!isTrue) {
        result.findings.push(
          `${name} is ${status} ${exit_code} (${one.reason}), attempt ${attempt}; ${JSON.stringify(ran)}`,
        );
      }
    } catch (error) {
      result.findings.push((error as Error).message);
    }
  }
  await nothingLeft(place, result);
  say(`judged: ${run.count} runs, ${result.findings.length} findings`);
}

/** No allocation, and no process of a job, is left. */
async function nothingLeft({ login, slurm }: Place, { findings }: SlurmResult): Promise<void> {
  const held = async () => (await login.run("squeue -h --states=PD,CF,R,S,CG -o '%i %j %T'")).stdout;
  await waitUntil("the end of all allocations", async () => await held() === "", { limitMs: 60_000 })
    .catch(async () => {
      const forgotten = await forgottenCancels(login);
      const left = (await held()).split("\n").filter(Boolean);
      const ours = left.filter((line) => !forgotten.has(line.split(" ")[0]!));
      if (ours.length > 0) findings.push(`allocations are left: ${ours.join("; ")}`);
      await login.run(`scancel ${left.map((line) => line.split(" ")[0]).join(" ")}`);
    });
  for (const node of slurm.nodes) {
    const left = async () => await slurm.onNode(node, "grep -ls CLOUDMESH_MARK= /proc/[0-9]*/environ; :");
    await waitUntil(`the end of all jobs on ${node}`, async () => await left() === "", { limitMs: 30_000 })
      .catch(async () => void findings.push(`processes of jobs are left on ${node}: ${await left()}`));
  }
}

/**
 * Allocations that slurmctld was told to cancel, and said that it would, before it was killed. It saves its state every
 * few seconds: what it did since then it has forgotten, and shows them as running again.
 */
async function forgottenCancels(login: TestHost): Promise<Set<string>> {
  const { stdout } = await login.run("cat /run/slurm/slurmctld.log", { user: "root" });
  const lines = stdout.split("\n");
  const before = lines.slice(0, lines.findLastIndex((line) => line.includes(" started on cluster ")));
  return new Set(before.flatMap((line) => /REQUEST_KILL_JOB JobId=([0-9_]+)/.exec(line)?.[1] ?? []));
}

/** The tables. */
export function renderSlurm({ rounds, starts, endedUnseen, deeds, findings }: SlurmResult): string {
  const rows = [...deeds].sort().map(([name, count]) => `| ${name} | ${count} |`);
  return [
    ...["| done | times |", "| --- | --- |", ...rows, ""],
    `${rounds} rounds, ${starts} starts of jobs, ${endedUnseen} ended unseen and tried again, ${findings.length} findings`,
    ...findings.map((text) => `BROKEN: ${text}`),
  ].join("\n");
}
