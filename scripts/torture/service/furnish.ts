/**
 * What a service that is to be troubled serves: a large queue, large outputs, a silent host, files that are no queues.
 *
 * @module
 */

import type { Executable } from "../../../testing/service/executable.ts";
import { waitUntil } from "../../../testing/wait.ts";

const SPARSE_BYTES = 20 * 1024 ** 3;
const LIMIT_MS = 60_000;

/** Makes it, by the service and below its directory. */
export async function furnish({ ask, directory }: Executable): Promise<void> {
  const ok = async (line: string, body?: object) => {
    const headers = { "content-type": "application/json" };
    const reply = await ask(line, body === undefined ? {} : { headers, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${line}: ${reply.status} ${await reply.text()}`);
    return await reply.text();
  };
  for (const name of ["big", "mine", "silent", "out", "odd"]) await ok(`POST /queue/?name=${name}`);
  await ok("POST /queue/big/jobs", { jobs: [{ name: "job[1-5000]", command: "x".repeat(200) }] });
  const here = { user: "me", host: "localhost" };
  await ok("POST /queue/out/jobs", { jobs: [{ name: "job1", command: "head -c 16777216 /dev/urandom", ...here }] });
  await ok("POST /queue/odd/jobs", { jobs: [{ name: "fifo", command: "rm -f fifo.log; mkfifo fifo.log", ...here }] });
  for (const name of ["out", "odd"]) await ok(`PUT /queue/${name}/run_fifo?max_parallel=1`);
  const isOver = async () => JSON.parse(await ok("GET /queue/out/job/job1")).status === "end";
  await waitUntil("the job with a large output to end", isOver, { limitMs: LIMIT_MS });
  const experiment = `${directory}/experiment`;
  await Deno.writeTextFile(
    `${experiment}/silent-queue.yaml`,
    "job1:\n  name: job1\n  id: a1\n  status: end\n  command: x\n  user: pi\n  host: silent\n  attempt: 1\n" +
      "  output: job1.out\n  log: job1.log\n  experiment: experiment\n",
  );
  // What must not be read, under the names of queues.
  await new Deno.Command("mkfifo", { args: [`${experiment}/fifo-queue.yaml`] }).output();
  await Deno.symlink("/dev/zero", `${experiment}/zero-queue.yaml`);
  await Deno.symlink("/etc/passwd", `${experiment}/link-queue.yaml`);
  await Deno.writeTextFile(`${experiment}/sparse-queue.yaml`, "");
  await Deno.truncate(`${experiment}/sparse-queue.yaml`, SPARSE_BYTES);
}
