/** What jobs need and hosts have, on real hosts: devices, their numbers in the environment, and who waits for them. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { makeManager, QUICK_SSH, readText, waitForState } from "../../testing/harness_faults.ts";
import type { TestHost } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

/** Writes down when it begins and ends, with its GPUs, in the order in which that happens on its host. */
const TRACED =
  'echo "+ $CMS_GPUS $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER" >>~/trace; sleep 0.1; echo "- $CMS_GPUS" >>~/trace';

/** The most that was given of each device at once; `part` of it to each job. */
function mostOf(host: TestHost, part: number): Record<string, number> {
  const now: Record<string, number> = {};
  const most: Record<string, number> = {};
  for (const line of readText(`${host.home}/trace`).trim().split("\n")) {
    const [sign, gpus = "", visible, order] = line.split(" ");
    if (sign === "+") assert.deepEqual([visible, order], [gpus, "PCI_BUS_ID"]);
    for (const id of gpus.split(",").filter(Boolean)) {
      now[id] = (now[id] ?? 0) + (sign === "+" ? part : -part);
      most[id] = Math.max(most[id] ?? 0, now[id]);
    }
  }
  return most;
}

hostTest(
  "each job has GPUs of its own, halves share one; what fits no host is named and holds up nobody",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await manager.ok("queue", "create", "a");
    await manager.ok("cluster", "create", "c");
    await manager.ok("cluster", "add", "c", "--id=h1", "--name=red", "--user=pi", "--gpus=0-2", "--cpus=4");
    // A second entry of the same machine names the same devices.
    await manager.ok("cluster", "add", "c", "--id=h2", "--name=red", "--user=pi", "--gpus=1-2");
    await manager.ok(
      "cluster",
      "add",
      "c",
      "--id=h3",
      "--name=red01",
      "--user=pi",
      "--gpus=amd:0",
      "--max-jobs-allowed=2",
    );
    const add = (name: string, command: string, ...words: string[]) =>
      manager.ok("queue", "add", "a", `--name=${name}`, `--command=${command}`, "--shell=sh", ...words);
    await add("one[1-12]", `[ -z "$CMS_GPUS" ] || [ -n "$ROCR_VISIBLE_DEVICES" ] || { ${TRACED}; }`, "--gpus=1");
    await add("two[1-3]", TRACED, "--gpus=2", "--cpus=2");
    await add("none", 'echo "[$CUDA_VISIBLE_DEVICES$ROCR_VISIBLE_DEVICES$CMS_GPUS]"');
    await add("four", "true", "--gpus=4");
    await add("wide", "true", "--cpus=5");
    const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, /Left waiting: 1 job \(?four\)? no host has 4 GPUs|four.*no host has 4 GPUs/);
    const jobs = await manager.jobs();
    for (const [name, { status, exit_code, reason }] of jobs) {
      const isUnfit = name === "four" || name === "wide";
      assert.deepEqual([status, exit_code], isUnfit ? ["undefined", null] : ["end", 0], name);
      if (isUnfit) assert.equal(reason, `no host has ${name === "four" ? "4 GPUs" : "5 CPUs"}`);
    }
    assert.match(await manager.ok("queue", "show", "a", "four"), /no host has 4 GPUs/);
    const most = mostOf(hosts.host("red"), 1);
    assert.deepEqual(Object.values(most).every((count) => count === 1), true, JSON.stringify(most));
    const none = jobs.get("none")!;
    assert.equal(readText(`${hosts.host(none.host!).home}/experiment/none/none.out`), "[]\n");
    await manager.ok("queue", "delete", "a", "--name=one[1-12],two[1-3],none,four,wide");
    await hosts.host("red").run("rm trace");
    await manager.ok("cluster", "set", "c", "--id=h[1-2]", "--key=max_jobs_allowed", "--value=6");
    await manager.ok("cluster", "deactivate", "c", "--id=h3");
    await add("half[1-12]", TRACED, "--gpus=0.5");
    const halves = await manager.cms("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.equal(halves.code, 0, halves.stdout + halves.stderr);
    const shared = mostOf(hosts.host("red"), 0.5);
    assert.ok(Object.values(shared).every((count) => count <= 1), JSON.stringify(shared));
  },
);

hostTest(
  "after a kill of the manager the devices of what runs are still its own, and a larger job has its turn",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    await manager.ok("queue", "create", "a");
    await manager.ok("cluster", "create", "c");
    await manager.ok("cluster", "add", "c", "--id=h1", "--name=red", "--user=pi", "--gpus=0-1");
    const add = (name: string, command: string, ...words: string[]) =>
      manager.ok("queue", "add", "a", `--name=${name}`, `--command=${command}`, "--shell=sh", ...words);
    await add("long", "until [ -e ~/go ]; do sleep 0.1; done", "--gpus=1");
    await add("big", "cat ~/order; echo big >>~/order", "--gpus=2");
    await add("small[1-3]", "echo small >>~/order", "--gpus=1");
    const first = manager.start("queue", "run", "fifo_multi", "a", "--hostfile=c");
    await waitForState(manager, "long", "start");
    await first.kill9();
    const second = manager.start("queue", "run", "fifo_multi", "a", "--hostfile=c");
    await second.waitFor(/Adopt|long/i);
    await hosts.host("red").run("touch go");
    assert.equal((await second.ended()).code, 0, second.text);
    // Nobody passed it, though a GPU was free all the time.
    assert.equal(readText(`${hosts.host("red").home}/order`), "big\nsmall\nsmall\nsmall\n");
    const jobs = await manager.jobs();
    const devices = (name: string) => (jobs.get(name) as unknown as { devices?: number[] }).devices;
    assert.deepEqual([devices("long"), devices("big")], [[0], [0, 1]]);
    await leaveAlone(manager, hosts.host("red"));
  },
);

