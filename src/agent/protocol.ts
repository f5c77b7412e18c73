/**
 * The language of the agent: requests out, answers and events in. Pure.
 *
 * A request is one compound statement of shell, `{ cms_VERB 'arg' ...\n}\n`, so that the shell's own parser does the
 * framing and a request that is cut off runs nothing. An answer is a line that begins with the link's token; an event
 * is one that begins with the queue's mark and ends with a full stop. Every other line is noise and is ignored.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { quote } from "../names/quote.ts";
import type { AttemptId, AttemptRef } from "../job/attempt.ts";
import {
  type AttemptEvent,
  type AttemptState,
  limitWord,
  type RemoveResult,
  type StartRequest,
  variablesWord,
} from "./attempt.ts";
import { type GpuUse, parseGpuUse } from "./gpu_use.ts";
import { limitOf, number, parseState, slotOf } from "./states.ts";
import { withoutComments } from "./shell_text.ts";
import agentText from "./agent.sh" with { type: "text" };
import claimsText from "./claims.sh" with { type: "text" };
import startText from "./start.sh" with { type: "text" };
import backlogText from "./backlog.sh" with { type: "text" };
import verbsText from "./verbs.sh" with { type: "text" };
import removeText from "./remove.sh" with { type: "text" };
import limitsText from "./limits.sh" with { type: "text" };
import gpusText from "./gpus.sh" with { type: "text" };
import pipesText from "./pipes.sh" with { type: "text" };
import launchText from "./launch.sh" with { type: "text" };
import helloText from "./hello.sh" with { type: "text" };

/** What the agent gets before it begins. */
export interface AgentSetup {
  readonly token: string;
  readonly directory: string;
  readonly queueId: string;
  readonly role: "resident" | "visitor" | "onlooker";
  /** The name of a machine that does not go by that of its host: a node of an allocation. */
  readonly as?: string | undefined;
  /** Nothing that the host executes is written there: jobs start by `setsid` and `env` alone. */
  readonly isBare?: boolean;
}

/** A process that carries the mark of an attempt: the job's own, or one that it left running. */
export interface Mark {
  readonly pid: number;
  readonly attempt: AttemptId;
  /** Its queue and job, `QUEUE-ID/JOB`. */
  readonly owner: string;
}

/** A line that the agent wrote to answer a request. */
export type Answer =
  | {
    readonly type: "hello";
    readonly boot: string;
    readonly hostname: string;
    readonly user: string;
    /** The experiment directory there, without links. */
    readonly directory: string;
  }
  /** The machine lacks something. `lasting`: somebody has to do something about it. */
  | { readonly type: "need"; readonly lasting: boolean; readonly reason: string }
  | { readonly type: "pong" }
  | { readonly type: "state"; readonly request: number; readonly index: number; readonly state: AttemptState }
  | { readonly type: "data"; readonly request: number; readonly bytes: Uint8Array }
  | { readonly type: "mark"; readonly request: number; readonly mark: Mark }
  | { readonly type: "absent"; readonly request: number }
  | { readonly type: "failed"; readonly request: number; readonly reason: string }
  | { readonly type: "where"; readonly request: number; readonly index: number; readonly directory: string }
  | { readonly type: "done"; readonly request: number };

/** The host cannot keep a backlog (no fifo can be made there): nothing that was sent into it will start. */
export interface NoBacklog {
  readonly type: "no_backlog";
  readonly number: number;
}

/** The machine is an allocation's, and is near its end: it takes no more jobs, as its starter says. */
export interface Closing {
  readonly type: "closing";
}

/** A line of the events file. */
export type AgentEvent =
  | AttemptEvent
  | NoBacklog
  | Closing
  | { readonly type: "removed"; readonly request: number; readonly index: number; readonly result: RemoveResult }
  | { readonly type: "gpu"; readonly request: number; readonly use: GpuUse }
  | { readonly type: "failed"; readonly request: number; readonly reason: string }
  | { readonly type: "done"; readonly request: number };

