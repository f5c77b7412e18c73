/**
 * What a link reports by itself, of one attempt or of its machine, and whose business it is. Part of the core; pure but
 * for the context that it changes.
 *
 * @module
 */

import { tryNumber } from "../job/retry.ts";
import type { LinkEvent } from "../link/link.ts";
import type { Answers } from "./answers.ts";
import type { Attempts } from "./attempts.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, type RunContext } from "./context.ts";
import { whyOf } from "./endings.ts";
import type { Links } from "./links.ts";
import type { MachineState } from "./machines.ts";
import { Twins } from "./twins.ts";

/** Who hears of the events. */
export interface LinkEventParts {
  readonly attempts: Attempts;
  readonly answers: Answers;
  readonly backlogs: Backlogs;
  readonly links: Links;
}

/** Brings each event of a link where it belongs. */
export class LinkEvents {
  readonly #run: RunContext;
  readonly #parts: LinkEventParts;
  readonly #twins = new Twins();

  constructor(run: RunContext, parts: LinkEventParts) {
    this.#run = run;
    this.#parts = parts;
  }

  /** Takes in one event of the link to this machine. */
  take(machine: string, event: LinkEvent): void {
    switch (event.type) {
      case "started":
        return this.#run.inFlight.with(
          event,
          (one) => this.#parts.attempts.started(one, event.pid, event.atMs, event.slot),
        );
      case "ended":
        return this.#run.inFlight.with(
          event,
          (one) => this.#parts.attempts.end(one, { ...event, endedAtMs: event.atMs, ...whyOf(event) }, event.gaveBack),
        );
      case "refused":
        return this.#run.inFlight.with(
          event,
          (one) => this.#parts.attempts.failed(one, event.reason, event.gaveBack === true),
        );
      case "known":
        return this.#run.inFlight.with(event, (one) => this.#parts.answers.met(one, event.state, event.gaveBack));
      case "no_backlog":
        return this.#parts.backlogs.unable(machine, event.number);
      case "closing": {
        const state = this.#run.machines.get(machine);
        if (state !== undefined) state.isClosing = true;
        return;
      }
      case "round_trip": {
        const state = this.#run.machines.get(machine);
        if (state !== undefined) this.#answered(state, event.ms);
        return this.#parts.backlogs.machineChanged(machine);
      }
      case "reused":
        return this.#run.inFlight.with(
          event,
          ({ job, shown }) => {
            // A further try finds the directory of the one before, as it should.
            if (tryNumber(this.#run.jobs.get(job) ?? {}) > 1) return;
            report(this.#run, { type: "directory_present", job, machine: shown });
          },
        );
      case "notice":
        return this.#parts.links.notice(machine, event.text);
      case "beside":
        return this.#run.inFlight.with(event, (one) => this.#parts.attempts.beside(one, event.directory));
      case "down":
        return this.#parts.links.down(machine, event.reason);
      default:
        event satisfies never;
    }
  }

  #answered(state: MachineState, ms: number): void {
    state.roundTripMs = Math.min(ms, state.roundTripMs ?? Infinity);
    const text = this.#twins.answered(state);
    if (text !== null) this.#parts.links.notice("twins", text);
  }
}
