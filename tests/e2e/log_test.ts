/** What jobs write, read from real hosts: through broken links, beside a run that dies, from a silent host. */
import assert from "node:assert/strict";
import { makeManager, makeQueue, QUICK_SSH, waitForState } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

/** Lines of `follow` by job, without their marks. */
function linesOf(text: string): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const at = line.indexOf(": ");
    if (at < 0) continue;
    const own = lines.get(line.slice(0, at));
    if (own === undefined) lines.set(line.slice(0, at), [line.slice(at + 2)]);
    else own.push(line.slice(at + 2));
  }
  return lines;
}

hostTest(
  "follow of 20 jobs on three hosts loses and repeats nothing through cut links and a killed run; log shows the other hosts where one is silent",
  async (hosts) => {
    await using manager = await makeManager(hosts, QUICK_SSH);
    const [red, red01] = [hosts.host("red"), hosts.host("red01")];
    const limits = { limitMs: 300_000 };
    const cms = (...words: string[]) => manager.spawn([`${manager.bin}/cms`, ...words], limits);
    // A thousand lines a second each.
    const count = 'i=0; while [ $i -lt 150 ]; do i=$((i+1)); seq -f "line $i-%g of $0" 1 100; sleep 0.1; done';
    await makeQueue(manager, "job[1-20]", count);
    const slots = [...Array(7).fill("pi@red"), ...Array(7).fill("pi@red01"), ...Array(6).fill("pi@red02")];
    const words = ["queue", "run", "fifo_multi", "a", `--hosts=${slots.join(",")}`];
    const first = cms(...words);
    await waitForState(manager, "job20", "start");
    const follow = cms("queue", "follow", "a", "--all");
    // Begins in the middle, and is through the same trouble.
    const late = cms("queue", "follow", "a", "--name=job[1-3]");
    await waitUntil("the first lines of all", () => linesOf(follow.stdout).size === 20, { limitMs: 120_000 });
    await waitUntil("lines of the later one", () => linesOf(late.stdout).size === 3, { limitMs: 120_000 });
    for (const host of [red, red01]) await host.cut();
    await first.kill9();
    for (const host of ["red", "red01"]) {
      const said = new RegExp(`WARNING: pi@${host} does not answer`);
      await waitUntil("that the silence is said", () => said.test(follow.stderr), { limitMs: 90_000 });
    }
    for (const host of [red, red01]) await host.mend();
    const second = cms(...words);
    assert.equal((await second.ended()).code, 0);
    const { code, stdout, stderr } = await follow.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /WARNING: pi@red answers again/);
    assert.match(stderr, /WARNING: pi@red01 answers again/);
    const followed = linesOf(stdout);
    const since = linesOf((await late.ended()).stdout);
    const jobs = await manager.jobs();
    for (const [name, { host }] of jobs) {
      const { stdout: written } = await hosts.host(host!).run(`cat experiment/${name}/${name}.out`);
      assert.equal(written.trimEnd().split("\n").length, 15_000);
      assert.ok(followed.get(name)?.join("\n") === written.trimEnd(), name);
      const rest = since.get(name)?.join("\n");
      assert.ok(
        rest === undefined || (written.trimEnd().endsWith(rest) && !written.startsWith(rest.slice(0, 99))),
        name,
      );
    }
    assert.equal(since.size, 3);

    await red01.cut();
    const of = (host: string) => [...jobs.values()].find((job) => job.host === host)!.name;
    const [there, gone] = [of("red"), of("red01")];
    const log = await manager.cms("queue", "log", "a", "--tail=1", `--name=${there},${gone}`);
    assert.equal(log.code, 1);
    assert.match(log.stdout, new RegExp(`==> ${there} \\(pi@red, end 0, [0-9ms]+\\) <==\nline 150-100 of`));
    assert.match(log.stderr, new RegExp(`WARNING: pi@red01 does not answer: .*\\(${gone}\\)`));
  },
);
