/**
 * The agent where little works: disks that are full or cannot be written, homes that are none, a PATH with next to
 * nothing on it, and jobs that do their worst.
 */

import assert from "node:assert/strict";
import { LinkError } from "../../src/errors.ts";
import { whyNoHosts } from "../../testing/hosts.ts";
import { must, outcomeOf } from "../../testing/hosts/shell.ts";
import { needTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, isAlive, type Place, SHELLS, start, withPlace } from "./support.ts";

/** Mounts need what test hosts need. */
const whyNoMounts = await whyNoHosts();

/** The reason of a connection that cannot be made. */
async function whyNot(place: Place, localShell?: string[]): Promise<string> {
  const connecting = place.connect(localShell === undefined ? {} : { localShell });
  const error = await connecting.then(() => null, (error) => error);
  assert.ok(error instanceof LinkError, `it was made, or failed with ${error}`);
  return error.reason;
}

/** The experiment directory as a small disk of its own, for as long as it is in use. */
async function smallDisk(place: Place): Promise<AsyncDisposable & { fill(): void; free(): void }> {
  const filler = `${place.directory}/filler`;
  await Deno.mkdir(place.directory);
  await must(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place.directory]);
  return {
    fill() {
      using file = Deno.openSync(filler, { create: true, append: true });
      try {
        for (let i = 0; i < 1000; i++) file.writeSync(new Uint8Array(1024));
      } catch {
        return; // It is full.
      }
      throw new Error("The disk is larger than thought");
    },
    free: () => Deno.removeSync(filler),
    [Symbol.asyncDispose]: async () => void await outcomeOf(["umount", "-l", place.directory]),
  };
}

