/**
 * A real Slurm on a test host: munged, slurmctld and nodes, without systemd and without cgroups. The host is the login
 * node; each node has processes, a name and a /tmp of its own and shares the home of the host's user. All of it is in
 * the host's namespaces, ports too, and ends with the host.
 *
 * @module
 */

import { quote } from "../src/names/quote.ts";
import { makeHosts, type TestHost, type TestHosts, whyNoHosts } from "./hosts.ts";
import { outcomeOf } from "./hosts/shell.ts";
import { type FullSlurmOptions, slurmFiles, type SlurmOptions } from "./slurm/configuration.ts";
import { waitUntil } from "./wait.ts";

export type { SlurmOptions } from "./slurm/configuration.ts";

/** Programs of Debian's packages slurm-wlm and munge that a test Slurm is made with. */
const PROGRAMS = ["munged", "mungekey", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel"];

const HERE = "/run/slurm";
const LIMIT_MS = 30_000;

/** A Slurm that runs. Made by {@link startSlurm}. */
export class TestSlurm {
  readonly nodes: readonly string[];
  readonly #host: TestHost;

  /** Use {@link startSlurm}. */
  constructor(host: TestHost, { nodes }: FullSlurmOptions) {
    this.#host = host;
    this.nodes = nodes;
  }

  /** Runs sh -c text on the login node, in the user's home, as the user. @throws {Error} If it fails. */
  async ok(script: string, options: { user?: "pi" | "root" } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.#host.run(script, options);
    if (code !== 0) throw new Error(`Cannot run "${script}": it ended with ${code}: ${stderr.trim()}`);
    return stdout;
  }

  /** The same as Slurm's administrator. */
  admin(script: string): Promise<string> {
    return this.ok(script, { user: "root" });
  }

  /** Runs sh -c text among the processes of a node, in the user's home. */
  async onNode(name: string, script: string, { user = "pi" }: { user?: "pi" | "root" } = {}): Promise<string> {
    const enter = `nsenter --target="$(cat ${HERE}/${name}.pid)" --mount --uts --ipc --pid`;
    const drop = user === "root" ? "" : "setpriv --reuid pi --regid pi --init-groups";
    return await this.admin(`${enter} -- ${drop} env HOME=/home/pi sh -c ${quote(`cd; ${script}`)}`);
  }

  /** Ends all that runs on a node at once, as a power cut would. */
  async crashNode(name: string): Promise<void> {
    await this.admin(`cd ${HERE}; kill -KILL "$(cat ${name}.pid)"; rm -f ${name}.pid`);
  }

  /** Stops slurmd on a node, so that it hears and says nothing. Jobs go on. */
  async stopNode(name: string): Promise<void> {
    await this.onNode(name, `kill -STOP "$(cat ${HERE}/slurmd.${name}.pid)"`, { user: "root" });
  }

  /** Undoes {@link stopNode}. */
  async goOn(name: string): Promise<void> {
    await this.onNode(name, `kill -CONT "$(cat ${HERE}/slurmd.${name}.pid)"`, { user: "root" });
  }

  /** Starts a node. */
  async bootNode(name: string): Promise<void> {
    await this.admin(`sh ${HERE}/node.sh ${name}`);
    await this.#waitForNodes([name]);
  }

  /** Ends slurmctld at once, as a crash would. */
  async crashControl(): Promise<void> {
    await this.admin(`cd ${HERE}; kill -KILL "$(cat slurmctld.pid)"; rm -f slurmctld.pid`);
  }

  /** Starts slurmctld on the state that the last one saved. */
  async startControl(): Promise<void> {
    await this.admin("slurmctld");
    await this.#waitForControl();
  }

  /** States of all jobs that Slurm knows, as `ID STATE REASON`. */
  async jobs(): Promise<string[]> {
    const text = await this.ok("squeue -h -r --states=all -O 'JobID: ,State: ,Reason:'");
    return text.split("\n").filter(Boolean).map((line) => line.trim());
  }

  /**
   * Brings it back to its first state: slurmctld and all nodes up, no jobs. Those of earlier tests are still listed.
   */
  async reset(): Promise<void> {
    const isUp = await this.#host.run("scontrol ping");
    if (isUp.code !== 0) await this.startControl();
    const down = await this.admin(
      `cd ${HERE}; for n in ${this.nodes.join(" ")}; do [ -e "$n.pid" ] || echo "$n"; done`,
    );
    for (const name of down.split("\n").filter(Boolean)) await this.bootNode(name);
    const resume = `scontrol update nodename=${this.nodes.join(",")} state=resume 2>/dev/null || :`;
    await this.admin(`scancel --quiet --user=pi; ${resume}`);
    await waitUntil(
      async () => `the last job of Slurm: ${await this.jobs()}`,
      async () => (await this.ok("squeue -h --states=PD,CF,R,S,CG")) === "",
      { limitMs: LIMIT_MS },
    );
    await this.#waitForNodes(this.nodes);
  }

  /** Waits until it takes jobs. */
  async ready(): Promise<void> {
    await this.#waitForControl();
    await this.#waitForNodes(this.nodes);
  }

  async #waitForControl(): Promise<void> {
    await waitUntil(() => this.#log(), async () => (await this.#host.run("scontrol ping")).code === 0, {
      limitMs: LIMIT_MS,
    });
  }

  async #waitForNodes(names: readonly string[]): Promise<void> {
    await waitUntil(() => this.#log(), async () => {
      const text = await this.ok("sinfo -h -N -t idle,mixed,allocated -O NodeList:");
      const up = new Set(text.split("\n").map((line) => line.trim()));
      return names.every((name) => up.has(name));
    }, { limitMs: LIMIT_MS });
  }

  async #log(): Promise<string> {
    const { stdout } = await this.#host.run(`sinfo; tail -n 15 ${HERE}/*.log`, { user: "root" });
    return `Slurm on "${this.#host.name}":\n${stdout}`;
  }
}

