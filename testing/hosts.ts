/**
 * Real test hosts on this machine: each has its own network, process, mount, IPC and host-name namespace, its own home
 * for user `pi`, its own /tmp, and a real sshd, reached by name through a generated ssh config. Needs root on Linux.
 *
 * The parts are in `hosts/`. Tests that need hosts are best written with `hostTest` of `need.ts`, which skips where
 * there can be none. When the test process dies, its hosts end by themselves and the next rig clears up the rest.
 *
 * @module
 */

import { RigHost } from "./hosts/host.ts";
import { makeRigDirectory, sweepLeftovers, takeDownCommand } from "./hosts/leftovers.ts";
import { RigNetwork } from "./hosts/network.ts";
import { clientFiles, homeOf, type HostsOptions, writeRigFiles } from "./hosts/rig_files.ts";
import { must, outcomeOf } from "./hosts/shell.ts";

export type { HostsOptions } from "./hosts/rig_files.ts";

/** One host. */
export interface TestHost {
  /** Its own host name, and its name in the ssh config. */
  readonly name: string;
  /** IPv4 address as the manager reaches it. */
  readonly address: string;
  /** The one user. */
  readonly user: "pi";
  /** Path of the home directory as seen from the manager's side; with `sharedHome` it is the same one for all hosts. */
  readonly home: string;
  /**
   * Ends all processes of the host at once (power cut; the disk stays). Its connections say no goodbye: the far end
   * sees silence until the host is booted again. Nothing happens if it is down.
   */
  crash(): Promise<void>;
  /** Starts it again on the same disk, with an empty /tmp; waits until sshd answers. Its link stays cut if it was. */
  boot(): Promise<void>;
  /** Takes its network link down. Works on a host that is down, too. */
  cut(): Promise<void>;
  /** Takes its network link up again. */
  mend(): Promise<void>;
  /**
   * Runs sh -c text as user pi inside the host's namespaces, in the home directory (nsenter; not through ssh, works
   * while cut).
   * @throws {Error} If the host is down.
   */
  run(
    script: string,
    options?: { user?: "pi" | "root" },
  ): Promise<{ code: number; stdout: string; stderr: string }>;
  /**
   * The command that runs another inside as pi, with the directory and the environment of whoever starts it. A KILL for
   * it is one for the program inside; other signals end it the same way.
   * @throws {Error} If the host is down.
   */
  command(inside: readonly string[], options?: { user?: "pi" | "root" }): string[];
}

/** A set of hosts. */
export interface TestHosts {
  /** By name, in the order given. */
  readonly hosts: ReadonlyMap<string, TestHost>;
  /** The host of this name. @throws {Error} If there is no host of this name. */
  host(name: string): TestHost;
  /**
   * Path of the ssh config (Host red ..., IdentityFile, UserKnownHostsFile, StrictHostKeyChecking no, LogLevel ERROR).
   */
  readonly sshConfig: string;
  /** Environment for a manager process: CMS_SSH="ssh -F <sshConfig>". */
  readonly env: Record<string, string>;
  /**
   * Brings every host back to its first state: up, link mended, no process of pi, home empty but for `.ssh`, /tmp
   * empty. For between two tests.
   */
  reset(): Promise<void>;
  /** Takes all down; nothing is left of it when this resolves. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Takes all down before it returns; at the end of a test file nobody waits for promises. */
  disposeNow(): void;
}

/** Programs that test hosts are made with. */
const programs = ["ip", "sshd", "ssh", "ssh-keygen", "unshare", "nsenter", "setpriv", "mount", "sh"];

let reason: Promise<string | null> | undefined;

/** Why real hosts cannot be made here, or null: not root, no sshd, no ip, no namespaces: one line. Found out once. */
export function whyNoHosts(): Promise<string | null> {
  reason ??= findReason();
  return reason;
}

