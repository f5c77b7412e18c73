import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import type { Deps } from "../../src/deps.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import { LinkError } from "../../src/errors.ts";
import { makeConnect, type MakeConnectOptions } from "../../src/link/connect.ts";
import type { ConnectOptions, Link, LinkEvent } from "../../src/link/link.ts";
import { makeHosts, type TestHosts, whyNoHosts } from "../../testing/hosts.ts";
import { hostTest, needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, QUEUE_ID, type Recorded, recorder, start, withPlace } from "../agent/support.ts";

type Options = Partial<ConnectOptions & MakeConnectOptions>;
type ConnectTo = (options?: Options) => Promise<Recorded>;

/** What every link does, whatever carries it. */
async function contract(connect: ConnectTo): Promise<void> {
  const { link, events, event } = await connect();
  assert.ok(link.boot !== "" && link.hostname !== "" && link.user !== "");
  assert.deepEqual(events, []);
  link.start([start("job1", "echo hello"), start("job2", "sleep 300")]);
  link.start([start("job1", "echo hello")]);
  assert.equal((await event("ended", "job1")).exitCode, 0);
  assert.equal((await event("known", "job1")).attempt, attempt("job1").attempt);
  await event("started", "job2");
  const text = new TextDecoder().decode(
    await link.read(attempt("job1"), "job1.out", { maxBytes: 99 }) ?? undefined,
  );
  assert.equal(text, "hello\n");

  // A visitor beside it, and then a second resident one in its place.
  const visitor = await connect({ role: "visitor" });
  assert.throws(() => visitor.link.start([start("job3", "true")]), /starts nothing/);
  assert.deepEqual(
    (await visitor.link.ask([attempt("job1"), attempt("job2"), attempt("job3")])).map(({ type }) => type),
    [
      "ended",
      "alive",
      "none",
    ],
  );
  const second = await connect();
  assert.equal((await event("down")).type, "down");
  await assert.rejects(link.ask([attempt("job1")]), LinkError);
  assert.equal((await second.link.ask([attempt("job2")]))[0]?.type, "alive");
  const [killed] = await visitor.link.kill([attempt("job2")], { graceMs: 5000 });
  assert.ok(killed?.type === "ended" && killed.state === "kill");
  assert.equal((await second.event("ended", "job2")).state, "kill");
  assert.deepEqual(await visitor.link.remove([attempt("job1"), attempt("job2")]), ["removed", "removed"]);
  await Promise.all([visitor.link.close(), second.link.close(), second.link.close()]);
  assert.deepEqual(visitor.events, []);
  assert.ok(!second.events.some(({ type }) => type === "down"));
  await assert.rejects(second.link.ask([attempt("job1")]), LinkError);
}

Deno.test("link to localhost keeps the contract", () => withPlace("sh", (place) => contract(place.connect)));

Deno.test("link makes directories ahead, and takes back those that stayed empty and are ours", () =>
  withPlace("sh", async (place) => {
    const { link } = await place.connect();
    const exists = async (name: string) => (await realDeps().files.stamp(`${place.directory}/${name}`)) !== null;
    await Deno.mkdir(`${place.directory}/theirs`);
    const jobs = ["ahead1", "ahead2", "ahead3", "theirs"].map((name) => attempt(name).job);
    link.prepare(jobs);
    await link.ask([attempt("ahead1")]); // Requests are carried out in order.
    assert.ok(await exists("ahead1/.cms") && await exists("ahead3/.cms") && !await exists("theirs/.cms"));
    await Deno.writeTextFile(`${place.directory}/ahead2/result`, "");
    link.unprepare(jobs);
    await link.ask([attempt("ahead1")]);
    assert.deepEqual(await Promise.all(["ahead1", "ahead2/.cms", "ahead3", "theirs"].map(exists)), [
      false,
      true,
      false,
      true,
    ]);
  }));

