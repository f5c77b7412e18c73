/**
 * The {@link Link} over a running agent; the same for ssh and for a local shell.
 *
 * Answers come on the agent's stdout, events on its stderr: see `agent/agent.sh`. The link adds what a live connection
 * needs: a heartbeat, a look now and then at the jobs whose end could have gone unseen, and one event for each end
 * whoever noticed it.
 *
 * @module
 */

import {
  agentProgram,
  attemptArgs,
  backlogRequest,
  BEGIN,
  dirsRequest,
  request,
  startRequest,
} from "../agent/protocol.ts";
import { limitWord } from "../agent/attempt.ts";
import type { AttemptRef } from "../job/attempt.ts";
import { type AgentEvent, type Answer, type Mark, parseAnswer, parseEvent, undirsRequest } from "../agent/protocol.ts";
import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import { Channel } from "./channel.ts";
import { Flights } from "./flights.ts";
import type {
  AttemptState,
  BacklogChange,
  ConnectOptions,
  FilePart,
  Link,
  LinkEvent,
  RemoveResult,
  StartRequest,
  TimeLimit,
} from "./link.ts";
import { chunks, joined, type Reply, Requests } from "./requests.ts";
import { lastWords, oneLine, START_UP } from "./ssh.ts";
import { withToken } from "./stage.ts";
import { keepBeat, keepLooking, type LinkTimes } from "./upkeep.ts";
import type { Cause, Transport } from "./transport.ts";

/** What {@link openAgentLink} works with. */
export interface AgentLinkOptions extends ConnectOptions {
  readonly transport: Transport;
  readonly times: LinkTimes;
}

/** Attempts in one request: a shell's argument list of tens of thousands is slow to go through. */
const ATTEMPTS_AT_ONCE = 200;
const DIRS_AT_ONCE = 64;
/** Pauses before a state `claimed` is asked for again. */
const CLAIMED_PAUSES_MS = [50, 100, 200, 400, 800, 1600];
const CLOSE_MS = 3000;
const LAST_WORDS_MS = 1000;

type Hello = Extract<Answer, { type: "hello" }>;
type RoundTrip = Extract<LinkEvent, { type: "round_trip" }>;

/**
 * Starts an agent and waits for its hello.
 * @throws {LinkError} If there is none.
 */
export async function openAgentLink(deps: Deps, machine: Machine, options: AgentLinkOptions): Promise<Link> {
  const link = new AgentLink(deps, machine, options);
  await link.open();
  return link;
}

class AgentLink implements Link {
  readonly machine: Machine;
  isShared = false;
  readonly #deps: Deps;
  readonly #options: AgentLinkOptions;
  readonly #token: string;
  readonly #channel: Channel;
  readonly #requests = new Requests();
  readonly #flights: Flights;
  readonly #stop = new AbortController();
  readonly #hello = Promise.withResolvers<Hello>();
  #state: "opening" | "open" | "closing" | "down" = "opening";
  /** Events that came before the caller could know of the link. */
  #early: (AgentEvent | RoundTrip)[] | null = [];
  #isLate = false;
  #pingedMs = 0;
  #hasBegun = false;
  #greeting: Hello | null = null;
  /** Why the link went down: the first cause counts. */
  #cause: Cause | null = null;

