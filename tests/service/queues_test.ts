/** Operations on queues and their jobs: replies of both kinds, and what they leave in the files. */
import assert from "node:assert/strict";
import { filesIn } from "../cli/harness.ts";
import { snapshotOf } from "./snapshot.ts";
import { type TestService, withService } from "../../testing/service/service.ts";

/** A queue `a` with jobs job1 to job3. */
async function withQueue(use: (t: TestService) => Promise<void>): Promise<void> {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /queue/a?name=job[1-3]&command=sleep%2010&user=pi&host=red&gpu=0");
    await use(t);
  });
}

const TABLE = `\
+------+--------+----------+-----+----------+----------+------------+
| name | status | command  | gpu | output   | log      | experiment |
+------+--------+----------+-----+----------+----------+------------+
| job1 | ready  | sleep 10 | 0   | job1.out | job1.log | experiment |
| job2 | ready  | sleep 10 | 0   | job2.out | job2.log | experiment |
| job3 | ready  | sleep 10 | 0   | job3.out | job3.log | experiment |
+------+--------+----------+-----+----------+----------+------------+
`;

Deno.test("a check tells what disagrees and what to do, as JSON for everybody, and changes nothing", async () => {
  await withService(async ({ ask, text, json, directory }) => {
    await text("POST /queue/?name=a");
    await text("POST /queue/a?name=j&command=true");
    assert.equal(
      await text("GET /queue/a/check"),
      '{"agrees":true,"findings":[],"jobs":1,"in_flight":0,"asked":[]}',
    );
    await Deno.writeTextFile(`${directory}/experiment/a-queue.yaml`, "j: [\n");
    const before = await snapshotOf(directory);
    const found = await json("GET /queue/a/check");
    assert.deepEqual(await snapshotOf(directory), before);
    assert.deepEqual([found.agrees, found.findings[0].kind, found.findings[0].where], [
      false,
      "trouble",
      "./experiment/a-queue.yaml",
    ]);
    assert.equal((await ask("GET /queue/nosuch/check")).status, 404);
  });
});

Deno.test("GET / names the server", async () => {
  await withService(async ({ text }) => {
    assert.equal(await text("GET /"), '{"message":"Cloudmesh Queue Server"}');
  });
});

Deno.test("queues are made and listed; a missing directory is 404 in the original's words", async () => {
  await withService(async ({ ask, text, directory }) => {
    const missing = await ask("GET /queue/?experiment=nosuch");
    assert.equal(missing.status, 404);
    assert.deepEqual(await missing.json(), { detail: "Directory nosuch does not exist" });
    assert.equal(await text("POST /queue/?name=a"), "{}");
    assert.equal(await text("POST /queue/?name=b-queue.yaml&experiment=runs/one"), "{}");
    assert.equal(await text("GET /queue/"), '{"queues":["a-queue.yaml"]}');
    assert.equal(await text("GET /queue/?experiment=./runs/one/"), '{"queues":["b-queue.yaml"]}');
    assert.deepEqual(await filesIn(`${directory}/experiment`), ["a-queue.yaml"]);
  });
});

Deno.test("jobs are added by a table, shown as a table, as a map and one by one", async () => {
  await withQueue(async ({ ask, text, json }) => {
    const info = await ask("GET /queue/a/info");
    assert.match(info.headers.get("content-type") ?? "", /^text\/plain; charset=utf-8$/i);
    assert.equal(await info.text(), TABLE);
    assert.equal(await text("POST /queue/a?name=job3&command=sleep%2010&user=pi&host=red&gpu=0"), TABLE);
    const jobs = await json("GET /queue/a");
    assert.deepEqual(Object.keys(jobs), ["job1", "job2", "job3"]);
    assert.deepEqual(await json("GET /queue/a/info"), jobs);
    const job = await json("GET /queue/a/job/job2");
    assert.deepEqual(job, jobs.job2);
    assert.deepEqual([job.command, job.user, job.host, job.status], ["sleep 10", "pi", "red", "ready"]);
    assert.equal(await text("GET /queue/a/info?status=end"), "None\n");
    assert.deepEqual(await json("POST /queue/a?name=x[1-2]&command=true"), {
      added: ["x1", "x2"],
      warnings: [],
    });
  });
});

Deno.test("a missing queue and a missing job are 404 in the original's words", async () => {
  await withQueue(async ({ ask, directory }) => {
    const lines = ["GET /queue/b", "GET /queue/b/info", "POST /queue/b?name=x&command=y", "PUT /queue/b/refresh"];
    for (const line of [...lines, "PUT /queue/b/reset", "DELETE /queue/b", "DELETE /queue/b/job/x"]) {
      const reply = await ask(line);
      assert.deepEqual([line, reply.status, await reply.json()], [line, 404, { detail: "Queue not found" }]);
    }
    for (const line of ["GET /queue/a/job/x", "DELETE /queue/a/job/x", "PATCH /queue/a/job/x"]) {
      const reply = await ask(line, line.startsWith("PATCH") ? { json: { gpu: "1" } } : {});
      assert.deepEqual([reply.status, await reply.json()], [404, { detail: "Job: x does not exist in queue." }]);
    }
    assert.deepEqual(await filesIn(`${directory}/experiment`), ["a-queue.yaml"]);
  });
});

