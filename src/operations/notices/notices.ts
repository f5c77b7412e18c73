/**
 * Tells commands and a web address what becomes of the jobs of a run, and of its end. Nothing of it holds up the run or
 * makes it fail: it goes on beside it, a few at once, and what cannot be told is a warning.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import type { RunEvent, RunResult } from "../../scheduler/report.ts";
import type { Jobs } from "../../store/changes.ts";
import { type Owed, OwedNotices } from "../../store/owed_notices.ts";
import { storePaths } from "../../store/paths.ts";
import type { StoreRef } from "../../store/store.ts";
import { jobNotice, type Notice, type NoticeWishes, runNotice } from "./notice.ts";
import { type Failure, LIMIT_MS, postJson, runCommand } from "./send.ts";

/** Told at once. */
const AT_ONCE = 8;
/** Most that wait; of jobs that end faster than they can be told, the rest is not. */
const MOST_WAITING = 10_000;
/** Most warnings of one kind. */
const MOST_WARNINGS = 5;
/** How long jobs may still be told of when the run is over. */
const REST_MS = LIMIT_MS;

interface Delivery {
  readonly notice: Notice;
  /** As the command line has it. */
  readonly option: string;
  send(): Promise<Failure>;
}

/** The notices of one run. */
export class Notices {
  readonly #deps: Deps;
  readonly #queue: StoreRef;
  readonly #wishes: NoticeWishes;
  readonly #warn: (text: string) => void;
  readonly #waiting: Delivery[] = [];
  readonly #failures = new Map<string, number>();
  #running = 0;
  #dropped = 0;
  #owed: OwedNotices | null = null;
  /** What is told at the end where it could not be noted down. */
  #own: Owed;
  #jobs: Jobs | null = null;
  #idle: (() => void)[] = [];

  /** Touches no file. */
  constructor(deps: Deps, queue: StoreRef, wishes: NoticeWishes, warn: (text: string) => void) {
    this.#deps = deps;
    this.#queue = queue;
    this.#wishes = wishes;
    this.#warn = warn;
    const { onDone, webhook } = wishes;
    this.#own = { commands: onDone === undefined ? [] : [onDone], webhooks: webhook === undefined ? [] : [webhook] };
  }

  /** The run has begun; `jobs` is a live view. Takes over what a killed run owes. */
  async begin(jobs: Jobs): Promise<void> {
    this.#jobs = jobs;
    try {
      this.#owed = await OwedNotices.begin(this.#deps, storePaths(this.#queue, "queue"), this.#own);
    } catch (error) {
      this.#warn(`Should this process be killed, nobody is told of the end of the run: ${(error as Error).message}`);
    }
  }

  /** Takes in an event of the run, once it is written. */
  event(event: RunEvent): void {
    if (event.type !== "ended") return;
    const { onEnd, onFail, webhook } = this.#wishes;
    if (onEnd === undefined && onFail === undefined && webhook === undefined) return;
    const notice = jobNotice(this.#queue, event, this.#jobs?.get(event.job));
    if (onEnd !== undefined) this.#add("--on-end", notice, () => runCommand(this.#deps, onEnd, notice));
    if (onFail !== undefined && notice.isFailure) {
      this.#add("--on-fail", notice, () => runCommand(this.#deps, onFail, notice));
    }
    if (webhook !== undefined) this.#add("--webhook", notice, () => postJson(this.#deps, webhook, notice));
  }

  /**
   * Tells the rest, and of the end of the run. `exitCode`: that of the program. When `leave` is aborted nothing more is
   * told, and the next run tells of the end.
   */
  async finish(result: RunResult, exitCode: number, leave: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const left = new Promise<void>((resolve) => {
      if (leave.aborted) resolve();
      leave.addEventListener("abort", () => resolve(), { once: true });
    });
    const over = new AbortController();
    await Promise.race([left, this.#allTold(), clock.sleepUntil(clock.now() + REST_MS, over.signal)]);
    over.abort();
    if (leave.aborted) return;
    this.#dropped += this.#waiting.splice(0).length;
    const { commands, webhooks } = this.#owed?.owed ?? this.#own;
    const notice = runNotice(this.#queue, result, exitCode);
    for (const command of commands) {
      this.#add("--on-done", notice, () => runCommand(this.#deps, command, notice));
    }
    for (const url of webhooks) this.#add("--webhook", notice, () => postJson(this.#deps, url, notice));
    await Promise.race([left, this.#allTold()]);
    if (leave.aborted) return;
    await this.#owed?.done().catch(() => {}); // A full disk: the next run tells it once more.
    this.#warnOfRest();
  }

  #add(option: string, notice: Notice, send: () => Promise<Failure>): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push({ option, notice, send });
    this.#next();
  }

  #next(): void {
    while (this.#running < AT_ONCE && this.#waiting.length > 0) void this.#deliver(this.#waiting.shift()!);
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #deliver({ option, notice, send }: Delivery): Promise<void> {
    this.#running++;
    const failure = await send().catch((error: Error) => error.message);
    this.#running--;
    if (failure !== null) {
      const count = (this.#failures.get(option) ?? 0) + 1;
      this.#failures.set(option, count);
      if (count <= MOST_WARNINGS) this.#warn(`${option} for ${notice.about} failed: ${failure}`);
    }
    this.#next();
  }

  #allTold(): Promise<void> {
    if (this.#running + this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #warnOfRest(): void {
    for (const [option, count] of this.#failures) {
      if (count > MOST_WARNINGS) this.#warn(`${option} failed ${count - MOST_WARNINGS} times more`);
    }
    if (this.#dropped > 0) this.#warn(`${this.#dropped} notices were not sent: jobs ended faster than they could be`);
  }
}
