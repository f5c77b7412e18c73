/** startRun(): a run in a process of its own. */
import assert from "node:assert/strict";
import { CmsError } from "../../src/errors.ts";
import { addHosts } from "../../src/operations/add_hosts.ts";
import { createCluster } from "../../src/operations/create_cluster.ts";
import { clusterRef } from "../../src/operations/refs.ts";
import { startRun } from "../../src/operations/start_run.ts";
import { openQueue } from "../../src/store/queue_file.ts";
import { waitUntil } from "../../testing/wait.ts";
import { isAlive, type RunPlace, SELF, withQueue } from "../../testing/run_place.ts";

/** Starts with other words for the program. */
function startAs(place: RunPlace, ...self: string[]): Promise<{ pid: number }> {
  const deps = { ...place.deps, environment: { ...place.deps.environment, self } };
  return startRun(deps, { queue: place.queue, scheduler: "fifo", maxParallel: 1, timeoutMs: 600_000 });
}

/** Shell: writes its name into the file that the run is given for a refusal. */
const WRITES = 'echo noise; for a; do case $a in --refusal=*) printf %s "$0" >"${a#*=}" ;; esac; done;';
/** Shell: notes whether it has the password, and goes on as its words say. */
const KEPT = 'echo "${CMS_PASSWORD:-none}" >kept; exec "$@"';

function is(code: string, text: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CmsError && error.code === code && text.test(error.message);
}

Deno.test("startRun() returns the pid of a process that holds the queue and runs it to its end", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-2]", "while ! test -e ../go; do sleep 0.05; done");
    const pid = await place.start();
    const store = await openQueue(place.deps, place.queue);
    const runner = await store.runner();
    store.close();
    assert.equal(runner?.pid, pid);
    assert.deepEqual([runner?.about?.scheduler, runner?.about?.slots, runner?.about?.cluster], ["fifo", 4, null]);
    await place.reach("job1 start", "job2 start");
    await Deno.writeTextFile(`${place.queue.directory}/go`, "");
    await place.reach("job1 end", "job2 end");
    const log = await Deno.readTextFile(`${place.queue.directory}/.a-queue.log`);
    assert.match(log, /^INFO: Running job: job1 on me@localhost$/m);
  });
});

Deno.test("startRun() keeps the service's password from jobs", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "env | grep -c CMS_PASSWORD");
    // The shell that stands for the service's process has the password, as the service has.
    const spawn: typeof place.deps.processes.spawn = (command, options) =>
      place.deps.processes.spawn(["env", "CMS_PASSWORD=secret", ...command], options);
    const environment = { ...place.deps.environment, self: ["sh", "-c", KEPT, "sh", ...SELF] };
    const deps = { ...place.deps, processes: { ...place.deps.processes, spawn }, environment };
    await startRun(deps, { queue: place.queue, scheduler: "fifo", maxParallel: 1, timeoutMs: 600_000 });
    await place.reach("job1 end");
    assert.equal(await Deno.readTextFile(`${place.queue.directory}/job1/job1.out`), "0\n");
    assert.equal(await Deno.readTextFile(`${place.directory}/kept`), "none\n");
  });
});

Deno.test("startRun() refuses a queue that is run already, and names the process", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "sleep 60");
    const pid = await place.start();
    await assert.rejects(place.start(), is("conflict", new RegExp(`process ${pid} on .* runs it already$`)));
  });
});

Deno.test("startRun() refuses a cluster without a free host, and a queue or cluster that does not exist", async () => {
  await withQueue(async ({ deps, queue }) => {
    const cluster = clusterRef(deps, { cluster: "c" });
    const start = () => startRun(deps, { queue, scheduler: "fifo_multi", cluster, timeoutMs: 600_000 });
    await assert.rejects(start(), is("not_found", /c-cluster.yaml does not exist$/));
    await createCluster(deps, { cluster });
    await addHosts(deps, { cluster, id: "h1", spec: { name: "localhost", user: "me", status: "off" } });
    await assert.rejects(start(), is("invalid", /^No free hosts found in cluster c-cluster.yaml: h1 has status off /));
    const missing = { ...queue, name: "b" };
    await assert.rejects(
      startRun(deps, { queue: missing, scheduler: "fifo", maxParallel: 1, timeoutMs: 600_000 }),
      is("not_found", /b-queue.yaml does not exist$/),
    );
  });
});

Deno.test("startRun() tells why its process refused, not what an earlier one said", async () => {
  await withQueue(async (place) => {
    await Deno.writeTextFile(`${place.queue.directory}/.a-queue.log`, "ERROR: of yesterday\n");
    const refusal = `${place.queue.directory}/.a-queue.refusal`;
    await Deno.writeTextFile(refusal, '{"code":"conflict","message":"of yesterday"}');
    const says = (text: string) => ["sh", "-c", `${WRITES} exit 2`, text];
    const refused = (code: string) => says(`{"code":"${code}","message":"Cannot do this"}`);
    await assert.rejects(startAs(place, ...refused("conflict")), is("conflict", /^Cannot do this$/));
    await assert.rejects(startAs(place, ...refused("invalid")), is("invalid", /^Cannot do this$/));
    await assert.rejects(
      startAs(place, ...says('{"code":"invalid"')),
      is("store", /its process ended at once: noise$/),
    );
    await assert.rejects(startAs(place, "/no/such/program"), is("store", /at once: .*no\/such\/program/));
    await assert.rejects(startAs(place, "false"), is("store", /its process ended at once$/));
    await assert.rejects(Deno.stat(refusal), Deno.errors.NotFound);
  });
});

Deno.test("startRun() cuts a long log to its last lines", async () => {
  await withQueue(async (place) => {
    const path = `${place.queue.directory}/.a-queue.log`;
    await Deno.writeTextFile(path, "INFO: an old line\n".repeat(100_000) + "INFO: the last line\n");
    await place.add("job1", "true");
    await place.start();
    await place.reach("job1 end");
    const text = await Deno.readTextFile(path);
    assert.ok(text.length < 200_000, `${text.length} characters`);
    assert.match(text, /^INFO: an old line\n[^]*INFO: the last line\nINFO: Running job: job1/);
  });
});

Deno.test("a run goes on without the one who started it, and no shell stays behind", async () => {
  await withQueue(async (place) => {
    await place.add("job1", "sleep 60");
    const pid = await place.start();
    await waitUntil("the end of the shell", async () => {
      const parent = /^PPid:\s+(\d+)/m.exec(await Deno.readTextFile(`/proc/${pid}/status`))![1]!;
      assert.notEqual(Number(parent), Deno.pid);
      return !(await Deno.readTextFile(`/proc/${parent}/cmdline`)).includes("-queue.log");
    });
    assert.ok(isAlive(pid));
  });
});