Deno.test("DELETE of a job takes the path's name and those of the query", async () => {
  await withQueue(async ({ text, json, ask }) => {
    assert.match(await text("DELETE /queue/a/job/job1"), /\n\| job2 .*\n\| job3 /);
    await text("POST /queue/a?name=k[1-3]&command=true");
    const result = await json("DELETE /queue/a/job/job2?name=k[1-2],nosuch");
    assert.deepEqual(result, { deleted: ["job2", "k1", "k2"], missing: ["nosuch"], failed: [], warnings: [] });
    assert.deepEqual(Object.keys(await json("GET /queue/a")), ["job3", "k3"]);
    assert.equal((await ask("DELETE /queue/a/job/job2")).status, 404);
  });
});

Deno.test("reset answers as the command prints, with 100 warnings at most; refresh with the table", async () => {
  await withQueue(async ({ text, json, warnings }) => {
    assert.equal(await text("PUT /queue/a/reset"), "No job status changes.\n");
    await text("PATCH /queue/a/job/job1", { json: { status: "end" } });
    await text("PATCH /queue/a/job/job2", { json: { status: "crash" } });
    assert.equal(await text("PUT /queue/a/reset"), "job2 \t old_status:crash \t new_state:ready\n\n");
    assert.deepEqual(await json("PUT /queue/a/reset?name=job[1-2]&status=end"), {
      changes: [{ job: "job1", old: "end", new: "ready" }],
      failed: [],
      missing: [],
      warnings: [],
    });
    const many = await json("PUT /queue/a/reset?name=job1,no[1-500]");
    assert.deepEqual([many.missing.length, many.warnings.length, warnings.length], [500, 101, 101]);
    assert.equal(warnings.at(-1), "Further warnings of this request are left out");
    assert.equal(await text("PUT /queue/a/refresh"), TABLE);
    assert.deepEqual(await json("PUT /queue/a/refresh"), { changes: [], unreachable: [], warnings: [] });
  });
});

Deno.test("DELETE of a queue removes its files, and one of the same name begins empty", async () => {
  await withQueue(async ({ text, ask, directory }) => {
    assert.equal(await text("DELETE /queue/a"), "Delete Successful");
    assert.deepEqual(await filesIn(`${directory}/experiment`), []);
    assert.equal((await ask("GET /queue/a")).status, 404);
    assert.equal(await text("POST /queue/?name=a"), "{}");
  });
});

Deno.test("jobs come in a JSON body, all or none", async () => {
  await withQueue(async ({ json, ask }) => {
    const jobs = [{ name: "m[1-2]", command: "echo 'ä' \"b\"\n# c" }, { name: "n", command: "true", gpu: "0,1" }];
    assert.deepEqual(await json("POST /queue/a/jobs", { json: { jobs } }), {
      added: ["m1", "m2", "n"],
      warnings: [],
    });
    assert.equal((await json("GET /queue/a/job/m2")).command, jobs[0]!.command);
    const bad = await ask("POST /queue/a/jobs", {
      json: { jobs: [{ name: "good", command: "x" }, { name: "../b", command: "" }] },
    });
    assert.equal(bad.status, 422);
    assert.equal((await bad.json()).detail.length, 2);
    assert.equal((await ask("GET /queue/a/job/good")).status, 404);
    assert.equal(
      (await ask("POST /queue/a/jobs", { json: { jobs: [{ name: "x", command: "y", extra: 1 }] } })).status,
      422,
    );
    const malformed = await ask("POST /queue/a/jobs", { headers: { "content-type": "application/json" } });
    assert.equal(malformed.status, 400);
  });
});

Deno.test("PATCH changes what is given of one job and leaves the rest", async () => {
  await withQueue(async ({ json, ask }) => {
    const before = await json("GET /queue/a/job/job1");
    const after = await json("PATCH /queue/a/job/job1", { json: { command: "true", host: null } });
    assert.deepEqual(after, { ...before, command: "true", host: null, status: "undefined" });
    assert.deepEqual(await json("GET /queue/a/job/job1"), after);
    assert.equal((await ask("PATCH /queue/a/job/job1", { json: { status: "gone" } })).status, 422);
    assert.equal((await ask("PATCH /queue/a/job/job1", { json: { name: "other" } })).status, 422);
    await json("POST /queue/a?name=r&command=x&status=start");
    assert.equal((await ask("PATCH /queue/a/job/r", { json: { command: "y" } })).status, 409);
    assert.deepEqual(Object.keys(await json("GET /queue/a")), ["job1", "job2", "job3", "r"]);
  });
});