/**
 * Starts a Slurm on a host that is up, and waits until it takes jobs. @throws {Error} If it does not; with the ends of
 * its logs.
 */
export async function startSlurm(host: TestHost, options: SlurmOptions = {}): Promise<TestSlurm> {
  const full = { nodes: ["n1", "n2"], cpus: 8, killWait: 10, ...options };
  const files = slurmFiles(host.name, full);
  const here = new URL("./slurm/", import.meta.url);
  const scripts = ["node.sh", "node_init.sh", "start.sh"];
  for (const name of scripts) files[name] = await Deno.readTextFile(new URL(name, here));
  const slurm = new TestSlurm(host, full);
  const write = Object.entries(files).map(([name, text]) => `printf %s ${quote(text)} >${name}`);
  await slurm.admin([`mkdir -p ${HERE} && cd ${HERE}`, ...write, `sh start.sh ${full.nodes.join(" ")}`].join("\n"));
  await slurm.ready();
  return slurm;
}

/** Why no Slurm can be started here, in one line; null if one can. */
export async function whyNoSlurm(): Promise<string | null> {
  const noHosts = await whyNoHosts();
  if (noHosts !== null) return noHosts;
  const time = "unshare --time true 2>/dev/null || echo 'namespaces of time'";
  const look = `PATH=$PATH:/usr/sbin; for p; do command -v "$p" >/dev/null || echo "$p"; done; ${time}`;
  const { stdout } = await outcomeOf(["sh", "-c", look, "sh", ...PROGRAMS]);
  const missing = stdout.trim().split("\n").filter(Boolean);
  return missing.length === 0 ? null : `a Slurm needs ${missing.join(", ")}`;
}

/** What tests of Slurm share. */
export interface SlurmRig {
  /** The hosts `login` and `red`, with one home. */
  readonly hosts: TestHosts;
  /** The login node: all commands of Slurm work there. */
  readonly login: TestHost;
  /** Nodes n1 and n2 of 8 CPUs each. */
  readonly slurm: TestSlurm;
}

let shared: Promise<SlurmRig> | undefined;

/** The rig, made once for each test file and taken down when the file is through. */
export function sharedSlurm(): Promise<SlurmRig> {
  shared ??= makeHosts(["login", "red"], { sharedHome: true }).then(async (hosts) => {
    globalThis.addEventListener("unload", () => hosts.disposeNow());
    const login = hosts.host("login");
    return { hosts, login, slurm: await startSlurm(login) };
  });
  return shared;
}
