/**
 * Copies job directories of the manager to a machine: one tar stream over an ssh session of its own, never through the agent, whose
 * requests and heartbeat would wait behind it.
 *
 * @module
 */

import type { Child, Deps } from "../deps.ts";
import { type Machine, machineText } from "../cluster/machine.ts";
import { LinkError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";

/**
 * What runs there, inside the user's login shell, which may be fish or csh: so in one pair of single quotes, with none of the
 * characters that one of them reads differently there (`'`, `\`, `!`, a line break). It reads a head of lines, the directory, the
 * jobs and an empty one; `read` takes byte by byte from a pipe, so that tar finds its stream whole. Directories that it makes
 * get the mark by which `remove` knows them.
 */
const UNPACK = "exec sh -c '" +
  'IFS= read -r d && cd "$d" || exit 3; ' +
  'while IFS= read -r j && [ -n "$j" ]; do [ -d "$j" ] || set -- "$@" "$j"; done; ' +
  '[ $# -eq 0 ] || mkdir "$@" || exit 3; ' +
  'for j do : > "$j/.cms" || exit 3; done; ' +
  "exec tar -xof -'";

const JOBS_AT_ONCE = 100;

/** Files of ours in a job's directory: those of an earlier run on the manager itself are no input. */
function ownFiles(job: JobName): string[] {
  const names = [".cms", `${job}.pid`, `${job}.log`, `${job}.out`, `${job}-nohup.log`];
  return [...names, `${job}.kill.*`, `${job}.run`, `${job}.run.*`].map((name) => `${job}/${name}`);
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text().catch(() => "");
}

/** Sends the head, then all that tar writes. An error of the pipe shows as the end of one of the two. */
async function pipe(head: string, from: Child, to: Child): Promise<void> {
  const writer = to.stdin.getWriter();
  writer.closed.catch(() => {});
  try {
    await writer.write(new TextEncoder().encode(head));
    for await (const chunk of from.stdout) await writer.write(chunk);
    await writer.close();
  } catch {
    from.kill("SIGKILL");
    writer.abort().catch(() => {});
  }
}

async function copy(deps: Deps, machine: Machine, jobs: readonly JobName[], from: string, to: string): Promise<void> {
  const excludes = jobs.flatMap(ownFiles).map((name) => `--exclude=${name}`);
  // The variable keeps a Mac's tar from adding a `._` file for each.
  const env = { COPYFILE_DISABLE: "1" };
  const tar = deps.processes.spawn(["tar", "-cf", "-", ...excludes, "-C", from, ...jobs], { env });
  tar.stdin.close().catch(() => {});
  const ssh = deps.processes.spawn(sshCommand(deps.environment, machine, UNPACK));
  const head = [to.startsWith("/") ? to : `./${to}`, ...jobs, "", ""].join("\n");
  const [tarSaid, sshSaid, tarEnd, sshEnd] = await Promise.all([
    textOf(tar.stderr),
    textOf(ssh.stderr),
    tar.ended,
    ssh.ended,
    textOf(ssh.stdout),
    pipe(head, tar, ssh),
  ]);
  const where = machineText(machine);
  if (sshEnd.code === 255) {
    const { reason, lasting } = explainSsh(machine, sshSaid, sshEnd.code);
    throw new LinkError(where, reason, lasting);
  }
  if (sshEnd.code !== 0) throw new LinkError(where, `cannot unpack the input files there: ${oneLine(sshSaid)}`, false);
  // 1 is GNU tar's "a file changed while it was read".
  if (tarEnd.code > 1) throw new LinkError(where, `cannot pack the input files of ${from}: ${oneLine(tarSaid)}`, false);
}

/** Copies `FROM/JOB/` to `TO/JOB/` on the machine for each job that has such a directory. @throws {LinkError} If it fails. */
export async function stageOverSsh(
  deps: Deps,
  machine: Machine,
  options: { jobs: readonly JobName[]; from: string; to: string },
): Promise<void> {
  const stamps = await Promise.all(options.jobs.map((job) => deps.files.stamp(`${options.from}/${job}`)));
  const present = options.jobs.filter((_, i) => stamps[i]?.isDirectory === true);
  for (let at = 0; at < present.length; at += JOBS_AT_ONCE) {
    await copy(deps, machine, present.slice(at, at + JOBS_AT_ONCE), options.from, options.to);
  }
}
