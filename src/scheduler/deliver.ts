/**
 * Carries out what the core asked of machines: opens links, sends starts (with input files before them), asks, kills.
 * What the machines answer goes back as events, in order, through one function.
 *
 * @module
 */

import type { Clock, Environment, Files } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { plainReason } from "../system_errors.ts";
import { isLocal, type Machine, machineKey } from "../cluster/machine.ts";
import type { AttemptState, Connect, Link, LinkEvent, StartRequest } from "../link/link.ts";
import type { AttemptRef } from "../job/attempt.ts";
import type { CoreEvent, Effect } from "./events.ts";
import { Inputs } from "./inputs.ts";
import { Places } from "./places.ts";
import { maySend, sentPaths } from "./sends.ts";

/** Pause between TERM and KILL when a job is ended. */
export const KILL_GRACE_MS = 5_000;

/** What a run's links need. */
export interface DeliverOptions {
  readonly connect: Connect;
  readonly files: Files;
  readonly clock: Clock;
  readonly environment: Pick<Environment, "get">;
  readonly queueId: string;
  /** The experiment directory on the manager, absolute; also where jobs of localhost run. */
  readonly localDirectory: string;
  /** The experiment directory on hosts. */
  readonly hostDirectory: string;
  /** Takes an event for the core. */
  readonly push: (event: CoreEvent) => void;
}

/** Starts for one machine that are not sent yet, by attempt. */
type Batch = Map<string, StartRequest>;

