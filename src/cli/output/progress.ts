/**
 * The one line at the bottom of a terminal while a run goes on. Lines that are printed meanwhile are gathered and
 * written together with it, at most ten times a second, so that nothing flickers. Not for pipes.
 *
 * @module
 */

import type { Clock } from "../../deps.ts";
import type { Progress } from "../../scheduler/report.ts";
import type { Terminal } from "../io.ts";

const FRAME_MS = 100;
const ERASE_LINE = "\r\u001b[2K";

/** A terminal whose last line is kept for a status. Everything printed during its life goes through it. */
export class StatusLine implements Pick<Terminal, "out" | "err" | "outIsTerminal" | "errIsTerminal"> {
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly #io: Terminal;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #pending: { to: "out" | "err"; text: string }[] = [];
  #status: () => string = () => "";
  #drawn = false;
  #waiting = false;
  #lastFrameMs = -Infinity;

  constructor(io: Terminal, clock: Clock) {
    this.#io = io;
    this.#clock = clock;
    this.outIsTerminal = io.outIsTerminal;
    this.errIsTerminal = io.errIsTerminal;
  }

  out(text: string): void {
    this.#add("out", text);
  }

  err(text: string): void {
    this.#add("err", text);
  }

  /** Sets the status; `status` is called when it is drawn. */
  show(status: () => string): void {
    this.#status = status;
    void this.#frameSoon();
  }

  /** Writes what is pending and takes the status line away for good. */
  close(): void {
    this.#closed.abort();
    this.#write("");
  }

  #add(to: "out" | "err", text: string): void {
    if (this.#closed.signal.aborted) return this.#io[to](text);
    this.#pending.push({ to, text });
    void this.#frameSoon();
  }

  async #frameSoon(): Promise<void> {
    if (this.#waiting || this.#closed.signal.aborted) return;
    this.#waiting = true;
    await this.#clock.sleepUntil(this.#lastFrameMs + FRAME_MS, this.#closed.signal);
    this.#waiting = false;
    if (this.#closed.signal.aborted) return;
    this.#lastFrameMs = this.#clock.now();
    this.#write(this.#status().slice(0, Math.max(0, this.#io.columns() - 1)));
  }

  #write(status: string): void {
    if (this.#drawn) this.#io.out(ERASE_LINE);
    for (const { to, text } of this.#pending) this.#io[to](text);
    this.#pending = [];
    this.#io.out(status);
    this.#drawn = status !== "";
  }
}

/** `12 of 100 done, 4 running, 1 failed, 2.5 jobs/s, 35 s left`. @param doneHere Ended since `elapsedMs` ago. */
export function progressText(progress: Progress, doneHere: number, elapsedMs: number): string {
  const parts = [`${progress.done} of ${progress.total} done`, `${progress.running} running`];
  parts.push(`${progress.failed} failed`);
  const rate = elapsedMs > 0 ? doneHere * 1000 / elapsedMs : 0;
  if (rate > 0) {
    parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} jobs/s`);
    parts.push(`${durationText((progress.total - progress.done) / rate)} left`);
  }
  return parts.join(", ");
}

/** `35 s`, `4 min 10 s`, `2 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}
