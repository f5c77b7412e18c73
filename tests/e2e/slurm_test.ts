/**
 * Queues on a real Slurm: the manager on its login node or elsewhere, two nodes of eight CPUs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Manager, type Running } from "../../testing/harness.ts";
import { waitForState } from "../../testing/harness_faults.ts";
import type { TestHost } from "../../testing/hosts.ts";
import { slurmTest } from "../../testing/need_slurm.ts";
import { CLUSTER, type Ran, ranOf, recorded, slurmManager } from "../../testing/slurm_queue.ts";
import { waitUntil } from "../../testing/wait.ts";

const RUN = ["queue", "run", "fifo_multi", "a", `--hostfile=${CLUSTER}`] as const;
/** Waits until a test lets it go on. */
const GATED = "while [ ! -e ~/go ]; do sleep 0.1; done";
const LIMIT = { limitMs: 90_000 };

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `job${i + 1}`);
}

/** Makes the jobs job1 to jobN of queue `a`. */
async function addJobs(manager: Manager, count: number, work: string, ...words: string[]): Promise<void> {
  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", `--name=job[1-${count}]`, "--command", recorded(work), ...words);
}

function start(manager: Manager, env: Record<string, string> = {}): Running {
  return manager.spawn([`${manager.bin}/cms`, ...RUN], { limitMs: 600_000, env });
}

/** Another queue `a` may be made, and jobs of the same names. */
async function forget(login: TestHost): Promise<void> {
  await login.run("rm -rf ran/* experiment/a-queue* experiment/.a-queue* experiment/job*");
}

async function ends(run: Running): Promise<void> {
  const { code, stdout, stderr } = await run.ended();
  assert.equal(code, 0, stdout + stderr);
}

/** Each job has ended, once, on its last try. */
async function judge(manager: Manager, login: TestHost, count: number): Promise<Map<string, Ran[]>> {
  const all = new Map<string, Ran[]>();
  const listed = await manager.jobs();
  for (const name of names(count)) {
    const ran = await ranOf(login, name);
    all.set(name, ran);
    const { status, exit_code, attempt } = listed.get(name)!;
    // Attempts that were taken back have no trace.
    const last = ran.at(-1)?.attempt;
    assert.deepEqual({ name, status, exit_code, attempt }, { name, status: "end", exit_code: 0, attempt: last });
    assert.equal(ran.filter(({ ended }) => ended).length, 1, JSON.stringify(ran));
  }
  return all;
}

function allocationsOf(ran: Map<string, Ran[]>): Set<string> {
  return new Set([...ran.values()].flat().map(({ job }) => job));
}

/** None of our allocations is left. */
async function noneLeft(login: TestHost): Promise<void> {
  const left = async () => (await login.run("squeue -h --states=PD,CF,R,S -o '%i %j %T'")).stdout;
  await waitUntil(async () => `the end of ${await left()}`, async () => await left() === "", LIMIT);
}

slurmTest("a queue runs on allocations, asked for in one submit, and on hosts over ssh beside them", async (rig) => {
  const { login } = rig;
  await using manager = await slurmManager(login, "max_jobs_allowed: 2, time: 1h, allocations: 3");
  await login.run("echo 'red: {user: pi, name: red, id: red, status: active}' >experiment/lab-cluster.yaml");
  await addJobs(manager, 24, "[ $(hostname) != red ] || while [ ! -e ~/go ]; do sleep 0.1; done; srun true");
  const words = ["queue", "run", "fifo_multi", "a", `--hostfile=lab,${CLUSTER}`];
  const run = manager.spawn([`${manager.bin}/cms`, ...words], { limitMs: 600_000 });
  // All but the one on red.
  await waitUntil(
    () => run.text,
    async () => [...(await manager.jobs()).values()].filter(({ status }) => status === "end").length === 23,
    LIMIT,
  );
  const [[entry], [red]] = await Promise.all(
    [CLUSTER, "lab"].map(async (name) => JSON.parse(await manager.ok("cluster", "status", name, "--output=json"))),
  );
  assert.deepEqual([red.nodes, red.allocations, red.jobs.length], [[], null, 1]);
  assert.ok(entry.allocations.running >= 1, JSON.stringify(entry));
  for (const { machine } of entry.nodes) assert.match(machine, /^pi@n[12]\.[0-9]+\.slurm\.localhost$/);
  await login.run("touch go");
  await ends(run);
  const ran = await judge(manager, login, 24);
  const hosts = [...ran.values()].flat().map(({ host }) => host);
  assert.equal(hosts.filter((host) => host === "red").length, 1);
  const listed = [...(await manager.jobs()).values()].map(({ host }) => host).filter((host) => host !== "red");
  for (const host of listed) assert.match(host ?? "", /^n[12]\.[0-9]+\.slurm\.localhost$/);
  assert.equal(new Set((await rig.slurm.jobs()).map((line) => line.split(" ")[1])).size, 1);
  await noneLeft(login);
});

