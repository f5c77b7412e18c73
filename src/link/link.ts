/**
 * The link to one machine, as the scheduler and the operations see it: the port. `agent_link.ts` implements it over any
 * transport: ssh, a local shell, or the simulation's processes.
 *
 * Words: an *attempt* is one start of one job; its id is `JOBID.N` (the job record's `id` and the attempt's number).
 * The host claims an attempt before it starts it, so that asking twice for the same attempt starts it at most once.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Machine } from "../cluster/machine.ts";
import type { AttemptRef } from "../job/attempt.ts";
import type { AttemptEvent, AttemptState, RemoveResult, StartRequest, TimeLimit } from "../agent/attempt.ts";
import type { GpuUse } from "../agent/gpu_use.ts";
import type { BacklogChange, Closing, Mark, NoBacklog } from "../agent/protocol.ts";
import type { SentPath } from "./sent_path.ts";

export type { BacklogChange } from "../agent/protocol.ts";
export type { GpuUse } from "../agent/gpu_use.ts";
export type { Mark } from "../agent/protocol.ts";
export type { AttemptState, RemoveResult, StartRequest, TimeLimit } from "../agent/attempt.ts";

/** What comes from a machine unasked. Times are the host's clock, epoch ms. */
export type LinkEvent =
  | AttemptEvent
  | NoBacklog
  | Closing
  /** How long a request and its answer took just now. */
  | { readonly type: "round_trip"; readonly ms: number }
  /** What a person should know of this machine, in one line. */
  | { readonly type: "notice"; readonly text: string }
  /** The link is gone; no further event follows. Jobs go on. */
  | { readonly type: "down"; readonly reason: string };

/** How to open a link. */
export interface ConnectOptions {
  /** The experiment directory there: relative to the home directory, or absolute. */
  readonly directory: string;
  /** The queue's id in the store; names the agent's own directory there. Lower-case hex. */
  readonly queueId: string;
  /**
   * `resident`: the scheduler's. When it begins, after its hello, it ends an earlier resident agent of the same queue
   * (of a half-open link); it follows starts and ends. `visitor`: asks, kills, removes and reads beside a resident one;
   * it starts nothing and gets no events but `down`. `onlooker`: asks and reads, and changes nothing at all over there.
   */
  readonly role: "resident" | "visitor" | "onlooker";
  /**
   * Asked before a resident agent begins, with what stands for the boot, the user and the directory there. False:
   * another link leads to the same; the attempt to connect fails, and nothing there was touched.
   */
  readonly admit?: (place: string) => boolean;
  /** Called for each event, in order, never before the promise of {@link Connect} has resolved. */
  readonly onEvent: (event: LinkEvent) => void;
  /** Ends the attempt to connect. */
  readonly signal?: AbortSignal;
}

/** What a job sends, see {@link Link.send}. */
export interface SendFiles extends AttemptRef {
  /** Where it starts; missing: in its directory. */
  readonly workdir?: string;
  readonly paths: readonly SentPath[];
}

/** Which bytes of a file. */
export interface FilePart {
  readonly maxBytes: number;
  /** Bytes before them; without it they are the last of the file. */
  readonly from?: number;
}

