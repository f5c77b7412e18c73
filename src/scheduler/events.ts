/**
 * What goes into the scheduler's core and what comes out of it. The loop (`run.ts`) turns the world into events and
 * effects into deeds; the simulation does the same with a world of its own.
 *
 * @module
 */

import type { AttemptRef } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import type { Machine } from "../cluster/machine.ts";
import type { AttemptState, BacklogChange, GpuUse, LinkEvent, StartRequest, TimeLimit } from "../link/link.ts";
import type { Change, ExternalChanges } from "../store/changes.ts";
import type { RunEvent } from "./report.ts";
import type { SlotHost } from "./slot_host.ts";

/** What happened. `machine` is a key as `machineKey` makes it. */
export type CoreEvent =
  /** The first event: open what is needed. */
  | { readonly type: "begin" }
  /**
   * `undone`: attempts that were decided (their start, or that it fails) and never written, and must not be any more,
   * as their jobs are others now.
   */
  | { readonly type: "external"; readonly external: ExternalChanges; readonly undone?: readonly AttemptRef[] }
  /** The list of hosts is another now (a host was added, deactivated ...). */
  | { readonly type: "hosts"; readonly hosts: readonly SlotHost[] }
  | { readonly type: "link_up"; readonly machine: string; readonly boot: string }
  /** Nothing was left to do, and the run has closed all links; they are opened anew for what is added now. */
  | { readonly type: "links_closed" }
  /** It proved to be the machine to which the link of `as` leads; nothing was done there. */
  | { readonly type: "same_machine"; readonly machine: string; readonly as: string }
  | { readonly type: "connect_failed"; readonly machine: string; readonly reason: string; readonly lasting: boolean }
  | { readonly type: "link"; readonly machine: string; readonly event: LinkEvent }
  /** The answer to the effect `ask`, or of a machine that was asked without it. */
  | {
    readonly type: "answer";
    readonly machine: string;
    readonly isUnasked?: boolean;
    readonly states: readonly (AttemptRef & { state: AttemptState })[];
  }
  /** The answer to `recall`. `states` null: there was none. */
  | {
    readonly type: "recalled";
    readonly attempts: readonly AttemptRef[];
    readonly states: readonly AttemptState[] | null;
  }
  /** Who uses the GPUs of a machine, in answer to `gpus`; null where nobody there can say. */
  | {
    readonly type: "gpus";
    readonly machine: string;
    readonly use: readonly GpuUse[] | null;
    readonly reason: string;
  }
  /** Input files of a job could not be brought to the host: it was not started. */
  | (AttemptRef & { readonly type: "stage_failed"; readonly reason: string })
  | { readonly type: "stop"; readonly signal: string }
  /** Nothing is started while the queue is paused. `reason`: what the person who paused it said, or null. */
  | { readonly type: "pause"; readonly isPaused: boolean; readonly reason: string | null }
  /**
   * The run itself did nothing for so long (it was stopped, or the manager slept): nobody else was silent meanwhile.
   */
  | { readonly type: "stood_still"; readonly ms: number }
  /**
   * The wall clock, by which times are written down, is so far ahead of the run's own clock, which never steps. It was
   * set, or this is the first word of it.
   */
  | { readonly type: "wall_clock"; readonly aheadMs: number }
  /** Time has passed; see `Core.wakeAtMs`. */
  | { readonly type: "tick" };

/** What is to be done. All `change` effects of a step are durable before any other effect of it is carried out. */
export type Effect =
  /** `of`: the job as it was when this was decided. */
  | { readonly type: "change"; readonly change: Change; readonly of: Job; readonly durable: boolean }
  | { readonly type: "connect"; readonly machine: Machine }
  /** The link is needed no more: its machine goes, or has gone. */
  | { readonly type: "disconnect"; readonly machine: string }
  /** `again`: it was sent before, over a link that broke. */
  | { readonly type: "start"; readonly machine: string; readonly request: StartRequest; readonly again: boolean }
  /** Before the starts of the same step. */
  | { readonly type: "backlog"; readonly machine: string; readonly number: number; readonly change: BacklogChange }
  /** Claims these so that they never start, if they have not; answered by the event `recalled`. */
  | { readonly type: "recall"; readonly machine: string; readonly attempts: readonly AttemptRef[] }
  /** A hint: these jobs will probably be started there soon. */
  | { readonly type: "prepare"; readonly machine: string; readonly jobs: readonly JobName[] }
  /** They will not. */
  | { readonly type: "unprepare"; readonly machine: string; readonly jobs: readonly JobName[] }
  | {
    readonly type: "ask";
    readonly machine: string;
    readonly ask: readonly AttemptRef[];
    readonly forbid: readonly AttemptRef[];
  }
  /** Asks who uses the GPUs there; answered by the event `gpus`. */
  | { readonly type: "gpus"; readonly machine: string }
  | { readonly type: "kill"; readonly machine: string; readonly attempt: AttemptRef }
  /** The time limit of an attempt that runs is another now; null: none any more. */
  | {
    readonly type: "limit";
    readonly machine: string;
    readonly attempt: AttemptRef;
    readonly limit: TimeLimit | null;
  }
  | { readonly type: "report"; readonly event: RunEvent }
  /** Nothing is left to do: the result is ready. */
  | { readonly type: "finish" };