Deno.test("link looks after a job that it found alive by forbid, also when its wrapper dies with it", () =>
  withPlace("sh", async (place) => {
    const first = await place.connect();
    first.link.start([start("job1", "sleep 300")]);
    const { pid } = await first.event("started");
    const second = await place.connect({ times: { lookMs: 100 } });
    assert.equal((await second.link.forbid([attempt("job1")]))[0]?.type, "alive");
    const [, , wrapper] = (await place.file("job1", ".run")).split(" ");
    Deno.kill(Number(wrapper), "SIGKILL");
    Deno.kill(pid, "SIGKILL");
    assert.equal((await second.event("ended", "job1")).state, "crash");
  }));

Deno.test("link calls a start claimed, and not unknown, until its tombstone can be made", () =>
  withPlace("sh", async (place) => {
    const { link } = await place.connect();
    await Deno.writeTextFile(`${place.directory}/job1`, "in the way of the claim, as a full disk would be");
    assert.deepEqual(await link.forbid([attempt("job1"), attempt("job2")]), [{ type: "claimed" }, {
      type: "forbidden",
    }]);
    assert.deepEqual((await link.ask([attempt("job1")])).map(({ type }) => type), ["none"]);
    await Deno.remove(`${place.directory}/job1`);
    assert.deepEqual(await link.forbid([attempt("job1")]), [{ type: "forbidden" }]);
  }));

Deno.test("link tells of a job that ran, died with its wrapper, and left no directory", () =>
  withPlace("sh", async (place) => {
    const { link, event } = await place.connect({ times: { lookMs: 100 } });
    link.start([start("job1", "sleep 300")]);
    const { pid } = await event("started");
    const [, , wrapper] = (await place.file("job1", ".run")).split(" ");
    Deno.kill(Number(wrapper), "SIGKILL");
    await Deno.remove(`${place.directory}/job1`, { recursive: true });
    Deno.kill(pid, "SIGKILL");
    assert.equal((await event("ended", "job1")).state, "crash");
  }));

Deno.test("link notices an agent that hangs, and leaves its jobs alone", () =>
  withPlace("sh", async (place) => {
    const { link, events, roundTrips, event } = await place.connect({ times: { pingMs: 100, deadMs: 400 } });
    link.start([start("job1", "while [ ! -e ../go ]; do sleep 0.05; done; exit 5")]);
    await event("started");
    // Many pings are answered while nothing happens: the link stays.
    await waitUntil("six answers to pings", () => roundTrips!.length >= 6);
    assert.ok(!events.some(({ type }) => type === "down"));
    const asked = link.ask([attempt("job1")]);
    assert.equal((await asked)[0]?.type, "alive");
    Deno.kill(place.children[0]?.pid ?? 0, "SIGSTOP");
    await assert.rejects(link.ask([attempt("job1")]), LinkError);
    assert.match((await event("down")).reason, /no answer/);
    const second = await place.connect();
    assert.equal((await second.link.ask([attempt("job1")]))[0]?.type, "alive");
    await Deno.writeTextFile(`${place.directory}/go`, "");
    assert.equal((await second.event("ended")).exitCode, 5);
  }));

Deno.test("link takes a banner for none of its own that ends in the middle of a line, on both streams", () =>
  withPlace("sh", async ({ connect }) => {
    const localShell = ["sh", "-c", "printf welcome; printf welcome >&2; exec sh"];
    const { link, event } = await connect({ localShell });
    link.start([start("job1", "exit 7")]);
    assert.equal((await event("ended")).exitCode, 7);
  }));

Deno.test("link refuses a machine whose shell lacks something, and names it", () =>
  withPlace("sh", async (place) => {
    // Were PATH only poor, the agent would help itself; so the program is hidden from it.
    const hide = '() { case ${2-} in setsid) return 1 ;; esac; builtin command "$@"; }';
    const localShell = ["env", `BASH_FUNC_command%%=${hide}`, "bash"];
    const error = await place.connect({ localShell }).then(() => assert.fail("connected"), (error) => error);
    assert.ok(error instanceof LinkError);
    assert.equal(error.message, 'Cannot reach localhost: it has no program "setsid"');
    assert.equal(error.lasting, true);
    const none = await place.connect({ localShell: ["sh", "-c", "echo oh no >&2; exit 3"] }).catch((error) => error);
    assert.equal(none.message, "Cannot reach localhost: its shell ended with 3: oh no");
  }));

