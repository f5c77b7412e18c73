/**
 * Asks machines how they are, all at once, for `cluster check`. The far end is `probe.sh`. It is no agent: no job, no
 * queue and no directory of the program is touched.
 *
 * @module
 */

import { withoutComments } from "../agent/shell_text.ts";
import { request } from "../agent/protocol.ts";
import { isLocal, type Machine } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { Channel } from "./channel.ts";
import { Gate } from "./gate.ts";
import { localTransport } from "./local.ts";
import probeText from "./probe.sh" with { type: "text" };
import { explainSsh, lateReason, oneLine, sshCommand } from "./ssh.ts";
import type { Transport } from "./transport.ts";

/** Machines asked at once; each takes an ssh process of the manager. */
const AT_ONCE = 128;
const HANDSHAKES = 16;
/** ssh itself gives up after ten seconds; a GPU's driver may take some more. */
const LIMIT_MS = 30_000;
/** The number by which the manager's own directory takes part. */
const MANAGER = "m";

/** What a machine says of itself. */
export interface MachineFacts {
  /** Host name and boot: the same for two names of one machine. */
  readonly machine: string;
  /** Until its shell answered. */
  readonly connectMs: number;
  /** Its clock against ours; positive if it is ahead. null where it does not say. */
  readonly clockMs: number | null;
  /** Programs that every job needs, and those that only jobs with input files need. */
  readonly missing: readonly string[];
  readonly missingForInput: readonly string[];
  readonly hasProc: boolean;
  /** The user's login shell, and the program that is `sh`. */
  readonly login: string;
  readonly shell: string;
  /** GPUs as the machine itself sees them. */
  readonly gpus: readonly string[];
  /** Room on the disk of the experiment directory. */
  readonly roomKiB: number | null;
  /** The directory in which nothing could be written, and why; null if all is well. */
  readonly unwritable: string | null;
  /** Ids of queues that have worked there, and whether a run is connected for each. */
  readonly queues: readonly { readonly id: string; readonly isLive: boolean }[];
  /** Machines (places in the list that was asked) whose experiment directory is this very one; -1 for the manager. */
  readonly sharesWith: readonly number[];
}

/** What came of asking a machine. `unfinished`: why what it says of itself ended early. */
export type ProbeResult =
  | { readonly type: "silent"; readonly reason: string }
  | { readonly type: "told"; readonly facts: MachineFacts; readonly unfinished: string | null };

/** Asks machines. `directory` is the experiment on hosts, `here` on the manager. */
export type Probe = (
  machines: readonly Machine[],
  options: { readonly directory: string; readonly here: string },
) => Promise<ProbeResult[]>;

const program = withoutComments(probeText) + "\n";

/** Makes the function that asks. */
export function makeProbe(deps: Deps): Probe {
  return async (machines, options) => {
    const results: ProbeResult[] = [];
    for (let at = 0; at < machines.length; at += AT_ONCE) {
      const group = await probeGroup(deps, machines.slice(at, at + AT_ONCE), options, at);
      results.push(...group);
    }
    return results;
  };
}

/** All are asked, and only when each has answered or given up they look for each other's files. */
async function probeGroup(
  deps: Deps,
  machines: readonly Machine[],
  { directory, here }: { directory: string; here: string },
  first: number,
): Promise<ProbeResult[]> {
  const token = deps.ids.hex(8);
  const gate = new Gate(HANDSHAKES);
  const own = `${here}/.cms-check.${token}.${MANAGER}`;
  const sessions = machines.map((machine, i) =>
    new Session(deps, machine, { token, number: first + i, directory: isLocal(machine) ? here : directory })
  );
  try {
    await deps.files.openAppend(own, { create: true }).then((file) => file?.close(), () => {});
    await Promise.all(sessions.map((session) => session.ask(gate)));
    await Promise.all(sessions.map((session) => session.look()));
    return sessions.map((session) => session.result());
  } finally {
    await deps.files.remove(own).catch(() => false);
    await Promise.all(sessions.map((session) => session.end()));
  }
}

/** One machine. */
class Session {
  readonly #deps: Deps;
  readonly #options: { readonly token: string; readonly number: number; readonly directory: string };
  readonly #transport: Pick<Transport, "command" | "explain">;
  readonly #reached = Promise.withResolvers<void>();
  readonly #told = Promise.withResolvers<void>();
  readonly #looked = Promise.withResolvers<void>();
  readonly #said = new Map<string, string[]>();
  #channel: Channel | null = null;
  #beganMs = 0;
  #connectMs: number | null = null;
  #clockMs: number | null = null;
  /** Why it is over; null while it goes on. */
  #over: string | null = null;

