/**
 * What runs in an allocation, on a real Slurm: the starter, and links to it by the door and the relay.
 */

import assert from "node:assert/strict";
import { starterScript } from "../../src/slurm/starter.ts";
import { FAR_END, lineOf } from "../../src/link/stage.ts";
import { type Outcome, outcomeOf } from "../../testing/hosts/shell.ts";
import { slurmTest } from "../../testing/need_slurm.ts";
import type { SlurmRig } from "../../testing/slurm.ts";
import { waitUntil } from "../../testing/wait.ts";

const text = (name: string) => Deno.readTextFileSync(new URL(`../../src/link/slurm/${name}`, import.meta.url));
const DOOR = lineOf(text("door.sh"));
const RELAY = lineOf(text("relay.sh"));
/** One that looks and ends more often than those of users. */
const STARTER = starterScript("experiment").replace("c_grace=8", "c_grace=1").replace("sleep 5", "sleep 1");
/** A job that says when it began, does with TERM as it is told, and is found by its marks as those of the agent are. */
const JOB =
  `job() { CLOUDMESH_MARK="$1 x" setsid sh -c "$2 echo \\$\\$ >~/$1.pid; while :; do sleep 0.1; done" >/dev/null 2>&1 &
  while [ ! -s ~/$1.pid ]; do sleep 0.01; done; }\n`;

/** Allocations of a rig. */
class Allocations {
  readonly rig: SlurmRig;

  constructor(rig: SlurmRig) {
    this.rig = rig;
  }

  /** Submits a starter and waits until it runs. @returns Its id. */
  async start(words: string): Promise<string> {
    const { login, slurm } = this.rig;
    await Deno.writeTextFile(`${login.home}/starter`, STARTER);
    const sbatch = "sbatch --parsable --export=NIL --no-requeue --time=1:00:00 -o /dev/null";
    const id = (await slurm.ok(`${sbatch} ${words} starter`)).trim();
    await waitUntil(`job ${id}`, async () => {
      const jobs = await slurm.jobs();
      return jobs.includes(`${id} RUNNING None`) && !jobs.some((job) => job.includes("PENDING"));
    });
    return id;
  }

  /** What a link is, on the login host. */
  command(id: string, node: string): { command: string[]; input: string } {
    const { hosts } = this.rig;
    const command = ["ssh", "-F", hosts.sshConfig, "-T", "login", FAR_END];
    return { command, input: [DOOR, id, node, "experiment", "srun", RELAY, ""].join("\n") };
  }

  /** Runs text in the shell at the far end of a link. */
  link(id: string, node: string, script: string): Promise<Outcome> {
    const { command, input } = this.command(id, node);
    return outcomeOf(command, { input: `${input}${script}\n` });
  }

  /** Waits until a link leads to what is left of an allocation, which is over in this way. */
  async isOver(id: string, node: string, state: string): Promise<void> {
    let last = "";
    await waitUntil(() => `the end of ${id}: ${last}`, async () => {
      const { stdout, stderr } = await this.link(id, node, 'echo "$CMS_ALLOCATION"');
      last = `${stdout}${stderr}`;
      assert.match(stdout, /^(over\..*\n)?$/);
      return stdout === `over.${state}\n`;
    }, { limitMs: 60_000 });
  }

  /** Waits for an allocation's end; gives its state. */
  async over(id: string): Promise<string> {
    return await waitUntil(`the end of job ${id}`, async () => {
      const line = (await this.rig.slurm.jobs()).find((each) => each.startsWith(`${id} `)) ?? "";
      return /RUNNING|COMPLETING|PENDING/.test(line) ? "" : line.split(" ")[1] ?? "";
    }, { limitMs: 30_000 });
  }

  /** What is left on a node: processes of the user, and files of the starter. */
  left(node: string): Promise<string> {
    return this.rig.slurm.onNode(
      node,
      "ps -u pi -o args= | grep -v -e '^ps' -e '^grep' -e '^sh -c cd;'; ls -d /tmp/cms*; :",
    );
  }
}

