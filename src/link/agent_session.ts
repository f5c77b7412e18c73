/**
 * The connection to a running agent: from its start and its hello to its end. Answers come on the agent's stdout,
 * events on its stderr: see `agent/agent.sh`. The session numbers requests, keeps up a heartbeat, and knows why it
 * ended.
 *
 * @module
 */

import {
  type AgentEvent,
  agentProgram,
  type Answer,
  BEGIN,
  parseAnswer,
  parseEvent,
  request,
} from "../agent/protocol.ts";
import type { Closing, NoBacklog } from "../agent/protocol.ts";
import type { AttemptEvent } from "../agent/attempt.ts";
import { type Machine, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { Channel } from "./channel.ts";
import type { ConnectOptions, LinkEvent } from "./link.ts";
import { type Reply, Requests } from "./requests.ts";
import { lateReason, oneLine, START_UP } from "./ssh.ts";
import { startFor } from "./started.ts";
import { keepBeat, type LinkTimes, type Upkeep } from "./upkeep.ts";
import type { Cause, Transport } from "./transport.ts";

/** What an {@link AgentSession} works with. */
export interface SessionOptions extends ConnectOptions {
  readonly transport: Transport;
  readonly times: LinkTimes;
  /** Takes what the agent, or the session, reports about attempts and backlogs. */
  readonly onAgentEvent: (event: SessionEvent) => void;
}

/** Left to a process when a link opens: for files of the queue; in a run also for two copies of files to machines. */
const SPARE_FILES = { resident: 16, visitor: 4, onlooker: 4 } as const;
const CLOSE_MS = 3000;
const LAST_WORDS_MS = 1000;

type Hello = Extract<Answer, { type: "hello" }>;
type RoundTrip = Extract<LinkEvent, { type: "round_trip" }>;

/** What a session passes on. */
export type SessionEvent = AttemptEvent | NoBacklog | Closing | RoundTrip;

/** One agent's process. */
export class AgentSession {
  /** What its hello said; null before. */
  greeting: Hello | null = null;
  readonly #machine: Machine;
  readonly #deps: Deps;
  readonly #options: SessionOptions;
  readonly #token: string;
  readonly #channel: Channel;
  readonly #requests = new Requests();
  readonly #stop = new AbortController();
  readonly #hello = Promise.withResolvers<Hello>();
  #state: "opening" | "open" | "closing" | "down" = "opening";
  /** Events that came before the caller could know of the link. */
  #early: (AgentEvent | SessionEvent)[] | null = [];
  #isLate = false;
  #pingedMs = 0;
  #hasBegun = false;
  /** Why the link went down: the first cause counts. */
  #cause: Cause | null = null;

  constructor(deps: Deps, machine: Machine, options: SessionOptions) {
    this.#machine = machine;
    this.#deps = deps;
    this.#options = options;
    this.#token = deps.ids.hex(8);
    this.#hello.promise.catch(() => {});
    const child = startFor(deps, machine, options.transport.command, { spare: SPARE_FILES[options.role] });
    this.#channel = new Channel(child, deps.clock, {
      token: this.#token,
      onAnswer: (line) => this.#onLine(line),
      onEvent: (line) => this.take(parseEvent(line, options.queueId)),
    });
  }

  /** True while requests reach the agent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** With what the session is kept up. */
  get upkeep(): Upkeep {
    return { clock: this.#deps.clock, times: this.#options.times, signal: this.#stop.signal };
  }

  /** Sends requests that have no answer. */
  send(text: string): void {
    this.#channel.send(text);
  }

  /** Waits for the hello, and lets a resident agent begin. @throws {LinkError} If there is none. */
  async open(): Promise<void> {
    const { signal, times, directory, queueId, role } = this.#options;
    this.#channel.ended.then(({ code, noise }) => this.#onEnd(code, noise));
    const cancel = () => this.#giveUp({ reason: "cancelled", lasting: false });
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    const late = new AbortController();
    const limit = this.#deps.clock.sleepUntil(this.#deps.clock.now() + times.helloMs, late.signal).then(() => {
      if (!late.signal.aborted) this.#endLate();
    });
    const { prologue = "", as } = this.#options.transport;
    const isBare = this.#deps.environment.get("CMS_LAUNCHER") === "no";
    this.#channel.send(prologue + agentProgram({ token: this.#token, directory, queueId, role, as, isBare }));
    try {
      this.greeting = await this.#hello.promise;
      if (role === "resident") this.#begin(this.greeting);
    } catch (error) {
      await this.#channel.ended;
      throw error;
    } finally {
      late.abort();
      signal?.removeEventListener("abort", cancel);
      await limit;
    }
    if (this.#state !== "opening") throw this.error();
    this.#state = "open";
    this.#later(() => {
      const early = this.#early ?? [];
      this.#early = null;
      for (const event of early) this.take(event);
    });
    keepBeat(this.upkeep, {
      heardMs: () => this.#channel.heardMs,
      ping: () => this.#ping(),
      giveUp: (reason) => this.#giveUp({ reason, lasting: false }),
    });
    if (role === "resident") void this.#listen();
  }

  /**
   * No hello came. A shell that waits for the end of its input (fish) gets it, and a moment to say what it makes of the
   * agent.
   */
  #endLate(): void {
    this.#isLate = true;
    this.#channel.close();
    const { clock } = this.#deps;
    const over = clock.sleepUntil(clock.now() + LAST_WORDS_MS, this.#stop.signal);
    over.then(() => this.#giveUp(this.#lateCause()));
  }

  #lateCause(): Cause {
    return { reason: lateReason(this.#options.times.helloMs, this.#channel.noise), lasting: false };
  }

  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#stop.abort();
      this.#channel.close();
      const closed = new AbortController();
      const limit = this.#deps.clock.sleepUntil(this.#deps.clock.now() + CLOSE_MS, closed.signal);
      await Promise.race([this.#channel.ended, limit]);
      closed.abort();
      this.#channel.kill();
    }
    await this.#channel.ended;
  }

  async request(text: (id: number) => string, mostBytes?: number): Promise<Reply> {
    if (this.#state !== "open") throw this.error();
    const reply = await this.#requests.open((id) => this.#channel.send(text(id)), mostBytes);
    if (reply.failure !== null) throw this.error({ reason: reply.failure, lasting: false });
    return reply;
  }

  /** Events come by a stream of their own; ends are found by looking where it is lost on the way. */
  async #listen(): Promise<void> {
    const { clock } = this.#deps;
    await clock.sleepUntil(clock.now() + this.#options.times.deafMs, this.#stop.signal);
    if (this.#state !== "open" || this.#channel.hasBegun) return;
    const lookS = Math.ceil(this.#options.times.lookMs / 1000);
    const text =
      `Of ${machineText(this.#machine)} nothing arrives on stderr, so that starts and ends are noticed up to ` +
      `${
        2 * lookS
      } s late: look at its start-up files and at what the way to it (ProxyCommand, gateway, CMS_SSH) does with stderr`;
    this.#options.onEvent({ type: "notice", text });
  }

  #ping(): void {
    this.#pingedMs = this.#deps.clock.now();
    this.#channel.send(request("ping", [0]));
  }

  /** The first one says that the agent has begun, which takes it longer than any answer. */
  #onPong(): void {
    if (this.#hasBegun) {
      return this.take({ type: "round_trip", ms: this.#deps.clock.now() - this.#pingedMs });
    }
    this.#hasBegun = true;
    this.#channel.letGo();
    this.#ping();
  }

  #onLine(line: string): boolean {
    const answer = parseAnswer(line, this.#token);
    if (answer !== null) this.#onAnswer(answer);
    // The agent runs, but nobody gave it its token: something has read the first lines that we sent.
    else if (/^ (hello|need) [01] /.test(line)) {
      this.#giveUp({ reason: `something there reads what is sent to its shell (${START_UP})`, lasting: true });
    }
    return answer !== null;
  }

  #onAnswer(answer: Answer): void {
    if (answer.type === "pong") this.#onPong();
    else if (answer.type === "hello") this.#hello.resolve(answer);
    else if (answer.type === "need") this.#giveUp({ reason: oneLine(answer.reason), lasting: answer.lasting });
    else this.#requests.take(answer);
  }

  /** Takes in an event: of the agent, or of the link's own. Null is none. */
  take(event: AgentEvent | SessionEvent | null): void {
    if (event === null || this.#state === "closing") return;
    if (this.#early !== null) this.#early.push(event);
    else if ("request" in event) this.#requests.take(event);
    else this.#options.onAgentEvent(event);
  }

  /**
   * A resident agent ends an earlier one: two links to one place would end each other's for ever. Until it has begun no
   * later one can end it, so it gets nothing to do before it says so: a start that it still held could come to life
   * after its job was reset.
   */
  #begin({ boot, user, directory }: Hello): void {
    if (this.#options.admit?.(`${boot} ${user} ${directory}`) !== false) {
      this.#channel.send(BEGIN);
      this.#ping();
      return this.#channel.hold();
    }
    this.#giveUp({ reason: "another link leads to the same machine", lasting: true });
    throw this.error();
  }

  #giveUp(cause: Cause): void {
    this.#cause ??= cause;
    this.#hello.reject(this.error());
    this.#channel.kill();
  }

  #onEnd(code: number, noise: string): void {
    const before = this.#state;
    this.#cause ??= before === "closing"
      ? { reason: "the link is closed", lasting: false }
      : code === 0 && before === "open"
      ? { reason: "its agent has ended (another took its place, or its directory was removed)", lasting: false }
      : this.#isLate
      ? this.#lateCause()
      : this.#options.transport.explain(noise, code);
    this.#state = "down";
    this.#stop.abort();
    this.#hello.reject(this.error());
    this.#requests.fail(this.error());
    if (before === "open") {
      this.#later(() => this.#options.onEvent({ type: "down", reason: this.#cause?.reason ?? "" }));
    }
  }

  /** A turn of the event loop later: by then the caller of {@link AgentSession.open} has the link. */
  #later(work: () => void): void {
    this.#deps.clock.sleepUntil(this.#deps.clock.now() + 1).then(work);
  }

  error(cause: Cause | null = this.#cause): LinkError {
    return new LinkError(machineText(this.#machine), cause?.reason ?? "the link is closed", cause?.lasting ?? false);
  }
}
