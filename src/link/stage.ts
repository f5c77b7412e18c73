/**
 * Copies job directories of the manager to a machine: one tar stream over an ssh session of its own, never through the
 * agent, whose requests and heartbeat would wait behind it. The far end is `stage.sh`.
 *
 * @module
 */

import { withoutComments } from "../agent/shell_text.ts";
import type { Child, Deps } from "../deps.ts";
import { type Machine, machineText } from "../cluster/machine.ts";
import { LinkError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import putText from "./put.sh" with { type: "text" };
import stageText from "./stage.sh" with { type: "text" };
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";
import { startFor } from "./started.ts";
import type { Staged } from "./transport.ts";

/**
 * What runs there, inside the user's login shell, which may be fish or csh: so in one pair of single quotes, with none
 * of the characters that one of them reads differently there (`'`, `\`, `!`, a line break).
 */
export const FAR_END = `exec sh -c 'IFS= read -r s && eval "$(printf %b "$s")"'`;
/** The same for a shell of our own, without a login shell around it. */
export const FAR_END_HERE = `IFS= read -r s && eval "$(printf %b "$s")"`;
const JOBS_AT_ONCE = 100;
/** Sessions for one group of jobs while the one whose files cannot be copied is looked for. */
const MOST_SESSIONS = 32;
/** A copy whose connection broke is made again. */
const TRIES = 3;
const PAUSE_MS = 1_000;
const ANSWER_MS = 30_000;

const farText = lineOf(`${putText}\n${stageText}`);

/** The text of a far end in one line, as `printf %b` reads it. */
export function lineOf(text: string): string {
  return withoutComments(text).replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Where input files go. */
export interface Destination {
  readonly machine: Machine;
  /** The experiment directory there: relative to the home directory, or absolute. */
  readonly directory: string;
  readonly queueId: string;
  /** The machine as the agent has it (see `agent/boot.ts`), which names its own directory. */
  readonly own: string;
  /** The directory of each job there: `JOB`, or one beside it. The agent knows, and has made them. */
  readonly places: ReadonlyMap<JobName, string>;
}

/** The files of these jobs cannot be copied; the connection is not the cause. */
export class CopyError extends Error {}

/** Ends of the names of what earlier tries wrote, as the agent removes them. */
const OF_TRIES = [".[0-9]", ".[0-9][0-9]", ".[0-9][0-9][0-9]"];

/** Files of ours in a job's directory, for tar: those of an earlier run on the manager itself are no input. */
function ownFiles(job: JobName): string[] {
  const written = [`${job}.log`, `${job}.out`, `${job}-nohup.log`];
  const earlier = written.flatMap((name) => OF_TRIES.map((end) => name + end));
  const names = [".cms", `${job}.pid`, `${job}.run`, ...written, ...earlier];
  return [...names, `${job}.run.*`, `${job}.kill.*`, `${job}.limit.*`];
}

/** The same, behind the job's name. */
const OWN_ENDS = /^(?:\.(?:pid|run|run\..*|kill\..*|limit\..*|(?:out|log)(?:\.\d{1,3})?)|-nohup\.log(?:\.\d{1,3})?)$/s;

/**
 * True if a name in a job's directory is one of a file of ours, so that it is no input. Which name its script has, only
 * the job's shell says.
 */
export function isOwnFile(job: JobName, name: string): boolean {
  return name === ".cms" || (name.startsWith(job) && OWN_ENDS.test(name.slice(job.length)));
}

/** All that a stream holds, as text. */
export async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text().catch(() => "");
}

/** What a program complained of, without tar's last words, which say nothing. */
export function complaint(text: string): string {
  return oneLine(text.replaceAll(/^.*(Exiting with failure status|Error is not recoverable).*$/gm, ""));
}

/** Reads a stream to its end; `answer` is the word of the first line that is `WORD TOKEN`, null if there is none. */
function listen(
  stream: ReadableStream<Uint8Array>,
  token: string,
): { answer: Promise<string | null>; end: Promise<void> } {
  const answer = Promise.withResolvers<string | null>();
  const end = (async () => {
    let text = "";
    try {
      for await (const part of stream.pipeThrough(new TextDecoderStream())) {
        text = (text + part).slice(-10_000);
        const [, word] = new RegExp(`^(same|ready|elsewhere) ${RegExp.escape(token)}$`, "m").exec(text) ?? [];
        if (word !== undefined) answer.resolve(word);
      }
    } catch {
      // Its process has ended, which tells.
    }
    answer.resolve(null);
  })();
  return { answer: answer.promise, end };
}

/**
 * Sends all that tar writes. An error of the pipe shows as the end of one of the two. @param moved Called after each
 * piece.
 */
export async function pipe(
  from: Child,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  moved: () => void = () => {},
): Promise<void> {
  try {
    for await (const chunk of from.stdout) {
      await writer.write(chunk);
      moved();
    }
    await writer.close();
  } catch {
    from.kill("SIGKILL");
    writer.abort().catch(() => {});
  }
}

/** One copy. @returns False if nothing was to be copied, as the directory there is the manager's own. */
async function copy(
  deps: Deps,
  to: Destination,
  jobs: readonly JobName[],
  from: string,
  token: string,
): Promise<boolean> {
  const where = machineText(to.machine);
  const ssh = startFor(deps, to.machine, sshCommand(deps.environment, to.machine, FAR_END));
  const sshSaid = textOf(ssh.stderr);
  const { answer, end } = listen(ssh.stdout, token);
  const writer = ssh.stdin.getWriter();
  const lines = jobs.flatMap((job) => [job, to.places.get(job) ?? job]);
  writer.closed.catch(() => {});
  writer.write(
    new TextEncoder().encode(
      [farText, to.directory, `.cms/${to.queueId}/${to.own}`, token, ...lines, "", ""].join("\n"),
    ),
  ).catch(() => {});
  let packed = { code: 0, said: "" };
  const answered = new AbortController();
  const late = deps.clock.sleepUntil(deps.clock.now() + ANSWER_MS, answered.signal).then(() => {
    if (!answered.signal.aborted) ssh.kill("SIGKILL");
  });
  const word = await answer;
  answered.abort();
  await late;
  if (word === "ready") {
    const own = jobs.flatMap((job) => ownFiles(job).map((name) => [job, name] as const));
    const excludes = own.flatMap(([job, name]) => [`--exclude=${job}/${name}`, `--exclude=${job}/./${name}`]);
    // So the directory is meant where the name is a link. The token comes last: where it arrives all has arrived.
    const names = [...jobs.map((job) => `${job}/.`), token];
    // The variable keeps a Mac's tar from adding a `._` file for each.
    const env = { COPYFILE_DISABLE: "1" };
    const tar = startFor(deps, to.machine, ["tar", "-cf", "-", ...excludes, "-C", from, ...names], { env });
    tar.stdin.close().catch(() => {});
    const [said, { code }] = await Promise.all([textOf(tar.stderr), tar.ended, pipe(tar, writer)]);
    packed = { code, said };
  } else writer.close().catch(() => {});
  const { code, signal } = await ssh.ended;
  await end;
  if (word === "elsewhere") {
    throw new LinkError(where, "cannot copy input files: its name leads to another machine now", false);
  }
  if (signal !== null) throw new LinkError(where, "cannot copy input files: the connection was lost", false);
  if (code === 255 || word === null && code === 0) {
    const { reason, lasting } = explainSsh(to.machine, await sshSaid, code);
    throw new LinkError(where, `cannot copy input files: ${reason}`, lasting);
  }
  // 1 is GNU tar's "a file changed while it was read". What ended by a signal ended as the pipe did.
  if (packed.code > 1 && packed.code < 128) {
    throw new CopyError(`cannot pack the input files: ${complaint(packed.said)}`);
  }
  if (code !== 0) {
    throw new CopyError(
      `cannot unpack the input files there: ${complaint(await sshSaid) || `its shell ended with ${code}`}`,
    );
  }
  return word === "ready";
}

/**
 * Does something while a file of a new name stands in a directory of the manager: where it is seen is that directory.
 */
export async function withToken<T>(
  { files, ids }: Deps,
  directory: string,
  queueId: string,
  act: (token: string) => Promise<T>,
): Promise<T> {
  const token = `.input.${queueId}.${ids.hex(8)}.tmp`;
  try {
    (await files.openAppend(`${directory}/${token}`, { create: true }))?.close();
    return await act(token);
  } finally {
    await files.remove(`${directory}/${token}`).catch(() => false);
  }
}

/** The copy, made again where the connection broke. */
async function copySurely(deps: Deps, to: Destination, jobs: readonly JobName[], from: string): Promise<boolean> {
  for (let tries = 1;; tries++) {
    try {
      return await withToken(deps, from, to.queueId, (token) => copy(deps, to, jobs, from, token));
    } catch (error) {
      if (!(error instanceof LinkError) || error.lasting || tries >= TRIES) throw error;
    }
    await deps.clock.sleepUntil(deps.clock.now() + PAUSE_MS);
  }
}

/**
 * Copies `FROM/JOB/` there for each job that has such a directory. @throws {LinkError} If the machine cannot be
 * reached.
 */
export async function stageOverSsh(
  deps: Deps,
  to: Destination,
  from: string,
): Promise<Staged> {
  const jobs = [...to.places.keys()];
  const stamps = await Promise.all(jobs.map((job) => deps.files.stamp(`${from}/${job}`)));
  const present = jobs.filter((_, i) => stamps[i]?.isDirectory === true);
  const failed = new Map<JobName, string>();
  for (let at = 0; at < present.length; at += JOBS_AT_ONCE) {
    const parts = [present.slice(at, at + JOBS_AT_ONCE)];
    let sessions = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      sessions++;
      try {
        if (!await copySurely(deps, to, part, from)) return { isSame: true, failed };
      } catch (error) {
        if (!(error instanceof CopyError)) throw error;
        const half = Math.ceil(part.length / 2);
        // Halves, until it is alone.
        if (part.length > 1 && sessions < MOST_SESSIONS) parts.push(part.slice(0, half), part.slice(half));
        else for (const job of part) failed.set(job, error.message);
      }
    }
  }
  return { isSame: false, failed };
}