slurmTest("a link to an allocation leads to a shell outside its own step, in which srun works", async (rig) => {
  const allocations = new Allocations(rig);
  const id = await allocations.start("-w n2 --gpus=1");
  const told = await allocations.link(
    id,
    "n2",
    `hostname; pwd; echo $SLURM_JOB_ID; echo "$CMS_ALLOCATION" | sed 's/[0-9]\\{10\\}$/START/'
echo words >&2
MINE=seen srun --overlap sh -c 'echo $MINE $(hostname)'
cat /proc/self/cmdline | tr '\\0' ' '; echo
echo "[$SLURM_EXPORT_ENV]"; head -c 300000 /dev/zero | cksum`,
  );
  const { stdout: sum } = await outcomeOf(["sh", "-c", "head -c 300000 /dev/zero | cksum"]);
  assert.deepEqual(told, {
    code: 0,
    stdout: `n2\n/home/pi\n${id}\n${id}.0.START\nseen n2\ncat /proc/self/cmdline \n[]\n${sum}`,
    stderr: "words\n",
  });
  // A link that is cut leaves alone what runs, and the next one reaches it.
  const { command, input } = allocations.command(id, "n2");
  const [program, ...args] = command;
  const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${input}${JOB}job a\necho begun\n`));
  const { value } = await child.stdout.getReader().read();
  assert.equal(new TextDecoder().decode(value), "begun\n");
  child.kill("SIGKILL");
  await child.status;
  await writer.abort().catch(() => {});
  await rig.login.run("kill -9 $(pgrep -x srun)");
  const again = await allocations.link(id, "n2", "kill -0 $(cat ~/a.pid) && echo alive; kill -9 $(cat ~/a.pid)");
  assert.equal(again.stdout, "alive\n");
  await rig.slurm.ok(`scancel ${id}`);
  assert.equal(await allocations.over(id), "CANCELLED");
  assert.equal(await allocations.left("n2"), "");
  // What is over is over: a shell of the login host looks at the files.
  const over = await allocations.link(id, "n2", 'echo "$CMS_ALLOCATION"; hostname');
  assert.equal(over.stdout, "over.CANCELLED\nlogin\n");
});

slurmTest("an allocation that ends ends its jobs: TERM, and KILL for those that stay", async (rig) => {
  const allocations = new Allocations(rig);
  const id = await allocations.start("--nodes=2");
  for (const node of ["n1", "n2"]) {
    const { stdout } = await allocations.link(
      id,
      node,
      `${JOB}job $(hostname).term "trap 'echo TERM >>~/told; exit' TERM;"; job $(hostname).stay "trap '' TERM;"; hostname`,
    );
    assert.equal(stdout, `${node}\n`);
  }
  await rig.slurm.ok(`scancel ${id}`);
  assert.equal(await allocations.over(id), "CANCELLED");
  assert.equal(await Deno.readTextFile(`${rig.login.home}/told`), "TERM\nTERM\n");
  for (const node of ["n1", "n2"]) assert.equal(await allocations.left(node), "");
  const names = [...Deno.readDirSync(`${rig.login.home}/experiment/.cms/slurm`)].map(({ name }) => name).sort();
  assert.deepEqual(names, [`${id}.n1.ended`, `${id}.n2.ended`]);
});

slurmTest("the door tells the tasks of an array apart, though one of them has the array's own id", async (rig) => {
  const allocations = new Allocations(rig);
  const array = await allocations.start("--array=0-2");
  const ids = (await rig.slurm.ok("squeue -h -r --states=R -O 'JobID: ,ArrayTaskID: ,NodeList:'")).trim().split("\n");
  assert.equal(ids.length, 3);
  const [id = "", task = "", node = ""] = ids.find((line) => line.startsWith(`${array} `))!.split(" ");
  await rig.slurm.ok(
    `scancel ${
      ids.map((line) => line.split(" ")).filter(([each]) => each !== id).map(([, t]) => `${array}_${t}`).join(" ")
    }`,
  );
  for (const line of ids) if (!line.startsWith(`${id} `)) await allocations.over(line.split(" ")[0]!);
  assert.equal((await allocations.link(id, node, "echo $SLURM_ARRAY_TASK_ID")).stdout, `${task}\n`);
});

slurmTest("a starter that is killed leaves nothing that runs", async (rig) => {
  const allocations = new Allocations(rig);
  const id = await allocations.start("-w n1");
  await allocations.link(id, "n1", `${JOB}job a "trap '' TERM;"`);
  await rig.slurm.ok(`scancel --signal=KILL --batch ${id}`);
  await allocations.over(id);
  await waitUntil(() => allocations.left("n1"), async () => await allocations.left("n1") === "");
});

slurmTest("jobs of a node that is lost are not taken for ended before they are", async (rig) => {
  const { slurm, login } = rig;
  const allocations = new Allocations(rig);
  const id = await allocations.start("-w n1");
  await allocations.link(id, "n1", `${JOB}job a`);
  // Slurm takes the node for lost, and nothing on it hears of that.
  await slurm.stopNode("n1");
  await slurm.admin("scontrol update nodename=n1 state=down reason=test");
  await waitUntil("its end", async () => (await slurm.jobs()).includes(`${id} NODE_FAIL NodeDown`));
  const early = await allocations.link(id, "n1", "echo in");
  assert.deepEqual([early.code, early.stdout], [75, ""]);
  assert.match(early.stderr, /^node n1 is lost/);
  // The starter has found the mark by which it was told to end all.
  await waitUntil("the note", () => Deno.stat(`${login.home}/experiment/.cms/slurm/${id}.n1.ended`), {
    limitMs: 30_000,
  });
  assert.equal(await allocations.left("n1"), "");
  assert.equal((await allocations.link(id, "n1", 'echo "$CMS_ALLOCATION"')).stdout, "over.NODE_FAIL\n");
  await slurm.goOn("n1");
});

/** Waits until Slurm's clock is beyond the start of an allocation: it counts in seconds. */
async function afterStart({ slurm }: SlurmRig, id: string): Promise<void> {
  const start = `SLURM_TIME_FORMAT=%s squeue -h --states=all -j ${id} -O StartTime:`;
  await waitUntil("a later second", () => slurm.ok(`[ $(date +%s) -gt $(( $(${start}) + 2 )) ] && echo 1 || :`));
}

/** Waits until Slurm has heard of a node's boot after the start of an allocation. */
async function heardOfBoot({ slurm }: SlurmRig, id: string, node: string): Promise<void> {
  const start = `$(squeue -h --states=all -j ${id} -O StartTime:)`;
  const booted = `$(scontrol -o show node ${node} | sed -n 's/.*BootTime=\\([0-9]*\\).*/\\1/p')`;
  const script = `export SLURM_TIME_FORMAT=%s; [ "${booted}" -gt "${start}" ] && echo 1 || :`;
  await waitUntil("the boot", () => slurm.ok(script), { limitMs: 60_000 });
}

slurmTest("a node that was booted while Slurm shows its allocation as running has nothing of it", async (rig) => {
  const { slurm, login } = rig;
  const allocations = new Allocations(rig);
  const [first, second] = [await allocations.start("-w n1 -c 1"), await allocations.start("-w n1 -c 1")];
  for (const id of [first, second]) await allocations.link(id, "n1", `${JOB}job ${id}`);
  await afterStart(rig, second);
  await slurm.crashNode("n1");
  await slurm.bootNode("n1");
  const early = await allocations.link(first, "n1", "echo in");
  assert.deepEqual([early.code, early.stdout], [75, ""]);
  assert.match(early.stderr, new RegExp(`^node n1 was booted since job ${first} began there$`, "m"));
  assert.equal((await allocations.link(first, "n1", 'echo "$CMS_ALLOCATION"')).stdout, "over.NODE_FAIL\n");
  // The next starter there says it of all that were there.
  const next = await allocations.start("-w n1 -c 1");
  assert.equal((await allocations.link(next, "n1", "hostname")).stdout, "n1\n");
  assert.equal((await allocations.link(second, "n1", 'echo "$CMS_ALLOCATION"')).stdout, "over.NODE_FAIL\n");
  assert.equal((await allocations.link(next, "n1", "hostname")).stdout, "n1\n");
  const states = (await slurm.jobs()).filter((line) => [first, second].includes(line.split(" ")[0]!));
  assert.deepEqual(states.map((line) => line.split(" ")[1]), ["RUNNING", "RUNNING"]);
  assert.equal(
    (await login.run(`ls experiment/.cms/slurm | grep -v '^${next}'`)).stdout.includes(`${second}.n1\n`),
    false,
  );
});

slurmTest(
  "what ran on a node that Slurm finds to be lost after its boot is over as soon as it is back",
  async (rig) => {
    const { slurm, login } = rig;
    const allocations = new Allocations(rig);
    const id = await allocations.start("-w n1");
    await allocations.link(id, "n1", `${JOB}job a`);
    await afterStart(rig, id);
    await slurm.crashNode("n1");
    await slurm.bootNode("n1");
    await heardOfBoot(rig, id, "n1");
    // Slurm ends it after the slurmd has begun that knows nothing of it.
    await slurm.admin("scontrol update nodename=n1 state=down reason=test");
    await waitUntil("its end", async () => (await slurm.jobs()).includes(`${id} NODE_FAIL NodeDown`));
    await slurm.reset();
    await allocations.isOver(id, "n1", "NODE_FAIL");
    // One that Slurm has forgotten is over, too, but not while what ran there may live on a node that is down.
    const marks = "experiment/.cms/slurm/99999.n1";
    await login.run(`mkdir ${marks}; touch ${marks}/at`);
    await slurm.stopNode("n1");
    await slurm.admin("scontrol update nodename=n1 state=down reason=test");
    assert.match((await allocations.link("99999", "n1", "echo in")).stderr, /^node n1 is lost/);
    await slurm.goOn("n1");
    await slurm.reset();
    await allocations.isOver("99999", "n1", "GONE");
    await login.run(`rm -r ${marks}`);
  },
);
