/** What jobs find around them on real hosts: variables, their own words about themselves, their workdir. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { hostTest } from "../../testing/need.ts";

const VALUE = "\n a 'b' \"c\" $(exit 9) `exit 9` \\ * ä\r\n";

hostTest(
  "jobs have the variables of their host and their own, byte for byte, and start in their workdir",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await manager.ok("queue", "create", "a");
    await manager.ok("cluster", "create", "c");
    await manager.ok(
      "cluster",
      "add",
      "c",
      "--id=h1",
      "--name=red",
      "--user=pi",
      "--env",
      "OF=host",
      "--env",
      "BOTH=host",
    );
    await manager.ok("cluster", "add", "c", "--id=h2", "--name=red01", "--user=pi", "--max-jobs-allowed=3");
    // Many short ones, so that they are prefetched.
    await manager.ok(
      "queue",
      "add",
      "a",
      "--name=job[1-60]",
      "--shell=sh",
      "--env",
      `VALUE=${VALUE}`,
      "--env=BOTH=job",
      "--workdir=runs/here",
      '--command=printf "%s|" "$VALUE" "$BOTH" "${OF-none}" "$CMS_QUEUE" "$CMS_JOB" "$CMS_ATTEMPT" "$CMS_TRY" "$CMS_HOST" "$CMS_INDEX" "$PWD"; ' +
        'mkdir ~/slot$CMS_SLOT && echo "$CMS_SLOT" >>~/slots && sleep 0.02 && rmdir ~/slot$CMS_SLOT',
    );
    const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.equal(code, 0, stdout + stderr);
    const seen = new Set<string>();
    const jobs = await manager.jobs();
    for (const [i, job] of [...jobs.keys()].entries()) {
      const host = jobs.get(job)!.host!;
      const of = { red: ["host", "h1"], red01: ["none", "h2"] }[host]!;
      seen.add(host);
      const { home } = hosts.host(host);
      const text = await Deno.readTextFile(`${home}/experiment/${job}/${job}.out`);
      // Two in one slot at once would make the same directory.
      assert.equal(jobs.get(job)!.exit_code, 0, job);
      // One that was prefetched and called back before it started has a later attempt, and is its first try.
      const own = [of[0], "a", job, String(jobs.get(job)!.attempt), "1", of[1], String(i + 1)];
      assert.deepEqual(text.split("|"), [VALUE, "job", ...own, "/home/pi/runs/here", ""], job);
    }
    assert.deepEqual([...seen].sort(), ["red", "red01"]);
    const slots = async (
      host: string,
    ) => [...new Set((await Deno.readTextFile(`${hosts.host(host).home}/slots`)).split("\n"))];
    assert.deepEqual(await slots("red"), ["0", ""]);
    assert.deepEqual((await slots("red01")).sort(), ["", "0", "1", "2"]);
  },
);

hostTest(
  "fifo says the machine; a workdir that cannot be had fails the start with the reason; tries are counted",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await manager.ok("queue", "create", "a");
    const add = (name: string, command: string, ...words: string[]) =>
      manager.ok("queue", "add", "a", `--name=${name}`, `--command=${command}`, "--user=pi", "--host=red", ...words);
    await add(
      "told",
      "echo $CMS_HOST $CMS_TRY $CMS_ATTEMPT $CMS_SLOT; [ $CMS_TRY = 2 ]",
      "--retries=1",
      "--retry-delay=1s",
    );
    await add("refused", "true", "--workdir=/proc/no");
    const { code, stderr } = await manager.cms("queue", "run", "fifo", "a", "--max_parallel=2");
    assert.equal(code, 1);
    const jobs = await manager.jobs();
    assert.equal(jobs.get("told")?.status, "end");
    assert.equal(jobs.get("refused")?.status, "fail_start");
    assert.match(`${jobs.get("refused")?.reason}`, /^cannot use the workdir \/proc\/no: /, stderr);
    assert.equal(await Deno.readTextFile(`${hosts.host("red").home}/experiment/told/told.out`), "red 2 2 0\n");
  },
);
