/**
 * The life of `queue watch`: on a terminal a full screen that follows the queue and takes keys; elsewhere a line for
 * each change.
 *
 * @module
 */

import { notFound } from "../../store/file_errors.ts";
import { storePaths } from "../../store/paths.ts";
import type { StoreRef } from "../../store/store.ts";
import type { JobName } from "../../names/grammar.ts";
import { renderDuration } from "../../names/units.ts";
import { isInFlight, isWaiting } from "../../job/states.ts";
import { isFailed } from "../../job/outcome.ts";
import { durationMs } from "../../job/where.ts";
import { placeOf } from "../../job/job.ts";
import { killJobs } from "../../operations/kill_jobs.ts";
import { pauseText } from "../../operations/job_reason.ts";
import { pauseQueue, resumeQueue } from "../../operations/pause_queue.ts";
import { endText, QueueBoard } from "../../operations/queue_board.ts";
import { printable } from "../../output/printable.ts";
import type { FeedChange } from "../../store/queue_feed.ts";
import type { Context } from "../context.ts";
import type { Interrupts, TerminalScreen } from "../io.ts";
import { wantsColor } from "../output/color.ts";
import { type Key, keysOf } from "./keys.ts";
import { layout, type Look, selectable } from "./layout.ts";
import { OutputView } from "./output_view.ts";
import { Painter } from "./painter.ts";

/** Between two looks at the queue. */
const LOOK_MS = 250;
const INTERRUPTED = 130;

/** Watches until a person ends it. @throws {CmsError} `not_found` if there is no such queue. */
export async function watchQueue(context: Context, queue: StoreRef): Promise<void> {
  const { deps, io } = context;
  const board = new QueueBoard(deps, queue);
  const interrupts = io.interrupts();
  try {
    if (await board.look() === null) throw notFound("queue", storePaths(queue, "queue").shown);
    const isDumb = deps.environment.get("TERM") === "dumb";
    const screen = isDumb || !io.outIsTerminal ? null : io.screen?.() ?? null;
    if (screen === null) {
      await printChanges(context, queue, board, interrupts);
      if (interrupts.stop.aborted) context.status = INTERRUPTED;
    } else {
      try {
        await new WatchScreen(context, queue, board, screen).until(interrupts);
      } finally {
        screen.close();
      }
    }
  } finally {
    interrupts.release();
    board.close();
  }
}

/** A line for each change. Ends when nobody reads any more. */
async function printChanges(
  { deps, io }: Context,
  queue: StoreRef,
  board: QueueBoard,
  { stop }: Interrupts,
): Promise<void> {
  const line = (text: string): void => io.out(`${printable(text)}\n`);
  const { clock } = deps;
  const run = (): string => board.isRun ? `run ${board.run!.pid}` : "no run";
  let [lastRun, lastPause] = [run(), board.pause?.reason];
  line(
    `${queue.name}: ${lastRun}, ${board.done} of ${board.total} done, ${board.runningCount} running, ${board.failed} failed`,
  );
  while (!stop.aborted && io.isGone?.() !== true) {
    await clock.sleepUntil(clock.now() + LOOK_MS, stop);
    const changes = await board.look();
    if (changes === null) return line(`${queue.name}: the queue is deleted`);
    if (run() !== lastRun && board.isRun) line(`${queue.name}: process ${board.run!.pid} runs it`);
    for (const change of changes) line(changeText(change));
    if (run() !== lastRun && !board.isRun) line(`${queue.name}: its run has ended`);
    if (board.pause?.reason !== lastPause) {
      line(`${queue.name}: ${board.pause === null ? "the queue is resumed" : pauseText(board.pause)}`);
    }
    [lastRun, lastPause] = [run(), board.pause?.reason];
  }
}

/** `job3: runs on pi@red`, `job3: exit code 3 on pi@red, 12s`. */
function changeText({ type, job }: FeedChange): string {
  if (type === "deleted") return `${job.name}: deleted`;
  const where = placeOf(job) ? ` on ${placeOf(job)}` : "";
  if (isWaiting(job.status)) return `${job.name}: ${type === "added" ? "added, " : ""}${job.status}`;
  if (isInFlight(job.status)) return `${job.name}: ${job.status === "run" ? "is being started" : "runs"}${where}`;
  const tookMs = durationMs(job);
  const took = tookMs === null ? "" : `, ${renderDuration(tookMs)}`;
  return `${job.name}: ${isFailed(job) ? "failed, " : ""}${endText(job)}${where}${took}`;
}