async function findReason(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `test hosts need Linux, and this is ${Deno.build.os}`;
  if (Deno.uid() !== 0) return "test hosts need root";
  const look = programs.map((program) => `command -v ${program} >/dev/null || echo ${program}`).join("; ");
  const missing = (await must(["sh", "-c", look])).trim().split("\n").filter(Boolean);
  if (missing.length > 0) return `test hosts need ${missing.join(", ")}`;
  // Tried inside a network namespace that ends with the probe, so that nothing is left.
  const probe = await outcomeOf([
    ...["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "sh", "-c"],
    "mount -t proc proc /proc && ip link add probe type bridge && ip link add probe0 type veth peer name probe1",
  ]);
  if (probe.code === 0) return null;
  return `test hosts need namespaces, bridge and veth: ${probe.stderr.trim().split("\n")[0]}`;
}

/** As many as the neighbours that a machine remembers by itself allow. */
const MOST = 400;
/** More at once would wait for each other longer than a host may take. */
const AT_ONCE = 16;

/**
 * Does something with all hosts, with some of them side by side. When it fails nothing of it goes on.
 * @throws {Error} The first failure; the rest is left out then.
 */
async function each(hosts: Iterable<RigHost>, act: (host: RigHost) => Promise<unknown>): Promise<void> {
  const left = [...hosts];
  const failures: unknown[] = [];
  const one = async (): Promise<void> => {
    for (let host = left.shift(); host !== undefined && failures.length === 0; host = left.shift()) {
      await act(host).catch((error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  if (failures.length > 0) throw failures[0];
}

/**
 * Makes hosts and boots them, side by side.
 * @param names Host names, at most 400; also the names in the ssh config.
 * @throws {Error} If it cannot be done; nothing is left then. See {@link whyNoHosts}.
 */
export async function makeHosts(names: readonly string[], options: HostsOptions = {}): Promise<TestHosts> {
  if (names.length > MOST) throw new RangeError(`Cannot make ${names.length} hosts: ${MOST} are the most`);
  await sweepLeftovers();
  const { path: rig, id } = makeRigDirectory();
  try {
    const network = await RigNetwork.make(id);
    const hosts = new Map(
      names.map((name, index) => [name, new RigHost(name, rig, index, network, homeOf(rig, name, options))]),
    );
    const sshConfig = await writeRigFiles(rig, [...hosts.values()], options);
    await each(hosts.values(), (host) => host.boot());
    return new Rig(rig, hosts, sshConfig, options);
  } catch (error) {
    await outcomeOf(takeDownCommand([rig]));
    throw error;
  }
}

let shared: Promise<TestHosts> | undefined;

/**
 * The hosts red, red01 and red02, made once for each test file (each runs by itself) and taken down when the file is
 * through. Whoever uses them leaves them in any state; {@link TestHosts.reset} brings them back.
 */
export function sharedHosts(): Promise<TestHosts> {
  // One session for each connection is enough for all that the program does.
  shared ??= makeHosts(["red", "red01", "red02"], { sshdOptions: ["MaxSessions 1"] }).then((hosts) => {
    globalThis.addEventListener("unload", () => hosts.disposeNow());
    return hosts;
  });
  return shared;
}

class Rig implements TestHosts {
  readonly hosts: ReadonlyMap<string, RigHost>;
  readonly sshConfig: string;
  readonly env: Record<string, string>;
  readonly #directory: string;
  readonly #kept: readonly string[];

  constructor(directory: string, hosts: ReadonlyMap<string, RigHost>, sshConfig: string, options: HostsOptions) {
    this.#directory = directory;
    this.#kept = ["authorized_keys", ...(options.sharedHome ? clientFiles : [])];
    this.hosts = hosts;
    this.sshConfig = sshConfig;
    this.env = { CMS_SSH: `ssh -F ${sshConfig}` };
  }

  host(name: string): RigHost {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`There is no test host "${name}"`);
    return host;
  }

  async reset(): Promise<void> {
    const hosts = [...this.hosts.values()];
    // No process of any host is left before a home, which they may share, is emptied.
    await Promise.all(hosts.map(bringUp));
    await Promise.all(hosts.map((host) => empty(host, "/tmp")));
    const homes = new Map(hosts.map((host) => [host.home, host]));
    await Promise.all([...homes.values()].map((host) => emptyHome(host, `${this.#directory}/id.pub`, this.#kept)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await each(this.hosts.values(), (host) => host.crash());
    } finally {
      await must(takeDownCommand([this.#directory]));
    }
  }

  disposeNow(): void {
    const [program, ...args] = takeDownCommand([this.#directory]);
    new Deno.Command(program ?? "", { args }).outputSync();
  }
}

/**
 * Up, link mended, no process of pi. Kills as pi, because process 1 and sshd are root's; a shell's `kill -1` spares
 * itself.
 */
async function bringUp(host: RigHost): Promise<void> {
  await host.mend();
  if (!host.isUp) await host.boot();
  await host.run("setpriv --reuid pi --regid pi --init-groups sh -c 'kill -9 -1'", { user: "root" });
}

async function empty(host: RigHost, directory: string, kept: readonly string[] = []): Promise<void> {
  const script = `left=100
until find ${directory} -xdev -mindepth 1 ${kept.map((file) => `! -path '${file}'`).join(" ")} -delete; do
  left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.01
done`;
  const { code, stderr } = await host.run(script, { user: "root" });
  if (code !== 0) throw new Error(`Cannot empty ${directory} of "${host.name}": ${stderr.trim()}`);
}

async function emptyHome(host: RigHost, publicKey: string, kept: readonly string[]): Promise<void> {
  await empty(host, "/home/pi", ["/home/pi/.ssh", ...kept.map((name) => `/home/pi/.ssh/${name}`)]);
  // Overwritten rather than replaced: owner and mode stay.
  await Deno.writeTextFile(`${host.home}/.ssh/authorized_keys`, await Deno.readTextFile(publicKey));
}