  constructor(deps: Deps, machine: Machine, options: { token: string; number: number; directory: string }) {
    this.#deps = deps;
    this.#options = options;
    this.#transport = isLocal(machine) ? localTransport(["sh"]) : {
      command: sshCommand(deps.environment, machine, "exec sh"),
      explain: (noise, code) => explainSsh(machine, noise, code),
    };
  }

  /** Resolves when it has reported all, or nothing more is to be expected. */
  async ask(gate: Gate): Promise<void> {
    await gate.pass(async () => {
      this.#open();
      await this.#orLimit(this.#reached.promise);
    });
    await this.#orLimit(this.#told.promise);
  }

  /** Lets it look for the others' files. */
  async look(): Promise<void> {
    if (this.#over !== null || !this.#said.has("told")) return;
    this.#channel?.send(request("look", []));
    await this.#orLimit(this.#looked.promise);
  }

  async end(): Promise<void> {
    const channel = this.#channel;
    if (channel === null) return;
    channel.close();
    const { clock } = this.#deps;
    const ended = new AbortController();
    await Promise.race([channel.ended, clock.sleepUntil(clock.now() + 2_000, ended.signal)]);
    ended.abort();
    channel.kill();
  }

  result(): ProbeResult {
    if (this.#connectMs === null) return { type: "silent", reason: this.#over ?? "it did not answer" };
    const all = (word: string): readonly string[] => this.#said.get(word) ?? [];
    const one = (word: string): string => all(word)[0] ?? "";
    const sees = all("sees").map((text) => text === MANAGER ? -1 : Number(text));
    return {
      type: "told",
      unfinished: this.#said.has("told") ? null : this.#over,
      facts: {
        machine: one("machine"),
        connectMs: this.#connectMs,
        clockMs: this.#clockMs,
        missing: one("missing").split(" ").filter(Boolean),
        missingForInput: one("missing_for_input").split(" ").filter(Boolean),
        hasProc: !this.#said.has("no_proc"),
        login: one("login"),
        shell: one("shell"),
        gpus: all("gpu"),
        roomKiB: /^[0-9]{1,15}$/.test(one("room")) ? Number(one("room")) : null,
        unwritable: this.#said.has("unwritable") ? one("unwritable").trim() : null,
        queues: all("queue").map((text) => ({ id: text.split(" ")[0]!, isLive: text.endsWith(" 1") })),
        sharesWith: sees.filter((number) => number !== this.#options.number).sort((a, b) => a - b),
      },
    };
  }

  #open(): void {
    const { clock, processes } = this.#deps;
    const { token, number, directory } = this.#options;
    this.#beganMs = clock.now();
    try {
      this.#channel = new Channel(processes.spawn(this.#transport.command), clock, {
        token,
        onAnswer: (line) => this.#onLine(line),
        onEvent: () => {},
      });
    } catch (error) {
      return this.#finish(oneLine(error instanceof Error ? error.message : String(error)));
    }
    this.#channel.ended.then(({ code, noise }) => this.#finish(this.#transport.explain(noise, code).reason));
    this.#channel.send(program + request("probe", [token, directory, number]));
  }

  #onLine(line: string): boolean {
    const { token } = this.#options;
    if (!line.startsWith(`${token} `)) return false;
    const [word = "", ...rest] = line.slice(token.length + 1).split(" ");
    const text = rest.join(" ").slice(0, 500);
    const { clock } = this.#deps;
    if (word === "here") {
      this.#connectMs = clock.now() - this.#beganMs;
      this.#reached.resolve();
    }
    if (word === "clock") this.#clockMs = clockOffset(text, clock.epochMs());
    this.#said.set(word, [...this.#said.get(word) ?? [], text]);
    if (word === "told") this.#told.resolve();
    if (word === "looked") this.#looked.resolve();
    return true;
  }

  async #orLimit(step: Promise<void>): Promise<void> {
    const { clock } = this.#deps;
    const done = new AbortController();
    const late = clock.sleepUntil(this.#beganMs + LIMIT_MS, done.signal).then(() => {
      if (!done.signal.aborted) this.#finish(lateReason(LIMIT_MS, this.#channel?.noise ?? ""));
    });
    await step;
    done.abort();
    await late;
  }

  #finish(reason: string): void {
    this.#over ??= reason;
    this.#reached.resolve();
    this.#told.resolve();
    this.#looked.resolve();
    this.#channel?.kill();
  }
}

/** `1769860800.123456789`, or whole seconds where the machine has no finer ones. */
function clockOffset(text: string, nowMs: number): number | null {
  const [, seconds, fraction] = /^([0-9]{1,12})(?:\.([0-9]{9}))?/.exec(text) ?? [];
  if (seconds === undefined) return null;
  return Number(seconds) * 1000 + (fraction === undefined ? 500 : Number(fraction) / 1e6) - nowMs;
}
