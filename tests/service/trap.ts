/**
 * A service that is bound to be attacked: files and directories of others around the served one, links that lead there,
 * no host that can be reached.
 *
 * @module
 */

import { LinkError } from "../../src/errors.ts";
import type { Connect } from "../../src/link/link.ts";
import { type TestService, withService } from "../../testing/service/service.ts";

/** Stands in files outside; no reply may have it. */
export const SECRET = "nobody-may-read-this";

/** A program that refuses to run, and says so as data. */
const REFUSES = `for word in "$@"; do
  case $word in --refusal=*) printf '{"code":"invalid","message":"Cannot run it"}' >"\${word#--refusal=}" ;; esac
done
echo 'ERROR: Cannot run it'
exit 2`;

/** Calls `use` with the service and the directory around the served one, which is its entry `served`. */
export async function withTrap(use: (t: TestService, outside: string) => Promise<void>): Promise<void> {
  const connect: Connect = (machine) =>
    Promise.reject(new LinkError(`${machine.user}@${machine.name}`, "unreachable", false));
  let outside = "";
  const change = ({ deps, root }: TestService["service"]) => {
    outside = root;
    const served = `${root}/served`;
    for (const name of ["served/experiment", "experiment", "other"]) {
      Deno.mkdirSync(`${root}/${name}`, { recursive: true });
    }
    for (
      const name of ["a-queue.yaml", "experiment/a-queue.yaml", "other/a-queue.yaml", "etc-cluster.yaml", "secret"]
    ) {
      Deno.writeTextFileSync(`${root}/${name}`, `${SECRET}:\n  name: ${SECRET}\n  command: ${SECRET}\n`);
    }
    Deno.symlinkSync("../other", `${served}/out`);
    Deno.symlinkSync("../../other", `${served}/experiment/out`);
    Deno.symlinkSync("loop", `${served}/loop`);
    Deno.symlinkSync("..", `${served}/top`);
    Deno.writeTextFileSync(`${served}/file`, "x");
    // A run is begun, refused and over; what it is told may be anything.
    const self = ["sh", "-c", REFUSES, "sh"];
    return { connect, root: served, deps: { ...deps, environment: { ...deps.environment, cwd: () => served, self } } };
  };
  await withService(async (t) => await use(t, outside), change);
}

const FURNITURE = {
  queue: { has: "job1:", words: "name=job1&command=true&user=pi&host=red" },
  cluster: { has: "host1:", words: "id=host1&name=red&user=pi" },
} as const;

/** A queue `a` with job1 and a cluster `a` with host1, made anew when a request has deleted them. */
export async function furnish({ ask, service }: TestService): Promise<void> {
  for (const [kind, { has, words }] of Object.entries(FURNITURE)) {
    const path = `${service.root}/experiment/a-${kind}.yaml`;
    if ((await Deno.readTextFile(path).catch(() => "")).includes(has)) continue;
    await (await ask(`POST /${kind}/?name=a`)).body?.cancel();
    await (await ask(`POST /${kind}/a?${words}`)).body?.cancel();
  }
}
