/**
 * The {@link Link} over a running agent; the same for ssh and for a local shell. It makes requests of what a run or a
 * command asks for, and passes on one event for each end, whoever noticed it. `agent_session.ts` has the connection.
 *
 * @module
 */

import { machineOfBoot } from "../agent/boot.ts";
import { attemptArgs, backlogRequest, dirsRequest, request, startRequest, undirsRequest } from "../agent/protocol.ts";
import { limitWord } from "../agent/attempt.ts";
import type { GpuUse } from "../agent/gpu_use.ts";
import type { Mark } from "../agent/protocol.ts";
import { isLocal, type Machine } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import type { AttemptRef } from "../job/attempt.ts";
import type { JobName } from "../names/grammar.ts";
import { AgentSession, type SessionEvent, type SessionOptions } from "./agent_session.ts";
import { UnreportedEnds } from "./unreported_ends.ts";
import type {
  AttemptState,
  BacklogChange,
  FilePart,
  Link,
  RemoveResult,
  SendFiles,
  StartRequest,
  TimeLimit,
} from "./link.ts";
import { chunks } from "./requests.ts";
import { type SentPath, sourceOf } from "./sent_path.ts";
import type { FileSender } from "./transport.ts";
import { withToken } from "./stage.ts";
import { keepLooking } from "./upkeep.ts";

/** What {@link openAgentLink} works with. */
export type AgentLinkOptions = Omit<SessionOptions, "onAgentEvent">;