slurmTest("an allocation of two nodes gives two machines, one for each job an accounting of its own", async (rig) => {
  const { login } = rig;
  await using manager = await slurmManager(login, "max_jobs_allowed: 1, time: 1h, nodes: 2");
  await addJobs(manager, 2, "while [ $(ls ~/ran | wc -l) -lt 2 ]; do sleep 0.1; done");
  await ends(start(manager));
  const both = await judge(manager, login, 2);
  assert.deepEqual([...both.values()].flat().map(({ host }) => host).sort(), ["n1", "n2"]);
  assert.equal(allocationsOf(both).size, 1);
  await noneLeft(login);
  await forget(login);
  await login.run("sed -i 's/nodes: 2/jobs_per_allocation: 1, allocations: 4/' experiment/hpc-cluster.yaml");
  await addJobs(manager, 4, ":");
  await ends(start(manager));
  assert.equal(allocationsOf(await judge(manager, login, 4)).size, 4);
  await noneLeft(login);
});

/** Entries of a cluster file beside `gpu`. */
async function addEntry(login: TestHost, id: string, fields: string): Promise<void> {
  const entry = `${id}: {user: pi, name: localhost, id: ${id}, status: active, kind: slurm, time: 1h, ${fields}}`;
  await login.run(`echo '${entry}' >>experiment/${CLUSTER}-cluster.yaml`);
}

/** For so long slurmctld is away, s. */
const AWAY_S = Number(Deno.env.get("CMS_AWAY") ?? 1);