Deno.test("link gives up an agent that never says hello, and one that is cancelled", () =>
  withPlace("sh", async (place) => {
    const mute = { localShell: ["sh", "-c", "exec sleep 300"] };
    const late = await place.connect({ ...mute, times: { helloMs: 100 } }).catch((error) => error);
    assert.match(late.message, /no answer within/);
    const cancel = new AbortController();
    const cancelled = place.connect({ ...mute, signal: cancel.signal }).catch((error) => error);
    cancel.abort();
    assert.match((await cancelled).message, /cancelled/);
  }));

/** Links to test hosts, closed at the end. */
async function withSsh(
  hosts: TestHosts,
  body: (connectTo: (machine: string) => ConnectTo) => Promise<void>,
): Promise<void> {
  const real = realDeps();
  const environment = Object.create(real.environment, {
    get: { value: (name: string) => name === "CMS_SSH" ? hosts.env["CMS_SSH"] : real.environment.get(name) },
  });
  const deps: Deps = { ...real, environment };
  const links: Link[] = [];
  const connectTo = (machine: string): ConnectTo => async ({ times, ...options } = {}) => {
    const events: LinkEvent[] = [];
    const connect = makeConnect(deps, times === undefined ? {} : { times });
    const link = await connect(parseMachine(machine), {
      directory: "experiment",
      queueId: QUEUE_ID,
      role: "resident",
      onEvent: (event) => events.push(event),
      ...options,
    });
    links.push(link);
    return { link, events, event: recorder(events) };
  };
  try {
    await body(connectTo);
  } finally {
    await Promise.all(links.map((link) => link.close()));
  }
}

const sshTest = (name: string, body: (hosts: TestHosts, connectTo: (machine: string) => ConnectTo) => Promise<void>) =>
  hostTest(name, (hosts) => withSsh(hosts, (connectTo) => body(hosts, connectTo)));

sshTest("link over ssh keeps the contract", (_, connectTo) => contract(connectTo("pi@red")));

sshTest("link over ssh tells why a machine cannot be reached", async (hosts, connectTo) => {
  const reject = (machine: string) =>
    connectTo(machine)().then(() => assert.fail("connected"), (error) => {
      assert.ok(error instanceof LinkError, String(error));
      return error;
    });
  const unknown = await reject("pi@no-such-host.invalid");
  assert.deepEqual([unknown.reason, unknown.lasting], ["its name cannot be resolved", false]);
  const denied = await reject("nobody@red");
  assert.match(denied.reason, /^permission denied/);
  assert.equal(denied.lasting, true);
  await hosts.host("red").run("rm -rf experiment; : > experiment");
  assert.match((await reject("pi@red")).reason, /^cannot make .*experiment/);
  await hosts.host("red01").run("pkill -x sshd", { user: "root" });
  assert.equal((await reject("pi@red01")).reason, "connection refused");
  await hosts.host("red01").crash();
  await hosts.host("red01").boot();
});

sshTest("link over ssh notices a cut by its heartbeat, and misses no end", async (hosts, connectTo) => {
  const times = { pingMs: 200, deadMs: 800 };
  const { link, event } = await connectTo("pi@red")({ times });
  link.start([start("job1", "while [ ! -e ../go ]; do sleep 0.05; done; exit 5")]);
  await event("started", "job1");
  await hosts.host("red").cut();
  try {
    assert.match((await event("down")).reason, /no answer/);
    await hosts.host("red").run("touch experiment/go");
    await waitUntil(
      "the end in the log",
      async () =>
        (await Deno.readTextFile(`${hosts.host("red").home}/experiment/job1/job1.log`)).includes("state: end"),
    );
  } finally {
    await hosts.host("red").mend();
  }
  const second = await connectTo("pi@red")();
  const [state] = await second.link.ask([attempt("job1")]);
  assert.ok(state?.type === "ended" && state.exitCode === 5);
});

