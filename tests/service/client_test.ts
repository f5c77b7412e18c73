/**
 * A client made from the document, as a user's program would be: types by openapi-typescript, calls by openapi-fetch.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import { withStarted } from "../../testing/service/started.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What it does is what the browser's test does. What must not compile is marked so, and fails the check if it does. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

const [baseUrl = "", user = "", password = ""] = Deno.args;
const client = createClient<paths>({ baseUrl, headers: { authorization: "Basic " + btoa(user + ":" + password) } });

const wrong = await createClient<paths>({ baseUrl }).GET("/queue/");
if (wrong.data !== undefined || wrong.response.status !== 401) throw new Error("let in without credentials");

const { data: list } = await client.GET("/queue/");
if (list?.queues.join() !== "a-queue.yaml") throw new Error(JSON.stringify(list));

const queue = { path: { queue: "a" } };
// @ts-expect-error: a job needs a command
const without = await client.POST("/queue/{queue}", { params: { ...queue, query: { name: "x" } } });
if (without.response.status !== 422) throw new Error("added a job without a command");
// @ts-expect-error: there is no such operation
await client.DELETE("/queue/{queue}/info", { params: queue });

const added = await client.POST("/queue/{queue}", {
  params: { ...queue, query: { name: "job[1-3]", command: "echo done >> ../done" } },
  headers: { accept: "application/json" },
});
if (added.error !== undefined || typeof added.data === "string") throw new Error(JSON.stringify(added));
if (added.data.added.join() !== "job1,job2,job3") throw new Error(added.data.added.join());

const run = await client.PUT("/queue/{queue}/run_fifo_multi", { params: { ...queue, query: { cluster: "a" } } });
if (run.data === undefined || !(run.data.pid > 0)) throw new Error(JSON.stringify(run.error));

const limitMs = Date.now() + 30_000;
let states: components["schemas"]["JobState"][] = [];
while (states.join() !== "end,end,end") {
  if (Date.now() > limitMs) throw new Error("the jobs did not end: " + states.join());
  const { data: jobs } = await client.GET("/queue/{queue}", { params: queue });
  states = Object.values(jobs ?? {}).map((job) => job.status);
}

const table = await client.GET("/queue/{queue}/info", { params: queue, parseAs: "text" });
console.log(String(table.data));
`;

Deno.test("a client generated from /openapi.json type-checks, adds jobs, runs them and sees them end", async () => {
  const directory = await Deno.makeTempDir({ prefix: "cms-client-" });
  try {
    await withStarted(async ({ url, directory: served, text }) => {
      const document = await (await fetch(`${url}/openapi.json`)).text();
      await Deno.writeTextFile(`${directory}/schema.d.ts`, astToString(await openapiTS(document)));
      await Deno.writeTextFile(`${directory}/program.ts`, PROGRAM);
      const output = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--check", "-A", `--config=${CONFIG}`, `${directory}/program.ts`, url, "pi", "red berry"],
        env: { NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      assert.equal(output.code, 0, decoder.decode(output.stderr) + text());
      assert.match(decoder.decode(output.stdout), /\| job3 +\| end +\| echo done/);
      assert.equal(await Deno.readTextFile(`${served}/experiment/done`), "done\n".repeat(3));
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
