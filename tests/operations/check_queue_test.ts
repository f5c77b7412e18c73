/** checkQueue() on jobs of localhost, and on hosts that say what the test wants. */
import assert from "node:assert/strict";
import { LinkError } from "../../src/errors.ts";
import { attemptId } from "../../src/job/attempt.ts";
import type { AttemptState, Connect, Link } from "../../src/link/link.ts";
import { checkQueue } from "../../src/operations/check_queue.ts";
import { refreshQueue } from "../../src/operations/refresh_queue.ts";
import { createQueue, openQueue } from "../../src/store/queue_file.ts";
import { treeOf } from "../../testing/tree.ts";
import { waitUntil } from "../../testing/wait.ts";
import { newJob, onFiles, put, set, type World } from "../store/support.ts";
import { isAlive, type RunPlace, withQueue } from "../../testing/run_place.ts";

/** What a check finds, as `kind job where finding`, and that it touched nothing. */
async function look(place: RunPlace): Promise<string[]> {
  const before = await treeOf(`${place.directory}/experiment`);
  const { findings } = await checkQueue(place.deps, { queue: place.queue });
  assert.deepEqual(await treeOf(`${place.directory}/experiment`), before);
  // A killed run may have been faster than its next write of the YAML, or not.
  return findings.filter(({ finding }) => !finding.includes("stand in the journal")).map(
    ({ kind, job, where, finding }) => `${kind} ${job ?? "-"} ${where}: ${finding}`,
  );
}

Deno.test("checkQueue() of jobs of a dead manager tells what became of each, and of refresh nothing is left to say", () =>
  withQueue(async (place) => {
    await place.add("runs", "sleep 300");
    await place.add("ends", "while [ ! -e ../go ]; do sleep 0.05; done; exit 3");
    await place.add("dies", "sleep 300");
    await place.add("waits", "true");
    assert.deepEqual(await look(place), []);
    const scheduler = await place.start();
    // fifo has four slots: all run, and `waits` has ended.
    await place.reach("runs start", "ends start", "dies start", "waits end");
    // A run that goes on writes; it is stopped for the look.
    Deno.kill(scheduler, "SIGSTOP");
    const { hostname } = place.deps.environment;
    const process = `process ${scheduler} on ${hostname()}`;
    await waitUntil("the scheduler to be stopped", async () => (await look(place)).join().includes("stopped"));
    assert.deepEqual(await look(place), [
      `trouble - queue a: ${process} runs it (fifo, 4 at once), but is stopped`,
    ]);
    Deno.kill(scheduler, "SIGKILL");
    await waitUntil("the end of the scheduler", () => !isAlive(scheduler));
    const note = "note - queue a: 3 jobs are in flight, and no run follows";
    assert.deepEqual(await look(place), [note]);

    await Deno.writeTextFile(`${place.directory}/experiment/go`, "");
    const claim = await Deno.readTextFile(`${place.directory}/experiment/dies/dies.run`);
    const [pid, wrapper] = [Number((await place.job("dies")).pid), Number(claim.split(" ")[2])];
    for (const one of [wrapper, -pid]) Deno.kill(one, "SIGKILL");
    const found = [
      note,
      "trouble ends me@localhost: is start, but ended with exit code 3 there",
      "trouble dies me@localhost: is start, but its process vanished there",
    ];
    await waitUntil("both to be over", async () => (await look(place)).length === found.length);
    assert.deepEqual(await look(place), found);
    await refreshQueue(place.deps, { queue: place.queue }, { warn: () => {} });
    assert.deepEqual(await look(place), ["note - queue a: 1 job is in flight, and no run follows"]);
  }));

/** A queue of jobs on pi@red and pi@red01, and hosts that answer with `states` by job, or not at all. */
async function withHosts(
  use: (
    world: World,
    hosts: { states: Map<string, AttemptState>; down: Set<string>; asked: string[] },
  ) => Promise<void>,
): Promise<void> {
  await onFiles(async (world) => {
    await createQueue(world.deps, world.ref);
    await use(world, { states: new Map(), down: new Set(), asked: [] });
  });
}

function connectTo(hosts: { states: Map<string, AttemptState>; down: Set<string>; asked: string[] }): Connect {
  // deno-lint-ignore require-await
  return async (machine, { role }) => {
    assert.equal(role, "onlooker");
    if (hosts.down.has(machine.name)) throw new LinkError(machine.name, "no route to it", false);
    const ask: Link["ask"] = (attempts) => {
      hosts.asked.push(...attempts.map(({ attempt }) => attempt));
      return Promise.resolve(attempts.map(({ job }) => hosts.states.get(job) ?? { type: "none" }));
    };
    const marks = () => Promise.resolve([]);
    return { machine, boot: "b1", ask, marks, close: () => Promise.resolve() } as Partial<Link> as Link;
  };
}

const AT = { user: "pi", attempt: 1 } as const;

