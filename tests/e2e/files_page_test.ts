/** The examples of docs/files.md, one after another, and the files of a job over REST. */
import assert from "node:assert/strict";
import { Manager } from "../../testing/harness.ts";
import { readText } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { withRuns } from "../service/runs_support.ts";

const page = await Deno.readTextFile(new URL("../../docs/files.md", import.meta.url));
const COMMANDS = page.split("```").filter((_, i) => i % 2 === 1).join("\n").split("\n").filter((line) => line !== "");

hostTest("the examples of docs/files.md bring the files that the page names", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const outputs = new Map<string, string>();
  for (const command of COMMANDS) {
    const { code, stdout, stderr } = await manager.type(command);
    assert.equal(code, 0, `${command}:\n${stdout}${stderr}`);
    outputs.set(command, stdout);
  }
  assert.match(outputs.get("cms queue fetch a")!, /^INFO: Fetched \d+ files \(\S+ \S+\) to experiment$/m);
  assert.match(outputs.get("cms queue fetch a --name=job1 --dry-run")!, /^INFO: Would fetch 0 files .* 5 unchanged$/m);
  assert.equal(await manager.read("job1/size.txt"), "4 data.csv\n");
  assert.equal(await manager.read("count-1/count-1.out"), "2\n");
  assert.match(outputs.get("cms cluster push c data --to=project --verbose")!, /^INFO: Pushed 1 file .* by rsync$/m);
  assert.equal(readText(`${hosts.host("red").home}/tables/big/table.csv`), "1\n");
  assert.match(outputs.get("cms queue clean a job1")!, /Removed the directories of \['job1'\]/);
  for (const path of ["results/job1/out/data.csv", "flat/job1-data.csv", "hosts/pi@red/job1/out/data.csv"]) {
    assert.equal(await Deno.readTextFile(`${manager.dir}/${path}`), "x,y\n", path);
  }
});

Deno.test("REST lists the files of a job and reads them whole and in parts, and none outside its directory", async () => {
  await withRuns(async (t) => {
    const command = "mkdir -p out; printf 0123456789 > 'out/a*b.txt'; : > out/empty; ln -s /etc/passwd link; echo hi";
    await t.json("POST /queue/a/jobs", {
      json: { jobs: [{ name: "job1", command }, { name: "job2", command: "true" }] },
    });
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    await t.json("GET /queue/a/wait?timeout=20");
    const { files } = await t.json("GET /queue/a/job/job1/files");
    assert.deepEqual(
      files.map(({ path, size }: { path: string; size: number }) => `${path} ${size}`).filter((line: string) =>
        !line.includes(".log")
      ),
      ["job1.out 3", "out/a*b.txt 10", "out/empty 0"],
    );
    assert.match(files[0].modified, /^20\d\d-.*Z$/);
    const get = async (path: string, range?: string): Promise<[number, string, string | null]> => {
      const headers = range === undefined ? {} : { range };
      const reply = await t.ask(`GET /queue/a/job/job1/files/${path}`, { headers });
      return [reply.status, await reply.text(), reply.headers.get("content-range")];
    };
    assert.deepEqual(await get("job1.out"), [200, "hi\n", null]);
    assert.deepEqual(await get("out/a*b.txt"), [200, "0123456789", null]);
    assert.deepEqual(await get("out%2Fa*b.txt"), [200, "0123456789", null]);
    assert.deepEqual(await get("out/a*b.txt", "bytes=2-4"), [206, "234", "bytes 2-4/10"]);
    assert.deepEqual(await get("out/a*b.txt", "bytes=7-"), [206, "789", "bytes 7-9/10"]);
    assert.deepEqual(await get("out/a*b.txt", "bytes=-3"), [206, "789", "bytes 7-9/10"]);
    assert.deepEqual((await get("out/a*b.txt", "bytes=10-"))[0], 416);
    assert.deepEqual(await get("out/empty"), [200, "", null]);
    for (const path of ["none", "link", "out"]) assert.equal((await get(path))[0], 404, path);
    for (const path of ["..%2Fjob2%2Fjob2.out", "%2Fx", "out%2F..%2Fjob1.out"]) {
      assert.equal((await get(path))[0], 422, path);
    }
    assert.equal((await t.ask("GET /queue/a/job/none/files")).status, 404);

    await Deno.writeTextFile(`${t.directory}/a b`, "pushed");
    const words = (path: string) => new URLSearchParams({ path, to: `${t.directory}/to`, id: "h1" });
    assert.deepEqual(await t.json(`PUT /cluster/c/push?${words("./a b")}`), {
      pushed: [{ machine: "me@localhost", way: "tar", files: null, bytes: null }],
      failed: [],
    });
    assert.equal(await Deno.readTextFile(`${t.directory}/to/a b`), "pushed");
    for (const path of ["none", "/etc/passwd"]) {
      assert.equal((await t.ask(`PUT /cluster/c/push?${words(path)}`)).status, 422, path);
    }
  });
});