/** An open link. Methods reject with `LinkError` once it is down. */
export interface Link {
  readonly machine: Machine;
  /**
   * `MACHINE/BOOT`, see `agent/boot.ts`: another whenever the machine (or its container) is started anew, or another
   * one answers.
   */
  readonly boot: string;
  /** The host's own name and the user there, as it says; for messages. */
  readonly hostname: string;
  readonly user: string;
  /**
   * Asks for the start of each, in order; one write. Answers come as events `started`, `refused` or `known`. A request
   * repeated for the same attempt starts nothing twice. Does not wait.
   */
  start(requests: readonly StartRequest[]): void;
  /**
   * Makes or changes a backlog, in which prefetched jobs wait on the host for a slot; ordered with `start`. A backlog
   * holds as many slots as were put in and never lets more jobs run at once. It is over with the link: what waits there
   * then never starts.
   * @param number From 5 to 8.
   */
  backlog(number: number, change: BacklogChange): void;
  /**
   * Makes the directories of jobs that will be started here soon, all at once, which spares their starts a process
   * each. A hint: a start makes what is missing. Does not wait.
   */
  prepare(jobs: readonly JobName[]): void;
  /** Takes back what `prepare` made for jobs that are not started after all: empty directories only. Does not wait. */
  unprepare(jobs: readonly JobName[]): void;
  /**
   * State of each attempt, in order. A vanished process is written to its log as `crash` before the answer (not for an
   * onlooker).
   */
  ask(attempts: readonly AttemptRef[]): Promise<AttemptState[]>;
  /**
   * Claims each attempt so that it can never start; answers its state: `forbidden`, or what it was already. `claimed`
   * also where no claim can be made (a full disk): nothing is known until it is forbidden again. Never `none`.
   */
  forbid(attempts: readonly AttemptRef[]): Promise<AttemptState[]>;
  /**
   * Ends each job, TERM first, KILL after `graceMs`, all that belongs to it; `kill` is in its log when the promise
   * resolves. Answers the state then. A resident link also gets the `ended` event. Jobs are killed side by side.
   */
  kill(attempts: readonly AttemptRef[], options: { graceMs: number }): Promise<AttemptState[]>;
  /** The time limits of attempts that run are others now; null: none any more. One that does not run is left alone. */
  setLimits(limits: readonly (AttemptRef & { limit: TimeLimit | null })[]): Promise<void>;
  /**
   * Finds out whether the experiment directory there is the manager's own, `from`. If so, `remove` takes from then on
   * no directory in which something stands that is not the program's: it is a person's input, and this is the only
   * copy.
   */
  share(from: string): Promise<void>;
  /**
   * Removes the jobs' directories that this program made for this queue; one of another queue counts as `absent`.
   * `alive`: a job runs there, nothing is touched. `away`: it may run on another machine that shares the files, nothing
   * is touched. `later`: a later attempt than this was started there, nothing is touched. `kept`: the directory was
   * there before us, or is the manager's own with a person's files in it, and only the program's own files in it were
   * removed. What the attempt and those before it have left running is ended first, but with `alive` and `later`.
   */
  remove(attempts: readonly AttemptRef[]): Promise<RemoveResult[]>;
  /** Who uses the GPUs over there. @throws {LinkError} If nobody there can say. */
  gpus(): Promise<GpuUse[]>;
  /** Processes over there that carry a mark of a job, of whatever queue: the jobs', and what jobs have left running. */
  marks(): Promise<Mark[]>;
  /**
   * Bytes of a file of the directory of an attempt's job (or an absolute or `~/` path); null if there is none. At most
   * `maxBytes`, of its end, or after the first `from` bytes.
   */
  read(of: AttemptRef, file: string, part: FilePart): Promise<Uint8Array | null>;
  /**
   * Copies `DIRECTORY/JOB/` of the manager to the directory that each attempt's job has on the host, all in one stream
   * of a second session; beside, and then into place, so that one that breaks off changes nothing. Nothing is copied
   * where both directories are the same one: on a local link, and where manager and host share it. @returns The jobs
   * whose files cannot be copied, each with the reason.
   * @throws {LinkError} If the host cannot be reached.
   */
  stage(attempts: readonly AttemptRef[], from: string): Promise<ReadonlyMap<JobName, string>>;
  /**
   * Brings files of the manager to where the job starts, over connections of their own; equal contents once. A copy
   * that breaks off changes nothing there. @param from The experiment directory of the manager. @returns Why it
   * cannot be done; null if it is. @throws {LinkError} If the host cannot be reached.
   */
  send(files: SendFiles, from: string): Promise<string | null>;
  /**
   * Removes what jobs have sent there, but what is needed for these paths. Only for who runs the queue, or keeps others
   * from it. @param from The experiment directory of the manager. @throws {LinkError} If that cannot be done.
   */
  forget(paths: readonly SentPath[], from: string): Promise<void>;
  /** The host's experiment directory is known to be the manager's own: {@link stage} has nothing to do. */
  readonly isShared: boolean;
  /** Ends the link in good order. Jobs go on. Idempotent; the event `down` does not follow. */
  close(): Promise<void>;
}

/**
 * Opens a link; resolves when the agent has said hello.
 * @throws {LinkError} If the machine cannot be reached, refuses, or lacks something that is needed (the reason names
 * it).
 */
export type Connect = (machine: Machine, options: ConnectOptions) => Promise<Link>;
