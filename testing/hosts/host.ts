/**
 * One test host: its processes, its power and its cable.
 *
 * @module
 */

import { waitUntil } from "../wait.ts";
import { startTimeOf } from "./leftovers.ts";
import type { RigNetwork } from "./network.ts";
import { testUser } from "./rig_files.ts";
import { type Outcome, outcomeOf } from "./shell.ts";

const initScript = new URL("./init.sh", import.meta.url).pathname;
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A host that is up: process 1 and what holds it. */
interface Boot {
  /** `unshare`, the parent of process 1. It ends after everything in the host has. */
  readonly holder: Deno.ChildProcess;
  /** Held open: the host ends when this does. */
  readonly stdin: WritableStreamDefaultWriter<Uint8Array>;
  /** Process 1, as the machine sees it. */
  readonly pid: number;
  /** Machine's end of the network link. */
  readonly end: string;
}

/** A host of a rig; see `TestHost` in `../hosts.ts` for what each member promises. */
export class RigHost {
  /** Host name. */
  readonly name: string;
  /** IPv4 address. */
  readonly address: string;
  /** Its one user. */
  readonly user: "pi" = testUser;
  /** The home directory on the machine. */
  readonly home: string;
  readonly #rig: string;
  readonly #index: number;
  readonly #network: RigNetwork;
  #boot: Boot | null = null;
  #isCut = false;

  /** A host that is down. @param index Its number in the rig, from 0. @param home Its home directory on the machine. */
  constructor(name: string, rig: string, index: number, network: RigNetwork, home: string) {
    this.name = name;
    this.address = network.addressOf(index);
    this.home = home;
    this.#rig = rig;
    this.#index = index;
    this.#network = network;
  }

  /** Whether it has power. */
  get isUp(): boolean {
    return this.#boot !== null;
  }

  /**
   * Gives it power; resolves when sshd answers. @throws {Error} If it is up, or does not come up; then with the end of
   * its log.
   */
  async boot(): Promise<void> {
    if (this.#boot) throw new Error(`Cannot boot "${this.name}": it is up`);
    const holder = new Deno.Command("unshare", {
      args: [
        ...["--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child"],
        ...["sh", initScript, this.name, this.#rig, this.user, this.home],
      ],
      clearEnv: true,
      env: { PATH: path },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      // A session of its own: an interrupt from the terminal is for the tests.
      detached: true,
    }).spawn();
    const stdin = holder.stdin.getWriter();
    const pid = Number(await firstLine(holder.stdout));
    try {
      if (!pid) throw new Error("process 1 did not start");
      await Deno.writeTextFile(`${this.#rig}/${this.name}/pid`, `${pid} ${startTimeOf(pid)}\n`);
      const end = await this.#network.attach(this.#index, pid, { up: !this.#isCut });
      this.#boot = { holder, stdin, pid, end };
      await stdin.write(new TextEncoder().encode(`${this.address}\n`));
      await this.#waitForSshd(pid);
      // A host that is up must not keep a test process from ending.
      holder.unref();
    } catch (cause) {
      const log = await Deno.readTextFile(`${this.#rig}/${this.name}/log`).catch(() => "");
      if (this.#boot) await this.crash();
      else await this.#end(holder, stdin, pid);
      throw new Error(`Cannot boot "${this.name}": ${(cause as Error).message}: ${log.slice(-500).trim()}`, { cause });
    }
  }

  /** Ends it all at once, in silence. */
  async crash(): Promise<void> {
    const boot = this.#boot;
    if (!boot) return;
    this.#boot = null;
    // The cable first: a machine without power says no goodbye on its connections.
    await this.#network.detach(boot.end);
    await this.#end(boot.holder, boot.stdin, boot.pid);
  }

  /** Takes the link down, and keeps it down over boots. */
  async cut(): Promise<void> {
    this.#isCut = true;
    if (this.#boot) await this.#network.setLink(this.#boot.end, "down");
  }

  /** Takes the link up. */
  async mend(): Promise<void> {
    this.#isCut = false;
    if (this.#boot) await this.#network.setLink(this.#boot.end, "up");
  }

  /** Runs text with `sh -c` inside. */
  async run(script: string, options: { user?: "pi" | "root" } = {}): Promise<Outcome> {
    const user = options.user ?? this.user;
    const home = user === "root" ? "/root" : `/home/${user}`;
    return await outcomeOf(this.command(["sh", "-c", `cd; ${script}`], { user }), {
      env: { PATH: path, HOME: home, USER: user, LOGNAME: user, SHELL: "/bin/sh" },
    });
  }

  /** The command that runs another inside; KILL for it is KILL for that. */
  command(inside: readonly string[], options: { user?: "pi" | "root" } = {}): string[] {
    if (!this.#boot) throw new Error(`Cannot run a command on "${this.name}": it is down`);
    const user = options.user ?? this.user;
    const drop = user === "root" ? [] : ["--reuid", user, "--regid", user, "--init-groups"];
    const enter = ["nsenter", `--target=${this.#boot.pid}`, "--mount", "--uts", "--ipc", "--net", "--pid", "--"];
    return [...enter, "setpriv", "--pdeathsig", "KILL", ...drop, ...inside];
  }

  /** Ends process 1; resolves when nothing of the host is left. */
  async #end(holder: Deno.ChildProcess, stdin: WritableStreamDefaultWriter<Uint8Array>, pid: number): Promise<void> {
    try {
      if (pid) Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    holder.ref();
    await Promise.all([holder.status, stdin.close().catch(() => {})]);
    await Deno.remove(`${this.#rig}/${this.name}/pid`).catch(() => {});
  }

  /** sshd writes its pid file once it listens. Looked at from inside, so that it works while the link is cut. */
  async #waitForSshd(pid: number): Promise<void> {
    await waitUntil(`sshd of "${this.name}"`, () => Deno.stat(`/proc/${pid}/root/run/sshd.pid`));
    if (this.#isCut) return;
    await waitUntil(`an answer of sshd of "${this.name}"`, async () => {
      using connection = await Deno.connect({ hostname: this.address, port: 22 });
      return await connection.read(new Uint8Array(64));
    });
  }
}

/** The first line of a stream; the stream is closed then. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
