import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { realDeps } from "../../src/deps_real.ts";
import { readCluster } from "../../src/store/cluster_file.ts";
import { renderHosts } from "../../src/store/yaml/host_record.ts";
import { parseJobs, renderJobs } from "../../src/store/yaml/job_record.ts";
import { needTest } from "../../testing/need.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CMS = [Deno.execPath(), "run", "-A", "--frozen", `${ROOT}main.ts`];
const LIMIT_MS = 60_000;
const whyNot = Deno.build.os === "linux" ? null : "local jobs need Linux";

interface Shown {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the demo left in its temporary directory. */
  readonly left: string[];
}

/** Runs the demo as a process of its own, with a temporary directory that shows what it leaves. */
async function runDemo(script: string): Promise<Shown> {
  const directory = await Deno.makeTempDir({ prefix: "cms-demo-test-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", script],
      cwd: directory,
      env: { TMPDIR: directory, NO_COLOR: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr), left };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A program that calls the demo with `cms` in place of the real one, and ends with the demo's status. */
function callDemo(cms: readonly string[]): string {
  const url = new URL("../../scripts/demo.ts", import.meta.url);
  return `import { demo } from ${JSON.stringify(url.href)};
Deno.exitCode = await demo({ cms: ${JSON.stringify(cms)}, keep: false });`;
}

/** The real program, except that commands whose words begin with `verb` do `instead` in the shell. */
function except(verb: string, instead: string): string[] {
  return ["sh", "-c", `case "$*" in "${verb}"*) ${instead} ;; esac; exec "$0" ${CMS.slice(1).join(" ")} "$@"`, CMS[0]!];
}

needTest("demo shows the document's workflow and ends well with every job in state end", whyNot, async () => {
  const { code, out, err, left } = await runDemo(callDemo(CMS));
  assert.equal(code, 0, err);
  const shown = out.split("\n").filter((line) => line.startsWith("$ ")).map((line) => line.replace(/--user=\S+/, "U"));
  assert.deepEqual(shown, [
    "$ cms cluster create a",
    "$ cms cluster add a --id=host1 --name=localhost U --gpu=0",
    "$ cms cluster add a --id=host2 --name=localhost U --gpu=0",
    "$ cms cluster add a --id=host3 --name=localhost U --gpu=1",
    "$ cms cluster add a --id=host[4-6] --name=localhost U",
    "$ cms cluster list a",
    "$ cms queue create a",
    `$ cms queue add a --name=job[0-10] --command="'hostname'"`,
    "$ cms queue add a --name='train-{lr}-{seed}' --param=lr=0.1,0.01,0.001 --param=seed=1-4 " +
    `--command="'echo lr={lr} seed={seed}'"`,
    "$ cms queue list a",
    "$ cms queue run fifo_multi a --hostfile=a",
    "$ cms queue list a",
    "$ cms queue list a --where='param.lr<0.1' --columns=name,status,param.lr,param.seed,duration",
    "$ cat experiment/job0/job0.out",
  ]);
  assert.equal(out.match(/^\| job\d+ +\| undefined \|/gm)?.length, 11);
  assert.equal(out.match(/^\| job\d+ +\| end +\|/gm)?.length, 11);
  assert.equal(out.match(/^INFO: Starting job: job\d+ on host:\S+@localhost$/gm)?.length, 11);
  assert.equal(out.match(/^\| train-0\.1-\d +\| end +\|/gm)?.length, 4);
  assert.equal(out.match(/^\| train-0\.0\S+ +\| end +\| 0\.0+1 +\| [1-4] +\|/gm)?.length, 8);
  assert.equal(out.split("$ cat experiment/job0/job0.out\n")[1]?.split("\n")[0], Deno.hostname());
  assert.deepEqual(left, []);
});

needTest("demo fails when a job is not in state end", whyNot, async () => {
  const instead = "mkdir -p experiment/job0; : > experiment/job0/job0.out; exit 0";
  const { code, err, left } = await runDemo(callDemo(except("queue run", instead)));
  assert.equal(code, 1);
  assert.match(err, /^The demo failed: not "end": job0 is undefined, job1 is undefined/m);
  assert.deepEqual(left, []);
});

needTest("demo fails at the first command that does", whyNot, async () => {
  const { code, out, err } = await runDemo(callDemo(except("queue create", "exit 2")));
  assert.equal(code, 1);
  assert.match(err, /^The demo failed: the command ended with status 2$/m);
  assert.match(out, /\$ cms queue create a\n$/);
});

Deno.test("sample queue and cluster stand in the very form that the program writes", async () => {
  const directory = `${ROOT}experiment`;
  const queue = await Deno.readTextFile(`${directory}/sample-queue.yaml`);
  const jobs = parseJobs(queue, { shown: "sample-queue.yaml", experiment: "experiment" });
  assert.ok(jobs.size > 0);
  assert.deepEqual(
    [...jobs.values()].filter(({ id, status }) => !/^[0-9a-f]{32}$/.test(id) || status !== "undefined"),
    [],
  );
  assert.equal(renderJobs(jobs), queue);
  const hosts = await readCluster(realDeps(), { experiment: "experiment", directory, name: "sample" });
  assert.deepEqual(new Set([...hosts.values()].map(({ name }) => name)), new Set(["localhost"]));
  assert.equal(renderHosts(hosts), await Deno.readTextFile(`${directory}/sample-cluster.yaml`));
});