Deno.test("checkQueue() asks about every job that names a host, those in flight first, and names a host that does not answer", () =>
  withHosts(async (world, hosts) => {
    const queue = await openQueue(world.deps, world.ref);
    const jobs = ["a", "b", "c", "d", "e", "f"].map((name) =>
      newJob(name, "true", { ...AT, host: "red01", status: "end" })
    );
    await queue.commit(() => [
      put("ready", "true", { user: "pi", host: "red", status: "ready" }),
      put("free"),
      ...jobs.map((job) => ({ type: "put", job }) as const),
      put("last", "true", { ...AT, host: "red01", status: "start" }),
    ]);
    await queue.checkpoint("always");
    queue.close();
    hosts.states.set("ready", { type: "alive", pid: 7, startedAtMs: 0, orphan: false });
    hosts.down.add("red01");
    const { findings, ...rest } = await checkQueue(world.deps, { queue: world.ref }, connectTo(hosts));
    assert.deepEqual(rest, { jobs: 9, inFlight: 1, asked: ["pi@red"] });
    assert.deepEqual(findings.map(({ kind, job, where, finding }) => [kind, job, where, finding]), [
      ["note", null, "queue a", "1 job is in flight, and no run follows"],
      ["trouble", "ready", "pi@red", "is ready, but its last attempt runs there"],
      ["trouble", null, "pi@red01", "cannot be asked about last, a, b, c, d and 2 more: no route to it"],
    ]);
    // Once with all, and once more what disagreed.
    const id = attemptId({ ...newJob("ready"), attempt: 0 });
    assert.deepEqual(hosts.asked, [id, id]);
  }));

Deno.test("checkQueue() believes no disagreement that is gone at the second look", () =>
  withHosts(async (world, hosts) => {
    const queue = await openQueue(world.deps, world.ref);
    await queue.commit(() => [put("a", "true", { ...AT, host: "red", status: "start", boot: "b1" })]);
    hosts.states.set("a", { type: "ended", state: "end", exitCode: 0, startedAtMs: 0, endedAtMs: 1 });
    const connect = connectTo(hosts);
    const moving: Connect = async (machine, options) => {
      const link = await connect(machine, options);
      // Between the two looks the run takes the end in.
      return { ...link, close: () => queue.commit(() => [set("a", { status: "end", exit_code: 0, boot: null })]) };
    };
    const { findings } = await checkQueue(world.deps, { queue: world.ref }, moving);
    assert.deepEqual(findings.filter(({ kind }) => kind === "trouble"), []);
    assert.equal(hosts.asked.length, 2);
    queue.close();
  }));

Deno.test("checkQueue() names a job in flight whose host is no name, which no run can ask about", () =>
  withHosts(async (world, hosts) => {
    const queue = await openQueue(world.deps, world.ref);
    await queue.commit(() => [put("a", "true", { attempt: 1, status: "start", host: null })]);
    await queue.checkpoint("always");
    queue.close();
    const { findings } = await checkQueue(world.deps, { queue: world.ref }, connectTo(hosts));
    assert.deepEqual(findings.map(({ job, finding, action }) => [job, finding, action])[1], [
      "a",
      "is start, but on no host that can be asked (null)",
      "cms queue reset a --name=a",
    ]);
  }));

Deno.test("checkQueue() of broken files still asks the hosts about what is in flight", () =>
  withHosts(async (world, hosts) => {
    const queue = await openQueue(world.deps, world.ref);
    await queue.commit(() => [put("a", "true", { user: "pi", host: "red", status: "ready" })]);
    await queue.checkpoint("always");
    await queue.commit(() => [set("a", { status: "run", attempt: 1, boot: "b1" })]);
    queue.close();
    await Deno.writeTextFile(world.file, "a: [\n");
    hosts.states.set("a", { type: "crashed", exitCode: null });
    const found = await checkQueue(world.deps, { queue: world.ref }, connectTo(hosts));
    assert.deepEqual(
      found.findings.map(({ where, finding }) => `${where}: ${finding.replace(/line \d+: .*/, "LINE")}`),
      [
        "./experiment/a-queue.yaml: LINE",
        "queue a: 1 job is in flight, and no run follows",
        "pi@red: is run, but its process vanished there",
      ],
    );
    const journal = (await Deno.readTextFile(world.journal)).split("\n");
    await Deno.writeTextFile(world.journal, [...journal.slice(0, -1), "x", journal.at(-2), ""].join("\n"));
    const damaged = await checkQueue(world.deps, { queue: world.ref }, connectTo(hosts));
    const [, second] = damaged.findings;
    assert.equal(second?.finding, `line ${journal.length}: is damaged: the line is not a record`);
    assert.match(second.action, /docs\/operations\.md/);
    assert.equal(damaged.findings.at(-1)?.finding, "is run, but its process vanished there");
  }));

Deno.test("checkQueue() of a run whose process is gone looks again, and says so only if its lock is still held", () =>
  withHosts(async (world, hosts) => {
    const child = new Deno.Command("true").spawn();
    await child.status;
    const { deps, ref } = world;
    const dead = { ...deps, environment: { ...deps.environment, pid: child.pid } };
    const about = { scheduler: "fifo", cluster: null, slots: 1, machines: {} } as const;
    const queue = await openQueue(dead, ref);
    await queue.claimRun("r1", about);
    const find = async (meanwhile: () => void) => {
      const clock = { ...deps.clock, sleepUntil: () => Promise.resolve(meanwhile()) };
      return (await checkQueue({ ...deps, clock }, { queue: ref }, connectTo(hosts))).findings.map(({ finding }) =>
        finding
      );
    };
    const name = deps.environment.hostname();
    assert.deepEqual(await find(() => {}), [
      `process ${child.pid} on ${name} is gone, but its right to run the queue is still held`,
    ]);
    assert.deepEqual(await find(() => queue.close()), []);
  }));
