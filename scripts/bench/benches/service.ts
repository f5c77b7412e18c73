/**
 * What the service answers in a second, beside a server of the same runtime that does nothing.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { timeOfRequests } from "../contenders/requests.ts";
import { startServer } from "../contenders/server.ts";
import { outputOf } from "../program.ts";

const CONNECTIONS = 32;
const REQUESTS = 10_000;
/** Those for a whole queue, which are hundreds of kilobytes each. */
const LARGE_REQUESTS = 200;
const CREDENTIALS = "bench:bench";
const HELLO =
  `Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log("Listening on x:" + port + ",") },
  () => new Response("hello"));`;

/** See the module. */
export const service: Bench = {
  name: "service",
  about: "GET /healthz and GET /queue/a of 1,000 jobs from the service, against a bare Deno.serve that says hello",
  measure: "requests/s",
  rounds: 5,
  open,
};

async function open({ program, jobs, directory }: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const size = jobs ?? 1000;
  await outputOf([...program, "queue", "create", "a"], { cwd: directory });
  await outputOf([...program, "queue", "add", "a", `--name=job[1-${size}]`, "--command=true"], { cwd: directory });
  await Deno.writeTextFile(`${directory}/credentials`, `${CREDENTIALS}\n`, { mode: 0o600 });
  await Deno.writeTextFile(`${directory}/hello.ts`, HELLO);
  const start = ["queue", "--service", "start", "--port=0", "--credentials=credentials", "--log=none"];
  const { port: cms } = await startServer([...program, ...start], directory, stack);
  const { port: hello } = await startServer([Deno.execPath(), "run", "-A", `${directory}/hello.ts`], directory, stack);

  const headers = { authorization: `Basic ${btoa(CREDENTIALS)}` };
  const contender = (name: string, port: number, path: string, requests: number): Contender => ({
    name,
    amount: requests,
    run: () => timeOfRequests({ port, path, headers, requests, connections: CONNECTIONS }),
  });
  const queue = `GET /queue/a, ${size.toLocaleString("en-US")} jobs`;
  const [root, health, floor] = ["GET / with credentials", "GET /healthz", "Deno.serve, hello"];
  return {
    work: `requests over ${CONNECTIONS} connections that stay open`,
    contenders: [
      contender(floor, hello, "/", REQUESTS),
      contender(health, cms, "/healthz", REQUESTS),
      contender(root, cms, "/", REQUESTS),
      contender(queue, cms, "/queue/a", LARGE_REQUESTS),
    ],
    questions: [health, root, queue].map((of) => ({ of, to: floor, mark: null })),
  };
}