Deno.test("who has all jobs already is told so until something changes them, here or in the files", async () => {
  await withQueue(async ({ ask, text, directory }) => {
    const first = await ask("GET /queue/a");
    const etag = first.headers.get("etag") ?? "";
    assert.match(etag, /^"[0-9a-f]{32}"$/);
    const again = async (tag = etag) => await ask("GET /queue/a", { headers: { "if-none-match": tag } });
    for (const tag of [etag, `"x", W/${etag}`, "*"]) {
      const same = await again(tag);
      assert.deepEqual([same.status, await same.text(), same.headers.get("etag")], [304, "", etag]);
    }
    assert.equal((await again('"x"')).status, 200);
    assert.equal((await ask("GET /queue/a?limit=10", { headers: { "if-none-match": etag } })).status, 200);

    await text("PATCH /queue/a/job/job2", { json: { command: "true" } });
    const changed = await again();
    assert.equal(changed.status, 200);
    assert.notEqual(changed.headers.get("etag"), etag);
    assert.equal((await changed.json()).job2.command, "true");

    const file = `${directory}/experiment/a-queue.yaml`;
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replace("sleep 10", "sleep 11"));
    const edited = await again(changed.headers.get("etag") ?? "");
    assert.equal((await edited.json()).job1.command, "sleep 11");
    // The very same jobs are the same reply.
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replace("sleep 11", "sleep 10"));
    assert.equal((await again(changed.headers.get("etag") ?? "")).status, 304);
  });
});

Deno.test("a listing goes page by page, also when jobs go away meanwhile", async () => {
  await withQueue(async ({ ask, text }) => {
    await text("POST /queue/a?name=k[1-4]&command=true");
    const first = await ask("GET /queue/a?limit=2");
    assert.deepEqual(Object.keys(await first.json()), ["job1", "job2"]);
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    await text("DELETE /queue/a/job/job2");
    const second = await ask(`GET ${next}`);
    assert.deepEqual(Object.keys(await second.json()), ["job3", "k1"]);
    const third = await ask(`GET /queue/a?limit=2&status=undefined`);
    assert.deepEqual(Object.keys(await third.json()), ["k1", "k2"]);
    const last = await ask("GET /queue/a?limit=6");
    assert.equal(last.headers.get("link"), null);
    assert.equal((await ask("GET /queue/a?cursor=x")).status, 422);
  });
});

Deno.test("a parameter or field that an operation does not have is refused with its name, and so is one given twice", async () => {
  await withQueue(async ({ ask, text }) => {
    const before = await text("GET /queue/a/info");
    for (
      const [request, name] of [
        ["PUT /queue/a/run_fifo_multi?cluster=c&hosts=pi@red", "hosts"],
        ["POST /queue/a?name=x&command=y&comand=z", "comand"],
        ["GET /queue/a?limt=1", "limt"],
        ["DELETE /queue/a?forced=true", "forced"],
        ["PUT /queue/ran?experiment=runs", "experiment"],
        ["GET /experiments?experiment=runs", "experiment"],
      ] as const
    ) {
      const reply = await ask(request);
      assert.equal(reply.status, 422, request);
      assert.match((await reply.json()).detail[0].msg, new RegExp(`^unknown parameter \\["${name}"\\]`));
    }
    assert.equal((await ask("POST /queue/a?name=x&name=z&command=y")).status, 422);
    assert.equal(await text("GET /queue/a/info"), before);
  });
});

Deno.test("a job's options come in the query, in a body and in a change, and null takes one away", async () => {
  await withService(async ({ ask, json }) => {
    await ask("POST /queue/?name=o");
    const query = "retries=2&retry_delay=5&retry_on=exit,75&priority=-1&hold=true";
    assert.equal((await ask(`POST /queue/o?name=a&command=x&${query}`)).status, 200);
    const options = { retries: 2, retry_delay: "5m", retry_on: ["exit", 75], priority: -1, hold: true };
    const { retries, retry_delay, retry_on, priority, hold } = await json("GET /queue/o/job/a");
    assert.deepEqual({ retries, retry_delay, retry_on, priority, hold }, options);
    const jobs = [{ name: "b", command: "x", ...options, after: ["a"] }];
    assert.equal((await ask("POST /queue/o/jobs", { json: { jobs } })).status, 200);
    const changed = await json("PATCH /queue/o/job/b", { json: { hold: null, retries: 3, after_any: "a" } });
    assert.deepEqual([changed.hold, changed.retries, changed.after, changed.after_any], [null, 3, ["a"], ["a"]]);
    const circle = await ask("PATCH /queue/o/job/a", { json: { after: ["b"] } });
    assert.equal(circle.status, 422);
    assert.match(await circle.text(), /wait for each other: a after b after a/);
    assert.equal((await ask("POST /queue/o?name=c&command=x&retry_on=never")).status, 422);
  });
});