/** What others use is left alone, where the run or the entry says so; halves of one device are shared all the same. */
async function leaveAlone(manager: Manager, host: TestHost): Promise<void> {
  await manager.ok("queue", "create", "b");
  const add = (name: string, command: string, ...words: string[]) =>
    manager.ok("queue", "add", "b", `--name=${name}`, `--command=${command}`, "--shell=sh", ...words);
  await Deno.mkdir(`${host.home}/smi`, { mode: 0o755 });
  await Deno.writeTextFile(`${host.home}/smi/nvidia-smi`, NVIDIA_SMI, { mode: 0o755 });
  await host.run("mount --bind /home/pi/smi /usr/local/bin", { user: "root" });
  const { stdout } = await host.run("setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!");
  const pid = stdout.trim();
  await host.run(`echo "GPU-b, ${pid}, 900" >others`);
  await add("pair", 'echo "$CMS_GPUS"', "--gpus=2");
  await add("one", 'echo "$CMS_GPUS"', "--gpus=1");
  const first = manager.start("queue", "run", "fifo_multi", "b", "--hostfile=c", "--gpu-idle");
  await waitUntil("the end of one", async () => (await manager.jobs("b")).get("one")?.status === "end");
  const explained = async () => (await manager.cms("queue", "explain", "b", "pair")).stdout;
  await waitUntil("the reason", async () => (await explained()).includes(`gpu 1 of h1 is used by pid ${pid}`));
  assert.match(readText(`${host.home}/experiment/one/one.out`), /^0\n$/);
  await first.kill9();
  await host.run("rm others");
  await manager.ok("cluster", "set", "c", "--id=h1", "--key=gpu_idle", "--value=true");
  await manager.ok("cluster", "set", "c", "--id=h1", "--key=max_jobs_allowed", "--value=2");
  const both =
    'echo "GPU-a, $$, 800" >>~/own; until [ "$(grep -c . ~/own)" = 2 ]; do sleep 0.05; done; echo "$CMS_GPUS"';
  await add("half[1-2]", both, "--gpus=0.5");
  const second = await manager.cms("queue", "run", "fifo_multi", "b", "--hostfile=c");
  assert.equal(second.code, 0, second.stdout + second.stderr);
  assert.equal(readText(`${host.home}/experiment/pair/pair.out`), "0,1\n");
  for (const job of ["half1", "half2"]) assert.equal(readText(`${host.home}/experiment/${job}/${job}.out`), "0\n");
  // Who does not ask for it pays nothing.
  await host.run("rm asked");
  await manager.ok("cluster", "set", "c", "--id=h1", "--key=gpu_idle", "--value=false");
  await add("last", "true", "--gpus=1");
  await manager.ok("queue", "run", "fifo_multi", "b", "--hostfile=c");
  assert.equal((await host.run("cat asked 2>/dev/null || true")).stdout, "");
}

/** Two GPUs; who uses them stands in two files. */
const NVIDIA_SMI = `#!/bin/sh
echo "$*" >>~/asked
case $1 in
--query-gpu=*) echo '0, GPU-a, 3'; echo '1, GPU-b, 3' ;;
*) cat ~/others ~/own 2>/dev/null; true ;;
esac
`;

Deno.test("gpus=auto asks the host what it has; AMD's are told apart; a host without any is refused", async () => {
  await using manager = await Manager.make(null);
  await manager.ok("cluster", "create", "c");
  const add = (id: string) => ["cluster", "add", "c", `--id=${id}`, "--name=localhost", "--user=me", "--gpus=auto"];
  const refused = await manager.cms(...add("none"));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Cannot find GPUs of me@localhost: neither nvidia-smi nor rocm-smi shows one there/);
  const program = async (name: string, text: string) => {
    await Deno.writeTextFile(`${manager.bin}/${name}`, `#!/bin/sh\ncat <<'X'\n${text}\nX\n`, { mode: 0o755 });
  };
  await program(
    "rocm-smi",
    "=== ROCm ===\nGPU[0]\t\t: Device ID: 0x740c\nGPU[1]\t\t: Device ID: 0x740c\nGPU[0]\t\t: Rev: 1",
  );
  await manager.ok(...add("amd"));
  await program(
    "nvidia-smi",
    "GPU 0: NVIDIA A100 (UUID: GPU-1)\nGPU 1: NVIDIA A100 (UUID: GPU-2)\nGPU 3: X (UUID: GPU-3)",
  );
  await manager.ok(...add("nvidia"));
  await manager.ok("cluster", "set", "c", "--id=amd", "--key=gpus", "--value=auto");
  const hosts = JSON.parse(await manager.ok("cluster", "list", "c", "--output=json")) as Record<string, unknown>[];
  assert.deepEqual(hosts.map(({ id, gpus, max_jobs_allowed }) => [id, gpus, max_jobs_allowed]), [
    ["amd", "0-1,3", 3],
    ["nvidia", "0-1,3", 3],
  ]);
});