slurmTest("allocations that end, nodes that are lost and links that break cost no job", async (rig) => {
  const { login, slurm } = rig;
  await using manager = await slurmManager(login, "max_jobs_allowed: 2, time: 1h, allocations: 3, extra: -w n2");
  await addEntry(login, "low", "max_jobs_allowed: 2, partition: low, cpus: 8, extra: -w n1");
  // Accounting, where a site has it, knows who has cancelled a job.
  await login.run("mkdir tools; printf '#!/bin/sh\\necho CANCELLED by $(id -u)\\n' >tools/sacct; chmod +x tools/sacct");
  const again = ["--retries=20", "--retry-delay=1s", "--retry-on=lost"];
  await addJobs(manager, 12, GATED, ...again);
  const run = start(manager, { PATH: `/home/pi/tools:${manager.env.PATH}` });
  // On allocations that have not ended, for all that the run says.
  const running = async (count: number) =>
    await waitUntil(
      async () => `${count} that run: ${await manager.states()}; ${run.text.slice(-3000)}`,
      async () => {
        const gone = [...run.text.matchAll(/allocation ended: (\d+):/g)].map(([, id]) => id);
        const live = [...(await manager.jobs()).values()].filter(({ status, host }) =>
          status === "start" && !gone.includes(host?.split(".")[1])
        );
        return live.length === count ? live : null;
      },
      LIMIT,
    );
  const first = (await running(8))!;
  const started = (entry: string) =>
    [...run.text.matchAll(new RegExp(`Slurm, ${entry}: allocation started: (\\d+) on`, "g"))].map(([, id]) => id!);
  const taskOf = async (id: string) =>
    (await slurm.ok(`squeue -h -r -O 'JobID: ,ArrayJobID:_,ArrayTaskID:' | sed -n 's/^${id} //p'`)).trim();
  const jobsIn = (id: string) => first.filter(({ host }) => host?.split(".")[1] === id);
  const [late = "", cancelled = "", left = ""] = started("gpu");
  const [low = ""] = started("low");
  // One whose time is over, which Slurm notices within half a minute.
  await slurm.admin(`scontrol update jobid=${await taskOf(late)} endtime=now`);
  // A link.
  await login.run(`kill -9 $(pgrep -f "srun .*--jobid=${left} " | head -1)`);
  await run.waitFor("responds again", LIMIT.limitMs);
  // One that hears that its end is near, as Slurm says a minute before.
  await slurm.ok(`scancel --batch --signal=USR1 ${await taskOf(left)}`);
  await run.waitFor(`allocation takes no more jobs: ${left} on n2`, LIMIT.limitMs);
  // One that a person cancels; as it may, Slurm ends one of its jobs first.
  await slurm.onNode("n2", `kill -TERM ${jobsIn(cancelled)[0]!.pid}`);
  await slurm.ok(`scancel ${await taskOf(cancelled)}`);
  // One that gives way to a job of a better partition.
  const better = await slurm.ok("sbatch --parsable -w n1 --exclusive -o /dev/null --wrap 'exec sleep 1000'");
  await run.waitFor(`allocation ended: ${low}: PREEMPTED`, LIMIT.limitMs);
  await slurm.ok(`scancel ${better}`);
  await run.waitFor(`allocation ended: ${late}: TIMEOUT`, LIMIT.limitMs);
  await running(8);
  // What ran there, and why it ended, on its first try.
  const listed = await manager.jobs();
  for (const [id, reason] of [[late, "TIMEOUT"], [cancelled, "CANCELLED by pi"], [low, "PREEMPTED"]] as const) {
    for (const { name } of jobsIn(id)) {
      const [past] = listed.get(name)!["history"] as { status: string; reason: string }[];
      assert.deepEqual([name, past?.status, past?.reason], [name, "crash", `its allocation ended: ${reason}`]);
    }
  }
  // A node.
  await slurm.admin("scontrol update nodename=n1 state=down reason=test");
  await run.waitFor(/allocation ended: .*: NODE_FAIL/, LIMIT.limitMs);
  await login.run("scontrol update nodename=n1 state=resume", { user: "root" });
  await running(8);
  // One that loses power and is booted before Slurm notices.
  const unlucky = [...(await manager.jobs()).values()].filter(({ status, host }) =>
    status === "start" && host?.startsWith("n1.")
  );
  assert.equal(unlucky.length, 2);
  await slurm.crashNode("n1");
  await slurm.bootNode("n1");
  await waitUntil(() => `what ran there: ${run.text.slice(-3000)}`, async () => {
    const now = await manager.jobs();
    return unlucky.every(({ name }) =>
      (now.get(name)!["history"] as { reason: string }[]).at(-1)!.reason === "its allocation ended: NODE_FAIL"
    );
  }, LIMIT);
  await running(8);
  // Slurm itself: what runs goes on, and its end is no sign of anything.
  await slurm.crashControl();
  const backMs = performance.now() + 1_000 * AWAY_S;
  await login.run("touch go");
  await waitUntil(
    () => run.text,
    async () => {
      const ended = [...(await manager.jobs()).values()].filter(({ status }) => status === "end").length;
      return ended >= 8 && performance.now() >= backMs;
    },
    { limitMs: LIMIT.limitMs + 1_000 * AWAY_S },
  );
  await slurm.startControl();
  await ends(run);
  await judge(manager, login, 12);
  await noneLeft(login);
});