const MARKER_OF_NO_GPU = "-";

/** Lets a resident agent begin; it ends an earlier resident agent of the queue. */
export const BEGIN = "{ cms_begin\n}\n";

/** One request. @throws {RangeError} If an argument holds a NUL. */
export function request(verb: string, args: readonly (string | number)[]): string {
  return `{ cms_${verb}${args.map((arg) => " " + (typeof arg === "number" ? String(arg) : quote(arg))).join("")}\n}\n`;
}

/** The parts of the agent in the order in which they are sent; the last begins. */
const PARTS = [
  ...[agentText, claimsText, startText, backlogText, verbsText, removeText, limitsText, gpusText, pipesText],
  ...[launchText, helloText],
];

/** The agent's text without its comments, made once. */
let program: string | null = null;

/** What is written first: the agent, without its comments, and the request for its hello. */
export function agentProgram(setup: AgentSetup): string {
  program ??= withoutComments(PARTS.join(""));
  const values = {
    c_tok: setup.token,
    c_dir: setup.directory,
    c_qid: setup.queueId,
    c_role: setup.role,
    c_as: setup.as ?? "",
    c_bare: setup.isBare === true ? "1" : "",
  };
  const assignments = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}\n`);
  return assignments.join("") + program + "\n" + request("hello", []);
}

/** Makes the directories of these jobs, as far as they are missing. */
export function dirsRequest(jobs: readonly JobName[]): string {
  return request("dirs", jobs);
}

/** Removes the directories of these jobs that hold nothing. */
export function undirsRequest(jobs: readonly JobName[]): string {
  return request("undirs", jobs);
}

/** Starts one attempt, at once or when it is its turn in a backlog. @throws {RangeError} If a text holds a NUL. */
export function startRequest(start: StartRequest): string {
  const gpu = start.gpu === null ? MARKER_OF_NO_GPU : `=${start.gpu}`;
  const args = [start.job, start.attempt, start.shell, start.output, start.log, gpu, start.script];
  const { limit = null, variables = {}, workdir = "", keep } = start;
  const more = [limitWord(limit), variablesWord(variables), workdir, keep === undefined ? "" : String(keep)];
  while (more.at(-1) === "" || (more.length === 1 && limit === null)) more.pop();
  args.push(...more);
  if (start.backlog === null) return request("start", args);
  return request("queue", [start.backlog, start.job, start.attempt, ["c_run", ...args.map(quote)].join(" ")]);
}

/** A change of a backlog: `open` makes it anew with these free slots, `more` adds some, `over` ends it. */
export type BacklogChange =
  | { readonly type: "open"; readonly slots: readonly number[] }
  | { readonly type: "more"; readonly slots: readonly number[] }
  | { readonly type: "over" };

/** Changes a backlog. */
export function backlogRequest(number: number, change: BacklogChange): string {
  const word = change.type === "over" ? "-" : `${change.type === "more" ? "+" : "="}${change.slots.join(" ")}`;
  return request("backlog", [number, word]);
}

/** Job, attempt, job, attempt ... as `cms_ask`, `cms_forbid` and `cms_kill` take them. */
export function attemptArgs(attempts: readonly AttemptRef[]): string[] {
  return attempts.flatMap(({ job, attempt }) => [job, attempt]);
}

function base64(text: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

function hex(words: readonly string[]): Uint8Array | null {
  if (!words.every((word) => /^[0-9a-f]{2}$/.test(word))) return null;
  return Uint8Array.from(words, (word) => parseInt(word, 16));
}

/** Reads a line of stdout; null if it is no answer of this link's agent. Never throws. */
export function parseAnswer(line: string, token: string): Answer | null {
  if (!line.startsWith(token + " ")) return null;
  const words = line.slice(token.length + 1).split(" ").filter((word) => word !== "");
  const id = number(words[1]);
  const rest = words.slice(2);
  switch (words[0]) {
    case "hello": {
      const [boot, hostname, user = "", ...directory] = rest;
      if (id !== 1 || boot === undefined || hostname === undefined) return null;
      return { type: "hello", boot, hostname, user, directory: directory.join(" ") };
    }
    case "need":
      return { type: "need", lasting: words[1] === "1", reason: rest.join(" ") };
    case "p":
      return { type: "pong" };
  }
  if (id === null) return null;
  switch (words[0]) {
    case "a": {
      const index = number(rest[0]);
      const state = parseState(rest.slice(1));
      return index === null || state === null ? null : { type: "state", request: id, index, state };
    }
    case "b":
    case "h": {
      const bytes = words[0] === "h" ? hex(rest) : base64(rest.join(""));
      return bytes === null ? null : { type: "data", request: id, bytes };
    }
    case "w": {
      const [index, directory] = [number(rest[0]), rest[1]];
      return index === null || directory === undefined ? null : { type: "where", request: id, index, directory };
    }
    case "m": {
      const [pid, attempt, owner] = [number(rest[0]), rest[1], rest[2]];
      return pid === null || attempt === undefined || owner === undefined
        ? null
        : { type: "mark", request: id, mark: { pid, attempt, owner } };
    }
    case "n":
      return { type: "absent", request: id };
    case "x":
      return { type: "failed", request: id, reason: rest.join(" ") };
    case "z":
      return { type: "done", request: id };
    default:
      return null;
  }
}

const REMOVE_RESULTS: readonly string[] = [
  "removed",
  "absent",
  "alive",
  "away",
  "later",
  "kept",
] satisfies RemoveResult[];

/** Reads a line of the events file; null if it is no whole event of this queue. Never throws. */
export function parseEvent(line: string, queueId: string): AgentEvent | null {
  if (!line.startsWith(`@${queueId} `) || !line.endsWith(" .")) return null;
  const [mark = "", first = "", second = "", ...rest] = line.slice(queueId.length + 2, -2).split(" ");
  const gave = mark.length === 2 && mark.endsWith("+");
  const kind = gave ? mark[0] : mark;
  const gaveBack = gave ? { gaveBack: true as const } : {};
  if (kind === "L") return { type: "closing" };
  const request = number(first);
  if (kind === "Z") return request === null ? null : { type: "done", request };
  if (kind === "V") {
    const index = number(second);
    const result = rest[0] ?? "";
    if (request === null || index === null || !REMOVE_RESULTS.includes(result)) return null;
    return { type: "removed", request, index, result: result as RemoveResult };
  }
  if (kind === "X") return request === null ? null : { type: "failed", request, reason: [second, ...rest].join(" ") };
  if (kind === "G") {
    const use = parseGpuUse([second, ...rest]);
    return request === null || use === null ? null : { type: "gpu", request, use };
  }
  if (kind === "Q") return request === null ? null : { type: "no_backlog", number: request };
  if (first === "" || second === "") return null;
  const ref: AttemptRef = { job: first as JobName, attempt: second };
  switch (kind) {
    case "B": {
      const [pid, atMs] = [number(rest[0]), number(rest[1])];
      if (pid === null || atMs === null) return null;
      return { type: "started", ...ref, pid, atMs, ...slotOf(rest[2] && `s=${rest[2]}`) };
    }
    case "E": {
      const [state, code, at] = rest;
      const atMs = number(at);
      if (atMs === null || (state !== "end" && state !== "kill" && state !== "crash")) return null;
      return { type: "ended", ...ref, state, exitCode: number(code), atMs, ...limitOf(rest), ...gaveBack };
    }
    case "R":
      return { type: "refused", ...ref, reason: rest.join(" "), ...gaveBack };
    case "N": {
      const state = parseState(rest);
      return state === null ? null : { type: "known", ...ref, state, ...gaveBack };
    }
    case "U":
      return { type: "reused", ...ref };
    case "D":
      return rest[0] === undefined ? null : { type: "beside", ...ref, directory: rest[0] };
    default:
      return null;
  }
}