for (const shell of SHELLS) {
  const words = shell.split(" ");
  const agentTest = (name: string, body: (place: Place) => Promise<void>) =>
    Deno.test(`agent in ${shell} ${name}`, () => withPlace(shell, body));
  const mountTest = (name: string, body: (place: Place) => Promise<void>) =>
    needTest(`agent in ${shell} ${name}`, whyNoMounts, () => withPlace(shell, body));

  mountTest("says that the disk is full, starts nothing then, and works when it is free", async (place) => {
    await using disk = await smallDisk(place);
    disk.fill();
    assert.match(await whyNot(place), /cannot (make|write in) .*experiment/);
    disk.free();
    const { link, event, events } = await place.connect();
    disk.fill();
    link.start([start("job1", "echo >~/ran")]);
    // The disk may have no room for the refusal, either; whoever asks is told.
    const isRefused = async () =>
      events.some(({ type }) => type === "refused") || await Deno.stat(`${place.directory}/job1/job1.run.no`);
    await waitUntil("the refusal", isRefused);
    const [state] = await link.ask([attempt("job1")]);
    assert.ok(state?.type === "none" || state?.type === "forbidden", JSON.stringify(state));
    disk.free();
    link.start([start("job2", "true")]);
    await event("ended", "job2");
    await assert.rejects(Deno.stat(`${place.home}/ran`));
    // It never starts later, either.
    link.start([start("job1", "echo >~/ran", { number: 2 })]);
    await event("ended", "job1");
    assert.equal(await place.text(`${place.home}/ran`), "\n");
  });

  mountTest(
    "lets a visitor kill on a disk that got full, and refuses one that comes then, in place of letting it wait",
    async (place) => {
      await using disk = await smallDisk(place);
      const { link, event } = await place.connect();
      link.start([start("job1", "sleep 300")]);
      await event("started");
      const visitor = await place.connect({ role: "visitor" });
      disk.fill();
      const [state] = await visitor.link.kill([attempt("job1")], { graceMs: 1000 });
      assert.ok(state?.type === "ended" && state.state === "kill", JSON.stringify(state));
      assert.deepEqual(await visitor.link.remove([attempt("nosuch")]), ["absent"]);
      const error = await place.connect({ role: "visitor" }).then(() => null, (error) => error);
      assert.ok(error instanceof LinkError);
      assert.match(error.reason, /cannot write in .*experiment.*no space left/);
    },
  );

  mountTest("tells the end of a job that came while the disk was full, when there is room", async (place) => {
    await using disk = await smallDisk(place);
    const { link, event, events } = await place.connect();
    link.start([start("job1", `until [ -e ${place.home}/go ]; do sleep 0.05; done; exit 3`)]);
    const { pid } = await event("started");
    // A block that was begun has room for more, so it is used up.
    const log = `${place.directory}/job1/job1.log`;
    await Deno.writeTextFile(log, `#${" ".repeat(4094 - (await Deno.stat(log)).size)}\n`, { append: true });
    disk.fill();
    await Deno.writeTextFile(`${place.home}/go`, "");
    await waitUntil("the end of the job", async () => !(await isAlive(pid)));
    assert.deepEqual(events.filter(({ type }) => type === "ended"), []);
    disk.free();
    const ended = await event("ended");
    assert.deepEqual([ended.state, ended.exitCode], ["end", 3]);
    assert.match(await place.file("job1", ".log"), /# exit: 3\n# cloudmesh state: end\n$/);
  });

  mountTest("says that the home cannot be written, and where", async (place) => {
    await must(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", place.home]);
    try {
      assert.match(await whyNot(place), /^cannot make .*experiment.*: read-only file system$/i);
    } finally {
      await must(["umount", "-l", place.home]);
    }
  });

  agentTest("says that its directory cannot be made, and why", async (place) => {
    await Deno.writeTextFile(place.directory, "somebody's file");
    assert.match(await whyNot(place), /^cannot make .*experiment\/\.cms\/.*: (not a directory|file exists)$/i);
    assert.equal(await place.text(place.directory), "somebody's file");
  });

  agentTest("finds its programs where PATH leads nowhere", async (place) => {
    const { stdout } = await outcomeOf(["sh", "-c", `command -v ${words[0]}`]);
    const localShell = ["/usr/bin/env", "PATH=/nowhere", stdout.trim(), ...words.slice(1)];
    const { link, event } = await place.connect({ localShell });
    link.start([start("job1", "date")]);
    assert.equal((await event("ended")).exitCode, 0);
  });

  mountTest("names the program that is missing", async (place) => {
    const hide = `cd ${place.home} && mkdir real links && mount --bind /usr/bin real && ln -s "$PWD"/real/* links/ &&
rm links/setsid && mount --bind links /usr/bin && exec "$@"`;
    const localShell = ["unshare", "--mount", "sh", "-c", hide, "sh", ...words];
    assert.equal(await whyNot(place, localShell), 'it has no program "setsid"');
  });

  agentTest("takes any name that the grammar allows", async (place) => {
    const { link, event } = await place.connect();
    const names = ["_", "0", "-".padStart(200, "a"), "a.run", "a.run.1", "a-nohup.log", "x+y..--z", "C", "c_dir"];
    link.start(names.map((name) => start(name, 'printf %s "${PWD##*/}"')));
    for (const name of names) {
      await event("ended", name);
      assert.equal(await place.file(name, ".out"), name);
      assert.match(await place.file(name, ".log"), /state: end\n$/);
    }
  });

  agentTest("tells the ends of scripts that are wrong, stop early, or shut everything", async (place) => {
    const { link, event } = await place.connect();
    const scripts: Record<string, [command: string, code: number | null]> = {
      quote: ["echo 'no end", 2],
      heredoc: ["cat <<X\nno end", 0],
      comment: ["# nothing at all", 0],
      returns: ["exit 5\necho never", 5],
      strict: ["set -eu\nfalse\necho never", 1],
      shuts: ['for fd in 0 1 2 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done; exit 6', 6],
      traps: ["trap 'exit 9' TERM; trap '' HUP INT; exit 8", 8],
      group: ["kill -9 0", 137],
      crlf: ["true\r\n", 127],
      removes: ['cd ..; rm -rf "$OLDPWD"; exit 4', 4],
    };
    link.start(Object.entries(scripts).map(([name, [command]]) => start(name, command)));
    const found: Record<string, number | null> = {};
    for (const name of Object.keys(scripts)) found[name] = (await event("ended", name)).exitCode;
    assert.deepEqual(found, Object.fromEntries(Object.entries(scripts).map(([name, [, code]]) => [name, code])));
    assert.equal((await event("ended", "group")).state, "crash");
    assert.equal(await place.file("returns", ".out"), "");
  });

  agentTest("tells the end of a job whose children live on with its output", async (place) => {
    const { link, event } = await place.connect();
    const children =
      "(trap '' TERM HUP; sleep 300 & echo $!) ; (setsid sh -c 'sleep 300 & echo $!; exec sleep 301' & echo $!)";
    link.start([start("job1", `${children}; printf 'no line break'`)]);
    assert.equal((await event("ended")).exitCode, 0);
    const out = () => place.file("job1", ".out");
    await waitUntil(
      "all that is written",
      async () => (await out()).replace("no line break", "").trim().split("\n").length === 3,
    );
    assert.match(await out(), /no line break/);
    for (const [pid] of (await out()).replace("no line break", "").matchAll(/\d+/g)) {
      assert.ok(await isAlive(Number(pid)), `${pid} of ${await out()}`);
      Deno.kill(Number(pid), "SIGKILL");
    }
  });
}
