/**
 * The whole program as a user has it: the executable, in a directory of its own with a HOME of its own, and what it
 * prints.
 *
 * Nothing here sleeps for a fixed time. Each child has a time limit; whatever is left of a manager at the end
 * (children, jobs of localhost) is ended by pid, and its directory is removed.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { compiledCms } from "./compiled.ts";
import type { TestHost, TestHosts } from "./hosts.ts";
import { waitUntil } from "./wait.ts";
import { type Outcome, Running } from "./child.ts";

export { type Outcome, Running } from "./child.ts";

/** What a plain login has; there is no `deno` or `node` in it. */
const PLAIN_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";
const CACHE = fileURLToPath(new URL("../.deno/e2e-cache", import.meta.url));

/** A job as `queue list --output=json` has it. */
export interface ListedJob {
  readonly name: string;
  readonly status: string;
  readonly command: string;
  readonly host: string | null;
  readonly user: string | null;
  readonly pid: string | null;
  readonly exit_code: number | null;
  readonly attempt: number;
  readonly gpu: string | null;
  readonly started: string | null;
  readonly ended: string | null;
  readonly [field: string]: unknown;
}

/** How a child is started. */
export interface StartOptions {
  /** Further variables; they win. */
  readonly env?: Record<string, string>;
  /** Ended with KILL after this long, and the test fails. @default 60 s */
  readonly limitMs?: number;
}

/** A manager node: a working directory, a home, the program. Made by {@link Manager.make}, removed by `await using`. */
export class Manager {
  /** The working directory of all commands; `experiment/` is made in it. */
  readonly dir: string;
  /** HOME of all commands. */
  readonly home: string;
  /** Directory with the links `cms`, `cluster` and `queue`, first on the PATH. */
  readonly bin: string;
  /** All variables that commands get. */
  readonly env: Readonly<Record<string, string>>;
  readonly #root: string;
  readonly #node: TestHost | null;
  readonly #children = new Set<Running>();

  private constructor(root: string, env: Record<string, string>, node: TestHost | null = null) {
    this.#root = root;
    this.#node = node;
    this.dir = node?.home ?? `${root}/work`;
    this.home = node ? `/home/${node.user}` : `${root}/home`;
    this.bin = node ? `${this.home}/.bin` : `${root}/bin`;
    this.env = { HOME: this.home, PATH: `${this.bin}:${PLAIN_PATH}`, LANG: "C.UTF-8", ...env };
  }

  /**
   * Makes a manager.
   * @param hosts Where `ssh` leads; null if only localhost is used. @param env Further variables for all commands.
   */
  static async make(hosts: TestHosts | null, env: Record<string, string> = {}): Promise<Manager> {
    const executable = await compiledCms();
    sweepCache(executable);
    const root = await Deno.makeTempDir({ prefix: "cms-e2e-" });
    const manager = new Manager(root, { XDG_CACHE_HOME: CACHE, ...hosts?.env, ...env });
    for (const directory of [manager.dir, manager.home, manager.bin]) await Deno.mkdir(directory);
    for (const name of ["cms", "cluster", "queue"]) await Deno.symlink(executable, `${manager.bin}/${name}`);
    return manager;
  }

  /**
   * A manager on a host with a shared home (see `HostsOptions`): a login node, whose user is pi and whose working
   * directory is the home. `ssh` leads to the other hosts. Of signals only KILL reaches what it started; others go by
   * `TestHost.run`.
   */
  static async on(node: TestHost, env: Record<string, string> = {}): Promise<Manager> {
    const executable = await compiledCms();
    sweepCache(executable);
    // Unpacked by root, so that a host need not have it in its memory.
    await new Deno.Command(executable, { args: ["--version"], env: { XDG_CACHE_HOME: CACHE } }).output();
    const manager = new Manager(node.home, { XDG_CACHE_HOME: CACHE, USER: node.user, ...env }, node);
    const bin = `${node.home}/.bin`;
    await Deno.mkdir(bin, { recursive: true });
    // By a process of its own: were the copy open for writing here while another program is started, that one would
    // hold it open until its exec, and nobody could run it ("Text file busy").
    const copy = await new Deno.Command("cp", { args: [executable, `${bin}/cms`] }).output();
    if (!copy.success) throw new Error(`${bin}/cms: ${new TextDecoder().decode(copy.stderr)}`);
    return manager;
  }

