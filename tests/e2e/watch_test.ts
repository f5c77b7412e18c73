/** `queue watch`, `queue follow` and the progress line of a run in a real terminal of two sizes, and without one. */
import assert from "node:assert/strict";
import { hostTest, needTest, whyNoPrograms } from "../../testing/need.ts";
import { Manager } from "../../testing/harness.ts";
import { TmuxTerminal } from "../../testing/tmux.ts";
import { waitUntil } from "../../testing/wait.ts";

const noTmux = whyNoPrograms("tmux");
const NAME = "watch, follow and the progress line fill a terminal of any size, and leave it as it was";

/** True if no line of a screen is wider. */
function fits(screen: string, columns: number): boolean {
  return screen.split("\n").every((line) => line.length <= columns);
}

if (noTmux !== null) needTest(NAME, noTmux, () => {});
else {
  hostTest(NAME, async (hosts) => {
    await using manager = await Manager.make(hosts);
    await manager.ok("cluster", "create", "c");
    await manager.ok("cluster", "add", "c", "--id=h1", "--name=red", "--user=pi");
    await manager.ok("cluster", "add", "c", "--id=h2", "--name=red01", "--user=pi");
    await manager.ok("queue", "create", "a");
    const gate = "echo begun; until [ -e ../go ]; do sleep 0.1; done; echo done";
    await manager.ok("queue", "add", "a", "--name=bad", "--command=exit 3");
    await manager.ok("queue", "add", "a", "--name=slow[1-9]", `--command=${gate}`);

    const at = { cwd: manager.dir, env: manager.env, columns: 80, rows: 24 };
    await using watch = await TmuxTerminal.start(
      "stty -a >before; cms queue watch a; echo status $?; stty -a >after",
      at,
    );
    await watch.shows(/^Queue a: no run works on it\n0 of 10 done, 0 running, 0 failed\n/);
    await using run = await TmuxTerminal.start("cms queue run fifo_multi a --hostfile=c; echo status $?", at);
    await run.shows(/\n1 of 10 done, 2 running, 1 failed/);
    await run.resize(200, 60);
    assert.ok(fits(await run.shows(/\n1 of 10 done, 2 running, 1 failed/), 200));

    // Hosts with their slots, what runs in each, ends and failures.
    const screen = await watch.shows(
      /\nh1 +1\/1 +slow\d +\d+s\nh2 +1\/1 +slow\d +\d+s\nENDED.*\nbad +exit code 3 on pi@red/,
    );
    assert.match(screen, /^Queue a: fifo_multi on cluster c, process \d+\n1 of 10 done, 2 running, 1 failed/);
    assert.ok(fits(screen, 80) && screen.split("\n").length === 25, screen);
    await watch.resize(200, 60);
    const large = await watch.shows(/\[#*x*\.{60,}\] +10 %(.*\n){57}arrows: choose/);
    assert.ok(fits(large, 200), large);
    await watch.resize(80, 24);
    await watch.shows(/\[#*x*\.{40,70}\] +10 %(.*\n){21}arrows: choose/);

    await watch.press("f");
    await watch.shows(/\nFAILED \(1\) .*\nbad +exit code 3 on pi@red.*\n\n/);
    await watch.press("f");
    await watch.press("p");
    await watch.shows(/; the queue is paused\n/);
    assert.match(await manager.ok("queue", "status", "a"), /\nNo job starts: the queue is paused/);
    await watch.press("Enter");
    await watch.shows(/^Output of slow\d.*\nbegun\n/);
    await watch.press("q");
    await watch.press("k");
    const [, victim = ""] = /Kill (slow\d)\?/.exec(await watch.shows(/\nKill slow\d\? y kills it/)) ?? [];
    await watch.press("n");
    await watch.shows(/\narrows: choose/);
    assert.equal((await manager.jobs()).get(victim)?.status, "start");
    await watch.press("k");
    await watch.press("y");
    await watch.shows(new RegExp(`\n${victim} +killed on pi@red(.*\n)*Killed ${victim}\n`));
    assert.equal((await manager.jobs()).get(victim)?.status, "kill");
    await watch.press("p");
    await watch.shows(/^Queue a: fifo_multi on cluster c, process \d+\n/);

    // Output is marked by its job, and not wider than a line was.
    await using follow = await TmuxTerminal.start("cms queue follow a --name=slow[1-9] --all; echo status $?", at);
    await follow.shows(/slow\d: begun\n/);
    await follow.resize(200, 60);
    const lines = manager.spawn(["sh", "-c", "TERM=dumb exec cms queue watch a"]);
    await waitUntil("the first line", () => /^a: run \d+, 2 of 10 done/.test(lines.stdout));

    for (const host of ["red", "red01"]) await hosts.host(host).run("touch experiment/go");
    await follow.shows(/slow9: done\n(.*\n)*status 1\n/);
    await run.shows(/INFO: Ran Jobs(.*\n)*status 1\n/);
    await watch.shows(/\n10 of 10 done, 0 running, 2 failed/);
    await watch.press("q");
    await watch.shows(/^status 0\n\n/);
    await waitUntil(
      "the terminal's modes",
      async () =>
        await Deno.readTextFile(`${manager.dir}/after`).catch(() => "") ===
          await Deno.readTextFile(`${manager.dir}/before`),
    );

    await waitUntil(() => lines.stdout, () => /\na: its run has ended\n/.test(lines.stdout));
    assert.match(lines.stdout, /\nslow9: ended well on pi@red\d*, \d+/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(lines.stdout, /\u001b/);
    lines.signal("SIGTERM");
    assert.equal((await lines.ended()).code, 130);
  });
}