/** The full screen. */
class WatchScreen {
  readonly #context: Context;
  readonly #queue: StoreRef;
  readonly #board: QueueBoard;
  readonly #screen: TerminalScreen;
  readonly #painter: Painter;
  #look: Look = { selected: null, isFailedOnly: false, message: "" };
  /** The job whose output is shown in place of the queue. */
  #output: OutputView | null = null;
  /** The job that is killed if the next key is y. */
  #asked: JobName | null = null;
  #isOver = false;
  #isGone = false;
  #wake = new AbortController();

  constructor(context: Context, queue: StoreRef, board: QueueBoard, screen: TerminalScreen) {
    this.#context = context;
    this.#queue = queue;
    this.#board = board;
    this.#screen = screen;
    const isColored = wantsColor(true, context.deps.environment);
    this.#painter = new Painter(context.io, { isColored });
  }

  async until({ stop }: Interrupts): Promise<void> {
    const { clock } = this.#context.deps;
    stop.addEventListener("abort", () => this.#end(INTERRUPTED), { once: true });
    this.#screen.onResize(() => this.#wake.abort());
    void this.#takeKeys();
    try {
      while (!this.#isOver && !stop.aborted) {
        this.#draw();
        this.#wake = new AbortController();
        const lookMs = clock.now() + LOOK_MS;
        await clock.sleepUntil(lookMs, this.#wake.signal);
        if (!this.#isGone && await this.#board.look() === null) {
          this.#isGone = true;
          this.#say("The queue is deleted; q quits");
        }
      }
    } finally {
      this.#output?.close();
      this.#painter.close();
    }
  }

  #draw(): void {
    const size = this.#screen.size();
    const names = selectable(this.#board, this.#look);
    const { selected } = this.#look;
    if (selected === null || !names.includes(selected)) this.#look = { ...this.#look, selected: names[0] ?? null };
    this.#painter.draw(
      this.#output?.rows(size) ?? layout(this.#queue.name, this.#board, this.#look, size),
      size,
    );
  }

  async #takeKeys(): Promise<void> {
    for await (const text of this.#screen.keys()) {
      for (const key of keysOf(text)) this.#press(key);
      this.#wake.abort();
    }
  }

  #press(key: Key): void {
    if (key === "interrupt") return this.#end(INTERRUPTED);
    if (this.#output !== null) {
      if (["q", "escape", "left", "enter"].includes(key)) {
        this.#output.close();
        this.#output = null;
      }
      return;
    }
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) {
      if (key === "y" || key === "Y") this.#kill(asked);
      else this.#say("");
      return;
    }
    this.#command(key);
  }

  #command(key: Key): void {
    const { selected, isFailedOnly } = this.#look;
    this.#say("");
    switch (key) {
      case "q":
        return this.#end(0);
      case "up":
        return this.#move(-1);
      case "down":
        return this.#move(1);
      case "page up":
        return this.#move(-10);
      case "page down":
        return this.#move(10);
      case "f":
        this.#look = { ...this.#look, isFailedOnly: !isFailedOnly, selected: null };
        return;
      case "p":
        return void this.#do("pause", () => this.#togglePause());
      case "enter":
      case "right":
        if (selected !== null) {
          this.#output = new OutputView(this.#context.deps, this.#queue, selected, () => this.#wake.abort());
        }
        return;
      case "k":
        if (selected === null || !this.#board.running.has(selected)) {
          return this.#say("Only a job that runs can be killed");
        }
        this.#asked = selected;
        return this.#say(`Kill ${selected}? y kills it, any other key does not`);
    }
  }

  #move(by: number): void {
    const names = selectable(this.#board, this.#look);
    const at = this.#look.selected === null ? -1 : names.indexOf(this.#look.selected);
    const next = names[Math.max(0, Math.min(names.length - 1, at + by))];
    this.#look = { ...this.#look, selected: next ?? null };
  }

  async #togglePause(): Promise<string> {
    const request = { queue: this.#queue };
    if (this.#board.pause === null) {
      await pauseQueue(this.#context.deps, { ...request, reason: null });
      return "The queue is paused: what runs goes on; p resumes it";
    }
    await resumeQueue(this.#context.deps, request);
    return "The queue is resumed";
  }

  #kill(job: JobName): void {
    this.#say(`Killing ${job} ...`);
    void this.#do("kill", async () => {
      const warnings: string[] = [];
      const watch = { warn: (text: string) => void warnings.push(text) };
      const { killed } = await killJobs(this.#context.deps, { queue: this.#queue, names: [job] }, watch);
      return killed.length > 0 ? `Killed ${job}` : warnings.at(-1) ?? `${job} did not run any more`;
    });
  }

  async #do(what: string, work: () => Promise<string>): Promise<void> {
    try {
      this.#say(await work());
    } catch (error) {
      this.#say(`Cannot ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#wake.abort();
  }

  #say(message: string): void {
    this.#look = { ...this.#look, message };
  }

  #end(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.status = status;
    this.#wake.abort();
  }
}