  /** Runs `cms ARGS...` to its end. */
  cms(...args: string[]): Promise<Outcome> {
    return this.start(...args).ended();
  }

  /**
   * Runs `cms ARGS...`, which has to end with status 0; returns its stdout. @throws {Error} With all that it printed.
   */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cms(...args);
    if (code !== 0) throw new Error(`cms ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a line as a person types it into bash; `cms`, `cluster` and `queue` are on the PATH. */
  type(line: string, options: StartOptions = {}): Promise<Outcome> {
    return this.spawn(["bash", "-c", line], options).ended();
  }

  /** Starts `cms ARGS...` and returns while it runs. */
  start(...args: string[]): Running {
    return this.spawn([`${this.bin}/cms`, ...args]);
  }

  /** Starts any program as a command of this manager. */
  spawn(command: readonly string[], options: StartOptions = {}): Running {
    const there = ["sh", "-c", 'cd && exec "$@"', "sh", ...command];
    const args = this.#node?.command(there) ?? command;
    const child = new Running(args, { cwd: this.dir, env: { ...this.env, ...options.env } }, options.limitMs);
    this.#children.add(child);
    return child;
  }

  /** The jobs of a queue as `cms queue list --output=json` tells them, by name. */
  async jobs(queue = "a", ...args: string[]): Promise<Map<string, ListedJob>> {
    const jobs = JSON.parse(await this.ok("queue", "list", queue, "--output=json", ...args)) as ListedJob[];
    return new Map(jobs.map((job) => [job.name, job]));
  }

  /** State of each job, in file order: `job1 end`. */
  async states(queue = "a"): Promise<string[]> {
    return [...(await this.jobs(queue)).values()].map(({ name, status }) => `${name} ${status}`);
  }

  /** Path of a file of the experiment directory. */
  path(name: string): string {
    return `${this.dir}/experiment/${name}`;
  }

  /** A file of the experiment directory. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(this.path(name));
  }

  /** Ends what is left, by pid, and removes all. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.signal("SIGKILL");
    await Promise.all([...this.#children].map((child) => child.gone));
    // A host is cleared by whoever has it.
    if (this.#node) return;
    // Jobs of localhost outlive their manager; they stand in its directory.
    for (const pid of processesIn(this.#root)) endByPid(pid);
    await waitUntil("the last process of the manager", () => processesIn(this.#root).length === 0);
    await Deno.remove(this.#root, { recursive: true });
  }
}

/** A PATH of one directory with all that the machine has in /usr/bin and /bin but the programs of these names. */
export async function pathWithout(manager: Manager, names: RegExp): Promise<string> {
  const directory = `${manager.home}/programs`;
  await Deno.mkdir(directory);
  for (const from of ["/usr/bin", "/bin"]) {
    for (const { name } of Deno.readDirSync(from)) {
      // The two directories are often one: what is there already is the same.
      if (!names.test(name)) await Deno.symlink(`${from}/${name}`, `${directory}/${name}`).catch(() => {});
    }
  }
  return directory;
}

/** Processes whose working directory lies in a directory. */
function processesIn(directory: string): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/cwd`).startsWith(`${directory}/`)) found.push(Number(name));
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

function endByPid(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // Gone meanwhile.
  }
}

/** Each build of the program unpacks into a directory of its own, 98 MB: those of earlier builds go after an hour. */
function sweepCache(executable: string): void {
  using file = Deno.openSync(executable);
  const head = new Uint8Array(4096);
  const [, current] = /^cms_hash='(\w+)'/m.exec(new TextDecoder().decode(head.subarray(0, file.readSync(head) ?? 0))) ??
    [];
  try {
    for (const { name } of Deno.readDirSync(`${CACHE}/cms`)) {
      const path = `${CACHE}/cms/${name}`;
      const madeMs = Deno.statSync(path).mtime?.getTime() ?? 0;
      if (name !== current && Date.now() - madeMs > 3_600_000) Deno.removeSync(path, { recursive: true });
    }
  } catch {
    // Nothing unpacked yet, or somebody else sweeps too.
  }
}
