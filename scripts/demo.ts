/**
 * `deno task demo`: the whole workflow on this machine, from an empty cluster to a finished queue.
 *
 * Copies `experiment/` into a fresh temporary directory, works there, prints each command before its own output, and
 * removes the directory. Exit status 0 only if every command succeeded and every job is `end`. `--keep` leaves the
 * directory.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { userInfo } from "node:os";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const CMS_FROM_SOURCE = [Deno.execPath(), "run", "-A", "--frozen", "--cached-only", join(ROOT, "main.ts")];

/** What a demo needs. */
export interface DemoOptions {
  /** The program and its first arguments; the commands' own follow. */
  readonly cms: readonly string[];
  /** Leaves the directory there, and says where. */
  readonly keep: boolean;
}

/** Runs the demo; returns its exit status. */
export async function demo(options: DemoOptions): Promise<number> {
  // Elsewhere `cms` can only be a manager: a local job would wait for a host until the time-out.
  if (Deno.build.os !== "linux") return fail("its jobs run on this machine, and hosts are Linux machines");
  const directory = await Deno.makeTempDir({ prefix: "cms-demo-" });
  try {
    await copySamples(join(ROOT, "experiment"), join(directory, "experiment"));
    for (const args of commands(userHere())) {
      say(`$ ${commandLine(["cms", ...args])}`);
      const status = await runHere([...options.cms, ...args], directory);
      if (status !== 0) return fail(`the command ended with status ${status}`);
      say("");
    }
    const output = "experiment/job0/job0.out";
    say(`$ cat ${output}`);
    await Deno.stdout.write(await Deno.readFile(join(directory, output)));
    say("");
    return await judge(options.cms, directory);
  } catch (error) {
    return fail((error as Error).message);
  } finally {
    if (options.keep) say(`The files are in ${directory}`);
    else await Deno.remove(directory, { recursive: true });
  }
}

/** Only the samples: somebody may have run them where they stand. */
async function copySamples(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile && name.endsWith(".yaml")) await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** The commands, in order. All hosts are this machine: jobs on localhost need no ssh. */
function commands(user: string): string[][] {
  const host = ["--name=localhost", `--user=${user}`];
  return [
    ["cluster", "create", "a"],
    ["cluster", "add", "a", "--id=host1", ...host, "--gpu=0"],
    ["cluster", "add", "a", "--id=host2", ...host, "--gpu=0"],
    ["cluster", "add", "a", "--id=host3", ...host, "--gpu=1"],
    ["cluster", "add", "a", "--id=host[4-6]", ...host],
    ["cluster", "list", "a"],
    ["queue", "create", "a"],
    ["queue", "add", "a", "--name=job[0-10]", "--command='hostname'"],
    [
      ...["queue", "add", "a", "--name=train-{lr}-{seed}", "--param=lr=0.1,0.01,0.001", "--param=seed=1-4"],
      "--command='echo lr={lr} seed={seed}'",
    ],
    ["queue", "list", "a"],
    ["queue", "run", "fifo_multi", "a", "--hostfile=a"],
    ["queue", "list", "a"],
    ["queue", "list", "a", "--where=param.lr<0.1", "--columns=name,status,param.lr,param.seed,duration"],
  ];
}

/** A local job runs as whoever runs the program; the name is only shown. */
function userHere(): string {
  try {
    const { username } = userInfo();
    return /^[a-z_][a-z0-9_-]*$/i.test(username) ? username : "me";
  } catch {
    return "me"; // A user without an entry in the password file.
  }
}

/** True if every job is `end`, as the program itself tells it. */
async function judge(cms: readonly string[], directory: string): Promise<number> {
  const [program, ...args] = [...cms, "queue", "list", "a", "--output=json"];
  const { success, stdout } = await new Deno.Command(program!, { args, cwd: directory, stderr: "inherit" }).output();
  if (!success) return fail("the queue cannot be listed");
  const jobs = JSON.parse(new TextDecoder().decode(stdout)) as { name: string; status: string }[];
  const left = jobs.filter(({ status }) => status !== "end");
  if (jobs.length === 0) return fail("the queue has no jobs");
  if (left.length > 0) return fail(`not "end": ${left.map(({ name, status }) => `${name} is ${status}`).join(", ")}`);
  say(`All ${jobs.length} jobs ended.`);
  return 0;
}

async function runHere([program, ...args]: string[], cwd: string): Promise<number> {
  const { code } = await new Deno.Command(program!, { args, cwd, stdin: "null" }).spawn().status;
  return code;
}

/** As a person types it. The quotes inside quotes are for the shell: the program takes the inner pair away. */
function commandLine(words: readonly string[]): string {
  const quoted = (word: string): string => word.includes("'") ? '="$1"' : "='$1'";
  return words.map((word) => /['<{ ]/.test(word) ? word.replace(/=(.*)$/s, quoted(word)) : word).join(" ");
}

function fail(reason: string): number {
  Deno.stderr.writeSync(new TextEncoder().encode(`The demo failed: ${reason}\n`));
  return 1;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  if (Deno.args.some((arg) => arg !== "--keep")) {
    say("Usage: deno task demo [--keep]");
    Deno.exit(Deno.args.includes("--help") ? 0 : 2);
  }
  // First, so that nothing is fetched between the commands; without it Deno asks the registry at each of them.
  const status = await runHere([Deno.execPath(), "install", "--quiet", "--frozen"], ROOT);
  Deno.exitCode = status === 0
    ? await demo({ cms: CMS_FROM_SOURCE, keep: Deno.args.includes("--keep") })
    : fail("the packages cannot be fetched");
}