sshTest("link over ssh finds a crash after the host was started anew", async (hosts, connectTo) => {
  const { link, event } = await connectTo("pi@red")({ times: { pingMs: 200, deadMs: 800 } });
  link.start([start("job1", "sleep 300")]);
  await event("started", "job1");
  await hosts.host("red").crash();
  await event("down");
  await hosts.host("red").boot();
  const second = await connectTo("pi@red")();
  assert.notEqual(second.link.boot, link.boot);
  assert.deepEqual(await second.link.ask([attempt("job1")]), [{ type: "crashed", exitCode: null }]);
  const log = await Deno.readTextFile(`${hosts.host("red").home}/experiment/job1/job1.log`);
  assert.match(log, /# cloudmesh state: crash\n$/);
});

sshTest("link over ssh stages directories without the program's own files", async (hosts, connectTo) => {
  const from = await Deno.makeTempDir();
  try {
    const jobs = Array.from({ length: 120 }, (_, i) => `job${i}`);
    for (const job of jobs) {
      await Deno.mkdir(`${from}/${job}/sub`, { recursive: true });
      await Deno.writeTextFile(`${from}/${job}/sub/in put`, job);
      for (const own of ["log", "kill.x.1"]) await Deno.writeTextFile(`${from}/${job}/${job}.${own}`, "old");
    }
    const { link, event, events } = await connectTo("pi@red01")();
    await link.stage([...jobs, "absent"].map((job) => attempt(job)), from);
    link.start([start("job7", "cat 'sub/in put'; echo; ls sub; echo *kill*")]);
    await event("ended", "job7");
    const home = hosts.host("red01").home;
    assert.equal(await Deno.readTextFile(`${home}/experiment/job7/job7.out`), "job7\nin put\n*kill*\n");
    // An old log that came along would be taken for an earlier attempt's.
    assert.ok(!events.some(({ type }) => type === "reused"));
    assert.equal(await Deno.readTextFile(`${home}/experiment/job119/sub/in put`), "job119");
    assert.deepEqual(await link.remove([attempt("job119")]), ["removed"]);
  } finally {
    await Deno.remove(from, { recursive: true });
  }
});

for (const program of ["fish", "tcsh", "zsh", "bash"]) {
  const shell = `/usr/bin/${program}`;
  needTest(`link over ssh works where the login shell is ${program}`, await whyNo(program), async () => {
    await using hosts = await makeHosts(["blue"], { loginShell: shell });
    // A chatty profile must not be taken for an answer, on neither stream, nor if it ends in the middle of a line.
    const banner = "sh -c 'echo welcome; echo hello 1 >&2; printf welcome; printf welcome >&2'";
    await hosts.host("blue").run(
      `cd; mkdir -p .config/fish; for f in .bashrc .zshenv .tcshrc .config/fish/config.fish; do echo "${banner}" > $f; done`,
    );
    await withSsh(hosts, async (connectTo) => {
      const from = await Deno.makeTempDir();
      await Deno.mkdir(`${from}/job1`);
      await Deno.writeTextFile(`${from}/job1/input`, "staged");
      const { link, event } = await connectTo("pi@blue")();
      await link.stage([attempt("job1")], from);
      await Deno.remove(from, { recursive: true });
      link.start([start("job1", "cat input; exit 7")]);
      assert.equal((await event("ended")).exitCode, 7);
      assert.equal(await Deno.readTextFile(`${hosts.host("blue").home}/experiment/job1/job1.out`), "staged");
      assert.ok((await link.kill([attempt("job1")], { graceMs: 0 }))[0]?.type === "ended");
    });
  });
}

async function whyNo(program: string): Promise<string | null> {
  return await whyNoHosts() ?? whyNoPrograms(program);
}

Deno.test("link reports how long a request and its answer take: not less than its answers are held up", () =>
  withPlace("sh", async ({ connect }) => {
    const heldUp = 'sh | while IFS= read -r line; do sleep 0.2; printf "%s\\n" "$line"; done';
    const { roundTrips } = await connect({ localShell: ["sh", "-c", heldUp] });
    await waitUntil("a round trip", () => roundTrips!.length > 0);
    assert.ok(roundTrips!.every((ms) => ms >= 190), String(roundTrips));
  }));