/** Attempts in one request: a shell's argument list of tens of thousands is slow to go through. */
const ATTEMPTS_AT_ONCE = 200;
const DIRS_AT_ONCE = 64;
/** The event `down` is told by then. */
const DOWN_MS = 10;
/** Pauses before a state `claimed` is asked for again. */
const CLAIMED_PAUSES_MS = [50, 100, 200, 400, 800, 1600];

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
  readonly #session: AgentSession;
  readonly #ends: UnreportedEnds;
  #sender: FileSender | null = null;

  constructor(deps: Deps, machine: Machine, options: AgentLinkOptions) {
    this.machine = machine;
    this.#deps = deps;
    this.#options = options;
    this.#ends = new UnreportedEnds(options.onEvent);
    this.#session = new AgentSession(deps, machine, { ...options, onAgentEvent: (event) => this.#onEvent(event) });
  }

  get boot(): string {
    return this.#session.greeting?.boot ?? "";
  }

  get hostname(): string {
    return this.#session.greeting?.hostname ?? "";
  }

  get user(): string {
    return this.#session.greeting?.user ?? "";
  }

  async open(): Promise<void> {
    await this.#session.open();
    if (this.#options.role !== "resident") return;
    // Before any start: there what stands in `JOB/` is input of every queue's job of that name.
    if (isLocal(this.machine)) void this.share("").catch(() => {});
    keepLooking(this.#session.upkeep, this, this.#ends);
  }

  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#sender?.close()]);
  }

  start(requests: readonly StartRequest[]): void {
    if (this.#options.role !== "resident") throw new Error("A visiting link starts nothing");
    if (!this.#session.isOpen) return;
    let text = "";
    for (const chunk of chunks(requests, DIRS_AT_ONCE)) {
      text += dirsRequest(chunk.map(({ job }) => job));
      for (const start of chunk) {
        try {
          text += startRequest(start);
          this.#ends.sent(start, this.#deps.clock.now());
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          queueMicrotask(() => this.#session.take({ type: "refused", job: start.job, attempt: start.attempt, reason }));
        }
      }
    }
    this.#session.send(text);
  }

  backlog(number: number, change: BacklogChange): void {
    if (this.#session.isOpen) this.#session.send(backlogRequest(number, change));
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
      await this.#deps.clock.sleepUntil(this.#deps.clock.now() + pauseMs, this.#session.signal);
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
    attempts.forEach((attempt, i) => states[i]?.type === "forbidden" && this.#ends.forget(attempt));
    this.#follow(attempts, states);
    return states;
  }

  async kill(attempts: readonly AttemptRef[], options: { graceMs: number }): Promise<AttemptState[]> {
    this.#mayChange();
    if (attempts.length === 0) return [];
    await this.#session.request((id) =>
      request("kill", [id, Math.max(0, Math.round(options.graceMs)), ...attemptArgs(attempts)])
    );
    const asked = this.#ends.toAsk(attempts);
    const states = await this.ask(attempts);
    // Where the wrapper was gone nobody else reports the end.
    if (this.#options.role === "resident") this.#ends.settle(asked, states, this.#deps.clock.now());
    return states;
  }

  async setLimits(
    limits: readonly (AttemptRef & { limit: TimeLimit | null })[],
  ): Promise<void> {
    this.#mayChange();
    await Promise.all(
      chunks(limits, ATTEMPTS_AT_ONCE).map((chunk) => {
        const words = chunk.flatMap(({ job, attempt, limit }) => [job, attempt, limitWord(limit)]);
        return this.#session.request((id) => request("limit", [id, ...words]));
      }),
    );
  }

  async share(from: string): Promise<void> {
    this.#mayChange();
    const ask = (file: string) => this.#session.request((id) => request("shared", [id, file]));
    if (isLocal(this.machine)) await ask(".");
    else await withToken(this.#deps, from, this.#options.queueId, ask);
  }

  async remove(attempts: readonly AttemptRef[]): Promise<RemoveResult[]> {
    this.#mayChange();
    const results: RemoveResult[] = [];
    for (const chunk of chunks(attempts, ATTEMPTS_AT_ONCE)) {
      const reply = await this.#session.request((id) => request("remove", [id, ...attemptArgs(chunk)]));
      results.push(...chunk.map((_, i) => reply.results[i] ?? "kept"));
    }
    return results;
  }

  async marks(): Promise<Mark[]> {
    return (await this.#session.request((id) => request("marks", [id]))).marks;
  }

  async gpus(): Promise<GpuUse[]> {
    return (await this.#session.request((id) => request("gpus", [id]))).gpus;
  }

  async read({ job, attempt }: AttemptRef, file: string, { maxBytes, from }: FilePart): Promise<Uint8Array | null> {
    const words = [job, attempt, file, maxBytes, ...(from === undefined ? [] : [from])];
    const reply = await this.#session.request((id) => request("read", [id, ...words]), maxBytes);
    return reply.absent ? null : reply.data.bytes;
  }

  async stage(attempts: readonly AttemptRef[], from: string): Promise<ReadonlyMap<JobName, string>> {
    this.#mayChange();
    if (!this.#session.isOpen) throw this.#session.error();
    if (this.isShared) return new Map();
    const places = new Map<JobName, string>();
    const lost = new Map<JobName, string>();
    for (const chunk of chunks(attempts, ATTEMPTS_AT_ONCE)) {
      const { directories } = await this.#session.request((id) => request("locate", [id, ...attemptArgs(chunk)]));
      for (const [i, { job }] of chunk.entries()) {
        const directory = directories[i];
        if (directory === undefined) lost.set(job, "cannot make or use its directory there");
        else places.set(job, directory);
      }
    }
    const { isSame, failed } = await this.#options.transport.stage(
      places,
      from,
      machineOfBoot(this.boot) ?? this.hostname,
    );
    if (isSame) await this.share(from);
    this.isShared = isSame;
    return new Map([...lost, ...failed]);
  }

  async send({ job, attempt, workdir, paths }: SendFiles, from: string): Promise<string | null> {
    this.#mayChange();
    if (!this.#session.isOpen) throw this.#session.error();
    const { directories } = await this.#session.request((id) =>
      request("locate", [id, ...attemptArgs([{ job, attempt }])])
    );
    const place = directories[0];
    if (place === undefined) return "cannot make or use its directory there";
    const sources = paths.map((path) => ({ source: sourceOf(path), kept: path.kept }));
    try {
      return await this.#senderFrom(from).send({ job, place, workdir: workdir ?? null, paths: sources });
    } catch (error) {
      if (this.#session.isOpen) throw error;
      // First it is known that the link is down: then the job is only sent again.
      await this.#deps.clock.sleepUntil(this.#deps.clock.now() + DOWN_MS);
      throw this.#session.error();
    }
  }

  async forget(paths: readonly SentPath[], from: string): Promise<void> {
    this.#mayChange();
    await this.#senderFrom(from).forget(new Set(paths.map(sourceOf)));
  }

  #senderFrom(from: string): FileSender {
    const own = machineOfBoot(this.boot) ?? this.hostname;
    if (this.#sender !== null) return this.#sender;
    const sender = this.#sender = this.#options.transport.sender({ own, boot: this.boot, from });
    // Another link will send what this one did not: it must not be sent twice.
    this.#session.signal.addEventListener("abort", () => void sender.close(), { once: true });
    return sender;
  }

  #mayChange(): void {
    if (this.#options.role === "onlooker") throw new Error("An onlooking link changes nothing");
  }

  /** From now on what runs is looked at now and then. */
  #follow(attempts: readonly AttemptRef[], states: readonly AttemptState[]): void {
    for (const [i, attempt] of attempts.entries()) if (states[i]?.type === "alive") this.#ends.alive(attempt);
  }

  async #askOnce(verb: "ask" | "forbid", attempts: readonly AttemptRef[]): Promise<AttemptState[]> {
    const replies = await Promise.all(
      chunks(attempts, ATTEMPTS_AT_ONCE).map((chunk) =>
        this.#session.request((id) => request(verb, [id, ...attemptArgs(chunk)])).then(({ states }) =>
          chunk.map((_, i) => {
            const state = states[i];
            if (state === undefined) throw this.#session.error({ reason: "its answer cannot be read", lasting: false });
            return state;
          })
        )
      ),
    );
    return replies.flat();
  }

  #sendOf(jobs: readonly JobName[], request: (jobs: readonly JobName[]) => string): void {
    this.#mayChange();
    if (this.#session.isOpen) this.#session.send(chunks(jobs, DIRS_AT_ONCE).map(request).join(""));
  }

  #onEvent(event: SessionEvent): void {
    const { type } = event;
    if (type === "round_trip" || type === "no_backlog" || type === "closing") this.#options.onEvent(event);
    else if (event.type === "known" && event.state.type === "claimed") this.#tellLater(event);
    else this.#ends.tell(event);
  }

  /** A repeated start met a claim that is just being made: what becomes of it is known in a moment. */
  #tellLater({ job, attempt }: AttemptRef): void {
    this.ask([{ job, attempt }]).then(
      ([state]) => state !== undefined && this.#ends.tell({ type: "known", job, attempt, state }),
      () => {},
    );
  }
}