  constructor(deps: Deps, machine: Machine, options: AgentLinkOptions) {
    this.machine = machine;
    this.#deps = deps;
    this.#options = options;
    this.#token = deps.ids.hex(8);
    this.#flights = new Flights(options.onEvent);
    this.#hello.promise.catch(() => {});
    let child;
    try {
      child = deps.processes.spawn(options.transport.command);
    } catch (cause) {
      throw this.#error({ reason: oneLine(cause instanceof Error ? cause.message : String(cause)), lasting: true });
    }
    this.#channel = new Channel(child, deps.clock, {
      token: this.#token,
      onAnswer: (line) => this.#onLine(line),
      onEvent: (line) => this.#onEvent(parseEvent(line, options.queueId)),
    });
  }

  get boot(): string {
    return this.#greeting?.boot ?? "";
  }

  get hostname(): string {
    return this.#greeting?.hostname ?? "";
  }

  get user(): string {
    return this.#greeting?.user ?? "";
  }

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
    this.#channel.send(agentProgram({ token: this.#token, directory, queueId, role }));
    try {
      this.#greeting = await this.#hello.promise;
      if (role === "resident") this.#begin(this.#greeting);
    } catch (error) {
      await this.#channel.ended;
      throw error;
    } finally {
      late.abort();
      signal?.removeEventListener("abort", cancel);
      await limit;
    }
    if (this.#state !== "opening") throw this.#error();
    this.#state = "open";
    this.#later(() => {
      const early = this.#early ?? [];
      this.#early = null;
      for (const event of early) this.#onEvent(event);
    });
    const upkeep = { clock: this.#deps.clock, times, signal: this.#stop.signal };
    keepBeat(upkeep, {
      heardMs: () => this.#channel.heardMs,
      ping: () => this.#ping(),
      giveUp: (reason) => this.#giveUp({ reason, lasting: false }),
    });
    if (role !== "resident") return;
    // Before any start: there what stands in `JOB/` is input of every queue's job of that name.
    if (isLocal(this.machine)) void this.share("").catch(() => {});
    void this.#listen();
    keepLooking(upkeep, this, this.#flights);
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
    const last = lastWords(this.#channel.noise);
    const said = last === "" ? "" : `; the last that came: ${last}`;
    const seconds = Math.ceil(this.#options.times.helloMs / 1000);
    return { reason: `no answer within ${seconds} s${said} (${START_UP})`, lasting: false };
  }

  start(requests: readonly StartRequest[]): void {
    if (this.#options.role !== "resident") throw new Error("A visiting link starts nothing");
    if (this.#state !== "open") return;
    let text = "";
    for (const chunk of chunks(requests, DIRS_AT_ONCE)) {
      text += dirsRequest(chunk.map(({ job }) => job));
      for (const start of chunk) {
        try {
          text += startRequest(start);
          this.#flights.sent(start, this.#deps.clock.now());
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          queueMicrotask(() => this.#onEvent({ type: "refused", job: start.job, attempt: start.attempt, reason }));
        }
      }
    }
    this.#channel.send(text);
  }

  backlog(number: number, change: BacklogChange): void {
    if (this.#state === "open") this.#channel.send(backlogRequest(number, change));
  }

  prepare(jobs: readonly JobName[]): void {
    this.#sendOf(jobs, dirsRequest);
  }

  unprepare(jobs: readonly JobName[]): void {
    this.#sendOf(jobs, undirsRequest);
  }

  async ask(attempts: readonly AttemptRef[]): Promise<AttemptState[]> {
    const states = await this.#askOnce("ask", attempts);
    for (const pauseMs of CLAIMED_PAUSES_MS) {
      const open = attempts.flatMap((attempt, index) => states[index]?.type === "claimed" ? [{ attempt, index }] : []);
      if (open.length === 0) break;
      await this.#deps.clock.sleepUntil(this.#deps.clock.now() + pauseMs, this.#stop.signal);
      const again = await this.#askOnce("ask", open.map(({ attempt }) => attempt));
      for (const [i, { index }] of open.entries()) states[index] = again[i] ?? { type: "claimed" };
    }
    this.#follow(attempts, states);
    return states;
  }

  async forbid(attempts: readonly AttemptRef[]): Promise<AttemptState[]> {
    this.#mayChange();
    this.prepare(attempts.map(({ job }) => job));
    const answers = await this.#askOnce("forbid", attempts);
    // No trace after a claim that was to be made: it could not be (a full disk), and nothing is known yet.
    const states = answers.map((state): AttemptState => state.type === "none" ? { type: "claimed" } : state);
    attempts.forEach((attempt, i) => states[i]?.type === "forbidden" && this.#flights.forget(attempt));
    this.#follow(attempts, states);
    return states;
  }

  async kill(attempts: readonly AttemptRef[], options: { graceMs: number }): Promise<AttemptState[]> {
    this.#mayChange();
    if (attempts.length === 0) return [];
    await this.#request((id) =>
      request("kill", [id, Math.max(0, Math.round(options.graceMs)), ...attemptArgs(attempts)])
    );
    const states = await this.ask(attempts);
    // Where the wrapper was gone nobody else tells the end.
    if (this.#options.role === "resident") this.#flights.settle(attempts, states, this.#deps.clock.now());
    return states;
  }

  async setLimits(
    limits: readonly (AttemptRef & { limit: TimeLimit | null })[],
  ): Promise<void> {
    this.#mayChange();
    await Promise.all(
      chunks(limits, ATTEMPTS_AT_ONCE).map((chunk) => {
        const words = chunk.flatMap(({ job, attempt, limit }) => [job, attempt, limitWord(limit)]);
        return this.#request((id) => request("limit", [id, ...words]));
      }),
    );
  }

  async share(from: string): Promise<void> {
    this.#mayChange();
    const ask = (file: string) => this.#request((id) => request("shared", [id, file]));
    if (isLocal(this.machine)) await ask(".");
    else await withToken(this.#deps, from, this.#options.queueId, ask);
  }

  async remove(attempts: readonly AttemptRef[]): Promise<RemoveResult[]> {
    this.#mayChange();
    const results: RemoveResult[] = [];
    for (const chunk of chunks(attempts, ATTEMPTS_AT_ONCE)) {
      const reply = await this.#request((id) => request("remove", [id, ...attemptArgs(chunk)]));
      results.push(...chunk.map((_, i) => reply.results[i] ?? "kept"));
    }
    return results;
  }

  async marks(): Promise<Mark[]> {
    return (await this.#request((id) => request("marks", [id]))).marks;
  }

  async read({ job, attempt }: AttemptRef, file: string, { maxBytes, from }: FilePart): Promise<Uint8Array | null> {
    const words = [job, attempt, file, maxBytes, ...(from === undefined ? [] : [from])];
    const reply = await this.#request((id) => request("read", [id, ...words]));
    return reply.absent ? null : joined(reply.data);
  }

  async stage(attempts: readonly AttemptRef[], from: string): Promise<ReadonlyMap<JobName, string>> {
    this.#mayChange();
    if (this.#state !== "open") throw this.#error();
    if (this.isShared) return new Map();
    const places = new Map<JobName, string>();
    const lost = new Map<JobName, string>();
    for (const chunk of chunks(attempts, ATTEMPTS_AT_ONCE)) {
      const { directories } = await this.#request((id) => request("locate", [id, ...attemptArgs(chunk)]));
      for (const [i, { job }] of chunk.entries()) {
        const directory = directories[i];
        if (directory === undefined) lost.set(job, "cannot make or use its directory there");
        else places.set(job, directory);
      }
    }
    const { isSame, failed } = await this.#options.transport.stage(places, from, this.hostname);
    if (isSame) await this.share(from);
    this.isShared = isSame;
    return new Map([...lost, ...failed]);
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

  #mayChange(): void {
    if (this.#options.role === "onlooker") throw new Error("An onlooking link changes nothing");
  }

  /** From now on what runs is looked at now and then. */
  #follow(attempts: readonly AttemptRef[], states: readonly AttemptState[]): void {
    for (const [i, attempt] of attempts.entries()) if (states[i]?.type === "alive") this.#flights.alive(attempt);
  }

  async #askOnce(verb: "ask" | "forbid", attempts: readonly AttemptRef[]): Promise<AttemptState[]> {
    const replies = await Promise.all(
      chunks(attempts, ATTEMPTS_AT_ONCE).map((chunk) =>
        this.#request((id) => request(verb, [id, ...attemptArgs(chunk)])).then(({ states }) =>
          chunk.map((_, i) => {
            const state = states[i];
            if (state === undefined) throw this.#error({ reason: "its answer cannot be read", lasting: false });
            return state;
          })
        )
      ),
    );
    return replies.flat();
  }

  async #request(text: (id: number) => string): Promise<Reply> {
    if (this.#state !== "open") throw this.#error();
    const reply = await this.#requests.open((id) => this.#channel.send(text(id)));
    if (reply.failure !== null) throw this.#error({ reason: reply.failure, lasting: false });
    return reply;
  }

  #sendOf(jobs: readonly JobName[], request: (jobs: readonly JobName[]) => string): void {
    this.#mayChange();
    if (this.#state === "open") this.#channel.send(chunks(jobs, DIRS_AT_ONCE).map(request).join(""));
  }

  /** Events come by a stream of their own; ends are found by looking where it is lost on the way. */
  async #listen(): Promise<void> {
    const { clock } = this.#deps;
    await clock.sleepUntil(clock.now() + this.#options.times.deafMs, this.#stop.signal);
    if (this.#state !== "open" || this.#channel.hasBegun) return;
    const lookS = Math.ceil(this.#options.times.lookMs / 1000);
    const text =
      `Of ${machineText(this.machine)} nothing arrives on stderr, so that starts and ends are noticed up to ` +
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
      return this.#onEvent({ type: "round_trip", ms: this.#deps.clock.now() - this.#pingedMs });
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

  #onEvent(event: AgentEvent | RoundTrip | null): void {
    if (event === null || this.#state === "closing") return;
    if (this.#early !== null) this.#early.push(event);
    else if (event.type === "round_trip" || event.type === "no_backlog") this.#options.onEvent(event);
    else if (event.type === "done" || event.type === "removed") this.#requests.take(event);
    else if (event.type === "known" && event.state.type === "claimed") this.#tellLater(event);
    else this.#flights.tell(event);
  }

  /** A repeated start met a claim that is just being made: what becomes of it is known in a moment. */
  #tellLater({ job, attempt }: AttemptRef): void {
    this.ask([{ job, attempt }]).then(
      ([state]) => state !== undefined && this.#flights.tell({ type: "known", job, attempt, state }),
      () => {},
    );
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
    throw this.#error();
  }

  #giveUp(cause: Cause): void {
    this.#cause ??= cause;
    this.#hello.reject(this.#error());
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
    this.#hello.reject(this.#error());
    this.#requests.fail(this.#error());
    if (before === "open") {
      this.#later(() => this.#options.onEvent({ type: "down", reason: this.#cause?.reason ?? "" }));
    }
  }

  /** A turn of the event loop later: by then the caller of {@link openAgentLink} has the link. */
  #later(work: () => void): void {
    this.#deps.clock.sleepUntil(this.#deps.clock.now() + 1).then(work);
  }

  #error(cause: Cause | null = this.#cause): LinkError {
    return new LinkError(machineText(this.machine), cause?.reason ?? "the link is closed", cause?.lasting ?? false);
  }
}