/** The links of a run. */
export class Deliver {
  readonly #options: DeliverOptions;
  readonly #links = new Map<string, Link>();
  readonly #places = new Places();
  readonly #closing = new AbortController();
  /** Attempts that were sent before, over a link that broke: they may run. */
  readonly #again = new Set<string>();
  /**
   * What is on its way to `link.start`: input files are looked for, or copied. Who is called off meanwhile is taken
   * out.
   */
  readonly #unsent = new Set<Batch>();
  readonly #inputs: Inputs;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#inputs = new Inputs(options, options.localDirectory);
  }

  /**
   * Carries out the effects of a turn that concern machines; the starts for one machine go out together. Does not wait.
   */
  perform(effects: readonly Effect[]): void {
    const starts = new Map<string, Batch>();
    for (const effect of effects) {
      switch (effect.type) {
        case "connect":
          void this.#connect(effect.machine);
          break;
        case "disconnect":
          void this.#disconnect(effect.machine);
          break;
        case "start": {
          if (maySend(effect.request)) {
            this.#startAlone(effect);
            break;
          }
          const batch: Batch = starts.get(effect.machine) ?? new Map();
          batch.set(effect.request.attempt, effect.request);
          if (effect.again) this.#again.add(effect.request.attempt);
          starts.set(effect.machine, batch);
          this.#unsent.add(batch);
          break;
        }
        case "ask":
          this.#callOff(effect.forbid);
          void this.#ask(effect.machine, effect.ask, effect.forbid);
          break;
        case "backlog":
          this.#links.get(effect.machine)?.backlog(effect.number, effect.change);
          break;
        case "recall":
          this.#callOff(effect.attempts);
          void this.#recall(effect.machine, effect.attempts);
          break;
        case "kill":
          void this.#kill(effect.machine, effect.attempt);
          break;
        case "gpus":
          void this.#gpus(effect.machine);
          break;
        case "limit":
          void this.#limit(effect);
          break;
        case "prepare": // Behind the starts, which somebody waits for.
        case "unprepare":
        case "change":
        case "report":
        case "finish":
          break;
        default:
          effect satisfies never;
      }
    }
    for (const [machine, batch] of starts) void this.#start(machine, batch);
    for (const effect of effects) {
      if (effect.type === "prepare") this.#links.get(effect.machine)?.prepare(effect.jobs);
      if (effect.type === "unprepare") this.#links.get(effect.machine)?.unprepare(effect.jobs);
    }
  }

  /** Ends all links in good order; jobs go on. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
  }

  async #connect(machine: Machine): Promise<void> {
    const key = machineKey(machine);
    const { connect, queueId, localDirectory, hostDirectory, push } = this.#options;
    let same: string | null = null;
    const admit = (place: string): boolean => {
      const other = this.#places.enter(place, key);
      if (other !== key) same = other;
      return other === key;
    };
    // Events may come in the same turn as the hello: they are kept until the core has heard of the link.
    let early: LinkEvent[] | null = [];
    const onEvent = (event: LinkEvent): void => {
      if (early !== null) {
        early.push(event);
        return;
      }
      if (event.type === "down") {
        this.#links.delete(key);
        this.#places.leave(key);
      }
      push({ type: "link", machine: key, event });
    };
    try {
      const directory = isLocal(machine) ? localDirectory : hostDirectory;
      const link = await connect(machine, {
        directory,
        queueId,
        role: "resident",
        admit,
        onEvent,
        signal: this.#closing.signal,
      });
      if (this.#closing.signal.aborted) return await link.close();
      this.#links.set(key, link);
      push({ type: "link_up", machine: key, boot: link.boot });
      const waiting: LinkEvent[] = early;
      early = null;
      waiting.forEach(onEvent);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (same !== null) return push({ type: "same_machine", machine: key, as: same });
      this.#places.leave(key);
      const known = error instanceof LinkError;
      const reason = known ? error.reason : String((error as Error).message ?? error);
      push({ type: "connect_failed", machine: key, reason, lasting: known && error.lasting });
    }
  }

  async #disconnect(machine: string): Promise<void> {
    const link = this.#links.get(machine);
    this.#links.delete(machine);
    this.#places.leave(machine);
    await link?.close().catch(() => {});
  }

  /**
   * The core never sends these again. Were one sent after all, its claim might be gone by then, with the directory of a
   * deleted job.
   */
  #callOff(attempts: readonly AttemptRef[]): void {
    for (const batch of this.#unsent) for (const { attempt } of attempts) batch.delete(attempt);
  }

  /** What waits for files of its own holds up no other. */
  #startAlone({ machine, request, again }: Extract<Effect, { type: "start" }>): void {
    const batch: Batch = new Map([[request.attempt, request]]);
    if (again) this.#again.add(request.attempt);
    this.#unsent.add(batch);
    void this.#start(machine, batch);
  }

  async #start(machine: string, batch: Batch): Promise<void> {
    const link = this.#links.get(machine);
    try {
      if (link === undefined) return; // Broken meanwhile: the core sends again when it is back.
      const requests = [...batch.values()];
      const isThere = isLocal(link.machine) || link.isShared;
      const hasInput = isThere ? new Set() : await this.#inputs.of(requests);
      this.#send(link, batch, requests.filter((request) => !hasInput.has(request.job) && !maySend(request)));
      if (batch.size > 0) await this.#stageAndStart(link, batch, hasInput);
    } catch (error) {
      if (this.#links.get(machine) !== link) return; // The link broke: the core sends again when it is back.
      const reason = error instanceof LinkError
        ? error.reason
        : `cannot look for its input files: ${error instanceof Error ? plainReason(error) : error}`;
      await this.#failStaging(machine, [...batch.values()], () => reason);
    } finally {
      this.#unsent.delete(batch);
    }
  }

  /** Sends those of a batch that were not called off. */
  #send(link: Link, batch: Batch, requests: readonly StartRequest[]): void {
    const wanted = requests.filter(({ attempt }) => batch.delete(attempt));
    if (wanted.length > 0) link.start(wanted);
  }

  async #stageAndStart(link: Link, batch: Batch, hasInput: ReadonlySet<unknown>): Promise<void> {
    for (const request of [...batch.values()].filter(({ attempt }) => this.#again.has(attempt))) {
      // It may run already: new input files under its feet would be wrong.
      const [state] = await link.ask([request]);
      if (state === undefined || state.type === "none") continue;
      const { job, attempt } = request;
      batch.delete(attempt);
      const event = { type: "known", job, attempt, state } as const;
      this.#options.push({ type: "link", machine: machineKey(link.machine), event });
    }
    const fresh = [...batch.values()];
    if (fresh.length === 0) return;
    const { localDirectory } = this.#options;
    const failed = new Map(hasInput.size === 0 ? [] : await link.stage(fresh, localDirectory));
    for (const request of fresh) {
      // Not the files of a person who killed it meanwhile.
      if (!maySend(request) || failed.has(request.job) || !batch.has(request.attempt)) continue;
      const paths = await sentPaths(this.#options, request);
      const problem = paths.length === 0 ? null : await link.send({ ...request, paths }, localDirectory);
      if (problem !== null) failed.set(request.job, problem);
    }
    this.#send(link, batch, fresh.filter(({ job }) => !failed.has(job)));
    const unstaged = fresh.filter(({ job, attempt }) => failed.has(job) && batch.delete(attempt));
    await this.#failStaging(machineKey(link.machine), unstaged, ({ job }) => failed.get(job)!);
  }

  /** The input files of these cannot be copied. Of what was sent before nobody here knows whether it runs. */
  async #failStaging(
    machine: string,
    requests: readonly StartRequest[],
    reasonOf: (request: StartRequest) => string,
  ): Promise<void> {
    const again: AttemptRef[] = [];
    for (const request of requests) {
      const { job, attempt } = request;
      if (this.#again.has(attempt)) again.push({ job, attempt });
      else this.#options.push({ type: "stage_failed", job, attempt, reason: reasonOf(request) });
    }
    if (again.length > 0) await this.#ask(machine, [], again, true);
  }

  async #ask(machine: string, ask: readonly AttemptRef[], forbid: readonly AttemptRef[], isUnasked = false) {
    const link = this.#links.get(machine);
    if (link === undefined) return;
    try {
      const [asked, forbidden] = await Promise.all([
        ask.length > 0 ? link.ask(ask) : [],
        forbid.length > 0 ? link.forbid(forbid) : [],
      ]);
      const states: (AttemptRef & { state: AttemptState })[] = [];
      ask.forEach((attempt, i) => states.push({ ...attempt, state: asked[i]! }));
      forbid.forEach((attempt, i) => states.push({ ...attempt, state: forbidden[i]! }));
      this.#options.push({ type: "answer", machine, states, ...(isUnasked ? { isUnasked } : {}) });
    } catch (error) {
      // A link that breaks reports that itself; one that cannot answer is as good as broken.
      if (this.#links.get(machine) !== link) return;
      this.#links.delete(machine);
      this.#places.leave(machine);
      await link.close().catch(() => {});
      const reason = String((error as Error).message ?? error);
      this.#options.push({ type: "link", machine, event: { type: "down", reason } });
    }
  }

  async #recall(machine: string, attempts: readonly AttemptRef[]): Promise<void> {
    const link = this.#links.get(machine);
    if (link === undefined) return; // Broken meanwhile: the core asks when it is back.
    const states = await link.forbid(attempts).catch(() => null);
    this.#options.push({ type: "recalled", attempts, states });
  }

  async #limit({ machine, attempt, limit }: Extract<Effect, { type: "limit" }>): Promise<void> {
    try {
      await this.#links.get(machine)?.setLimits([{ ...attempt, limit }]);
    } catch {
      // The link broke: the core gives it again when the host says that the job runs.
    }
  }

  async #gpus(machine: string): Promise<void> {
    const link = this.#links.get(machine);
    if (link === undefined) return; // Broken meanwhile: the core asks when it is back.
    const answer = await link.gpus().then((use) => ({ use, reason: "" }), (error) => ({
      use: null,
      reason: error instanceof LinkError ? error.reason : String(error),
    }));
    this.#options.push({ type: "gpus", machine, ...answer });
  }

  async #kill(machine: string, attempt: AttemptRef): Promise<void> {
    try {
      await this.#links.get(machine)?.kill([attempt], { graceMs: KILL_GRACE_MS });
    } catch {
      // The link broke: the core asks again when it is back. The job's end comes as an event of its own.
    }
  }
}
