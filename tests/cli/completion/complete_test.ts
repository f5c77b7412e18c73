import assert from "node:assert/strict";
import { type Place, withPlace } from "../harness.ts";

async function withFiles(use: (place: Place) => Promise<void>): Promise<void> {
  await withPlace(async (place) => {
    const { ok } = place;
    await ok("queue", "create", "alpha");
    await ok("queue", "create", "beta");
    await ok("queue", "add", "alpha", "--name=job[1-2],other", "--command=x");
    await ok("cluster", "create", "c1");
    await ok("cluster", "add", "c1", "--id=host[1-2]", "--name=red", "--user=pi");
    await ok("cluster", "add", "c1", "--id=host3", "--name=red01", "--user=pi");
    await use(place);
  });
}

/** What TAB offers after a line; the last word is the one that is completed. */
const ROWS: readonly [line: string, offered: string][] = [
  ["qu", "queue"],
  ["", "cluster completion help openapi queue"],
  ["queue re", "refresh release reset resume"],
  ["queue ch", "check"],
  ["queue check a --output=j", "--output=json"],
  ["queue run f", "fifo fifo_multi"],
  ["queue list ", "alpha beta"],
  ["queue list al", "alpha"],
  ["queue list alpha ", ""],
  ["queue list --queue=", "--queue=alpha --queue=beta"],
  ["queue list --queue b", "beta"],
  ["queue list --wi", "--wide"],
  ["queue list --output=j", "--output=json"],
  ["queue list --status=fail", "--status=fail_start"],
  ["queue run fifo --max", "--max_parallel="],
  ["queue delete alpha --name=", "--name=job1 --name=job2 --name=other"],
  ["queue delete alpha --name=job1,o", "--name=job1,other"],
  ["queue delete --queue=alpha --name j", "job1 job2"],
  ["queue delete beta --name=", ""],
  ["queue delete missing --name=", ""],
  ["cluster delete c1 --id=host", "--id=host1 --id=host2 --id=host3"],
  ["cluster set c1 --key=max", "--key=max_jobs_allowed"],
  ["queue run fifo_multi alpha --hosts=pi@red,pi@red0", "--hosts=pi@red,pi@red01"],
  ["queue run fifo_multi alpha --hostfile=", "--hostfile=c1"],
  ["queue --service st", "start"],
  ["completion z", "zsh"],
  ["help queue reset", "reset"],
  ["queue list queue=a", "queue=alpha"],
  ["queue log alpha jo", "job1 job2"],
  ["queue log alpha job1 ", ""],
  ["queue log alpha job1 --name=o", "--name=other"],
  ["queue show --queue=alpha o", "other"],
  ["queue add alpha --after=job1,j", "--after=job1,job1 --after=job1,job2"],
  ["queue add alpha --output=", ""],
  ["queue add alpha --format=c", "--format=csv"],
  ["queue status alpha --output=c", "--output=csv"],
  ["queue list alpha --status=end,cr", "--status=end,crash"],
  ["queue wait alpha --for=", "--for=over --for=started --for=ended-well"],
  ["queue wait alpha --no-run=", "--no-run=fail --no-run=wait"],
  ["nothing here", ""],
];

Deno.test("completion offers commands, options and the names in the files", async () => {
  await withFiles(async ({ ok }) => {
    for (const [line, offered] of ROWS) {
      const words = (await ok("__complete", ...line.split(" "))).split("\n").filter((word) => word !== "");
      assert.equal(words.join(" "), offered, `after "${line}"`);
    }
  });
});

Deno.test("completion is silent where files cannot be read", async () => {
  await withPlace(async ({ ok, directory }) => {
    assert.equal(await ok("__complete", "queue", "list", ""), "");
    await ok("queue", "create", "a");
    await Deno.writeTextFile(`${directory}/experiment/a-queue.yaml`, "]broken");
    assert.equal(await ok("__complete", "queue", "delete", "a", "--name="), "");
  });
});