slurmTest(
  "a queue waits while all nodes are taken, and asks for nothing that no allocation has",
  async (rig) => {
    const { login, slurm } = rig;
    await using manager = await slurmManager(login, "max_jobs_allowed: 1, cpus: 8, time: 1h, allocations: 2");
    const taken = (await slurm.ok("sbatch --parsable -N2 --exclusive -o /dev/null --wrap 'exec sleep 1000'")).trim();
    await addJobs(manager, 1, ":");
    await manager.ok("queue", "add", "a", "--name=large", "--command=true", "--cpus=9");
    const run = start(manager);
    await run.waitFor("asked for 1 allocation", LIMIT.limitMs);
    const pending = () => slurm.ok("squeue -h -r --states=PD --user=pi -O 'Reason:'");
    await waitUntil("one that waits", async () => /^(Resources|Priority)\s*$/.test(await pending()), LIMIT);
    await waitUntil("why the large one waits", async () => {
      const text = await manager.ok("queue", "explain", "a", "large");
      return text.includes("  gpu: needs 9 CPUs, an allocation has 8; 0 allocations run, 1 pending (");
    }, LIMIT);
    const stray = (await slurm.ok("sbatch --parsable -J cms-gone-1 --hold -o /dev/null --wrap true")).trim();
    const check = await manager.ok("cluster", "check", CLUSTER);
    assert.match(check, /^gpu: ok \(.*slurm-wlm.*; allocations [0-9]+_0 belong to queue a; /);
    assert.match(check, new RegExp(`allocations ${stray}_0 belong to no queue here; to end them: scancel ${stray}_0`));
    assert.match(check, /not known whether nodes share .*: the job that looks waits \(/);
    await slurm.ok(`scancel ${stray}`);
    const before = (await slurm.jobs()).length;
    await slurm.ok(`scancel ${taken}`);
    await waitForState(manager, "job1", "end", LIMIT.limitMs);
    await manager.cms("queue", "stop", "a", "--kill");
    await run.ended();
    await noneLeft(login);
    assert.match((await manager.jobs()).get("large")!.status, /^(undefined|ready)$/);
    assert.equal((await slurm.jobs()).length, before);
  },
);

slurmTest("where steps are forbidden ssh leads to the nodes, but not out of the allocation", async (rig) => {
  const { login, slurm } = rig;
  await using manager = await slurmManager(login, "max_jobs_allowed: 2, time: 1h, link: ssh, extra: -w n1");
  // What pam_slurm_adopt does for a session: it belongs to the job of its user there.
  await login.run(
    `mkdir tools && cat >tools/adopt <<'X' && chmod +x tools/adopt
#!/bin/sh
[ -e ~/astray ] || export SLURM_JOB_ID=$(squeue -h -w n1 -u pi -t R -O JobID: | head -n 1)
exec sh -c "$SSH_ORIGINAL_COMMAND"
X
     printf '#!/bin/sh\\nexit 1\\n' >tools/srun; chmod +x tools/srun; touch astray
     grep -q 'Host n1' .ssh/config || printf 'Host n1\\n  HostName 127.0.0.1\\n  Port 2201\\n' >>.ssh/config`,
  );
  const daemon = "$(command -v sshd) -f /run/sshd/sshd_config -o Port=2201 -o PidFile=/run/sshd.n1.pid";
  await slurm.onNode("n1", `${daemon} -o ForceCommand=/home/pi/tools/adopt`, { user: "root" });
  await addJobs(manager, 6, "sleep 0.2");
  const path = `/home/pi/tools:${manager.env.PATH}`;
  const run = start(manager, { PATH: path });
  await run.waitFor(
    /No link to pi@n1\.[0-9]+\.slurm-ssh\.localhost: ssh n1 leads outside of job [0-9]+/,
    LIMIT.limitMs,
  );
  await login.run("rm astray");
  await manager.cms("queue", "stop", "a");
  await run.ended();
  await noneLeft(login);
  await ends(start(manager, { PATH: path }));
  const ran = await judge(manager, login, 6);
  assert.deepEqual([...new Set([...ran.values()].flat().map(({ host }) => host))], ["n1"]);
  for (const { host } of (await manager.jobs()).values()) {
    assert.match(host ?? "", /^n1\.[0-9]+\.slurm-ssh\.localhost$/);
  }
  await noneLeft(login);
  await slurm.onNode("n1", "kill $(cat /run/sshd.n1.pid)", { user: "root" });
});

/** At which moments of a submit the manager is killed. */
const MOMENTS = Number(Deno.env.get("CMS_MOMENTS") ?? 4);

slurmTest("a manager that is killed while it submits finds its allocation: none lost, none doubled", async (rig) => {
  const { login, slurm } = rig;
  await using manager = await slurmManager(login, "max_jobs_allowed: 1, time: 1h, allocations: 1");
  // An sbatch that kills the manager: before it submits, when it has, or when it has said so.
  await login.run(`mkdir -p tools && cat >tools/sbatch <<'X' && chmod +x tools/sbatch
#!/bin/sh
kill_manager() { kill -9 "$(cat ~/manager.pid)"; }
moment=$(cat ~/moment); : >~/moment
case $moment in
early) kill_manager; exec /usr/bin/sbatch "$@" ;;
late) said=$(/usr/bin/sbatch "$@"); kill_manager; echo "$said" ;;
told) /usr/bin/sbatch "$@"; kill_manager ;;
soon) (sleep 0.3; kill_manager) >/dev/null 2>&1 & exec /usr/bin/sbatch "$@" ;;
*) exec /usr/bin/sbatch "$@" ;;
esac
X`);
  const path = `/home/pi/tools:${manager.env.PATH}`;
  const line = `echo $$ >~/manager.pid; exec ~/.bin/cms ${RUN.join(" ")}`;
  for (let round = 0; round < MOMENTS; round++) {
    await login.run(`echo ${["early", "late", "told", "soon"][round % 4]} >moment`);
    await addJobs(manager, 2, ":");
    const before = (await slurm.jobs()).length;
    const first = manager.spawn(["sh", "-c", line], { env: { PATH: path } });
    await first.gone;
    await ends(manager.spawn(["sh", "-c", line], { env: { PATH: path } }));
    await judge(manager, login, 2);
    await noneLeft(login);
    assert.equal((await slurm.jobs()).length, before + 1, first.text);
    await forget(login);
  }
});
