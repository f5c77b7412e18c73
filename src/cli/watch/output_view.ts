/**
 * The output of one job on the full screen of `queue watch`: its last lines, live.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import { makeConnect } from "../../link/connect.ts";
import type { JobName } from "../../names/grammar.ts";
import { followOutput } from "../../operations/follow_output.ts";
import { LineCutter, shownLine } from "../../output/text_part.ts";
import { openQueue } from "../../store/queue_file.ts";
import type { StoreRef } from "../../store/store.ts";
import { clip, type Row, type Size } from "./layout.ts";

/** Lines that are kept to be shown. */
const KEPT = 500;

const decoder = new TextDecoder();

/** Follows one job until it is closed. */
export class OutputView {
  readonly job: JobName;
  readonly #deps: Deps;
  readonly #stop = new AbortController();
  readonly #cutter = new LineCutter();
  readonly #onChange: () => void;
  #lines: string[] = [];
  #rest = "";
  #note = "";

  /** Begins at once. `onChange`: there is more to be shown. */
  constructor(deps: Deps, queue: StoreRef, job: JobName, onChange: () => void) {
    this.#deps = deps;
    this.job = job;
    this.#onChange = onChange;
    void this.#follow(queue).catch((error) => this.#say(error instanceof Error ? error.message : String(error)));
  }

  /** The screen. */
  rows({ rows, columns }: Size): Row[] {
    const all = this.#rest === "" ? this.#lines : [...this.#lines, this.#rest];
    const shown = all.slice(-(rows - 2)).map((line): Row => ({
      text: clip(shownLine(line).replaceAll("\t", "  "), columns),
    }));
    while (shown.length < rows - 2) shown.push({ text: "" });
    const note = this.#note === "" ? "" : `  ${this.#note}`;
    return [
      { text: clip(`Output of ${this.job}${note}`, columns), tone: "head" },
      ...shown,
      { text: clip("q, left: back", columns), tone: "head" },
    ];
  }

  /** Ends it. */
  close(): void {
    this.#stop.abort();
  }

  async #follow(queue: StoreRef): Promise<void> {
    const store = await openQueue(this.#deps, queue);
    try {
      const request = { store, names: new Set([this.job]), files: ["output"] as const, since: KEPT };
      const [job] = await followOutput(this.#deps, request, {
        stop: this.#stop.signal,
        onPart: (_job, _file, bytes) => {
          for (const line of this.#cutter.take(bytes)) this.#lines.push(decoder.decode(line));
          if (this.#lines.length > 2 * KEPT) this.#lines = this.#lines.slice(-KEPT);
          this.#onChange();
        },
        onAttempt: () => this.#say("is tried again"),
        onSilence: (machine, reason) => this.#say(reason === null ? "" : `${machine} does not answer: ${reason}`),
      }, makeConnect(this.#deps));
      this.#rest = decoder.decode(this.#cutter.end());
      if (!this.#stop.signal.aborted) this.#say(job === undefined ? "is deleted" : `is over: ${job.status}`);
    } finally {
      store.close();
    }
  }

  #say(note: string): void {
    this.#note = note;
    this.#onChange();
  }
}
