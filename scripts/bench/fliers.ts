/**
 * A queue with jobs in flight that nobody follows: the run that started them is gone.
 *
 * @module
 */

import { waitUntil } from "../../testing/wait.ts";
import type { Setting } from "./bench.ts";
import { outputOf } from "./program.ts";

/**
 * Fills an empty queue with `size` jobs, of which the first `flying` run on localhost until the bench is over.
 * @param stack Ends them.
 */
export async function fliers(
  { program, directory }: Setting,
  work: { experiment: string; size: number; flying: number },
  stack: AsyncDisposableStack,
): Promise<void> {
  const options = { cwd: directory };
  const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${work.experiment}`];
  await outputOf(queue("add", "a", `--name=flier[1-${work.flying}]`, "--command=exec sleep 3600"), options);
  await outputOf(queue("add", "a", `--name=job[1-${work.size - work.flying}]`, "--command=true"), options);
  const hosts = Array(work.flying).fill("localhost").join(",");
  const [command = "", ...args] = queue("run", "fifo_multi", "a", `--hosts=${hosts}`);
  const run = new Deno.Command(command, { args, cwd: directory, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  stack.defer(async () => void await outputOf(queue("delete", "a", `--name=flier[1-${work.flying}]`), options));
  const list = queue("list", "a", "--status=start", "--limit=10", "--output=json");
  await waitUntil("the jobs to run", async () => JSON.parse(await outputOf(list, options)).length === work.flying);
  run.kill("SIGKILL");
  await run.status;
}
