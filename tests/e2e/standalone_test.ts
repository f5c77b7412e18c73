/**
 * The executable alone, on a machine with neither Deno nor Node: copied elsewhere, it does the document's workflow over
 * ssh.
 *
 * @module
 */

import assert from "node:assert/strict";
import { compiledCms } from "../../testing/compiled.ts";
import { hostTest } from "../../testing/need.ts";
import { range, WORKFLOW } from "./document_examples.ts";
import { Manager, pathWithout } from "../../testing/harness.ts";
import { follow } from "./transcript.ts";

hostTest("standalone: one copied file does the workflow on three hosts without deno or node", async (hosts) => {
  // An empty cache: the first command unpacks, as on a machine that has never seen the program.
  await using manager = await Manager.make(hosts, { XDG_CACHE_HOME: "" });
  const path = await pathWithout(manager, /^(deno|node|nodejs|npm|npx)$/);
  const type = (line: string) => manager.type(line, { env: { PATH: path } });
  await Deno.copyFile(await compiledCms(), `${manager.dir}/cms`);
  assert.equal((await type("command -v deno node cms; echo $PATH")).stdout, `${path}\n`);
  assert.match((await type("./cms --version")).stdout, /^cms \d+\.\d+\.\d+\n$/);
  await follow(manager, WORKFLOW.replaceAll("$ cms ", "$ ./cms "), { env: { PATH: path } });
  const run = await type("./cms queue run fifo_multi a --hostfile=a");
  assert.equal(run.code, 0, run.stdout + run.stderr);
  const { stdout } = await type("./cms queue list a --output=json");
  const jobs = JSON.parse(stdout) as { name: string; status: string; host: string }[];
  assert.deepEqual(jobs.map(({ name, status }) => `${name} ${status}`), range("job", 0, 10).map((job) => `${job} end`));
  for (const { name, host } of jobs) {
    assert.equal((await hosts.host(host).run(`cat experiment/${name}/${name}.out`)).stdout, `${host}\n`);
  }
  const left = (path: string) => [...Deno.readDirSync(path)].map((entry) => entry.name).toSorted();
  assert.deepEqual(left(manager.dir), ["cms", "experiment"]);
  assert.deepEqual(left(manager.home), [".cache", "programs"]);
  assert.deepEqual(left(`${manager.home}/.cache`), ["cms"]);
});
