/**
 * One copy of files that jobs send: an ssh session whose far end, `send.sh`, says which contents it lacks, gets them as
 * a tar stream, and puts files into the places of the jobs. What is sent when, see `sender.ts`.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Child, Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import putText from "./put.sh" with { type: "text" };
import sendText from "./send.sh" with { type: "text" };
import type { SourceFile, Tree } from "./sources.ts";
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";
import { complaint, CopyError, FAR_END, FAR_END_HERE, lineOf, pipe, textOf, withToken } from "./stage.ts";
import type { SendEnds, SendRequest } from "./transport.ts";

/** What a job sends, and where it goes. */
export interface SendJob extends Omit<SendRequest, "paths"> {
  readonly items: readonly { readonly kept: string; readonly tree: Tree }[];
}

/** Where files go. */
export interface SendPlace extends SendEnds {
  readonly machine: Machine;
  /** The experiment directory there: relative to the home directory, or absolute. */
  readonly directory: string;
  readonly queueId: string;
}

/** A file was changed while it was sent. */
export class ChangedError extends Error {}

/** So many bytes and more of one path are links to one copy, which no job can write into. */
export const SHARED_BYTES = 1024 * 1024;
/** Of a content of this size and more, the last one of its path is kept there: only changes of it are sent. */
export const LARGE_BYTES = 8 * 1024 * 1024;
/** A program takes no more words than this. */
const MOST_WORDS_BYTES = 100_000;
const ANSWER_MS = 60_000;

const farText = lineOf(`${putText}\n${sendText}`);

/** What a session is about. */
export interface SendSession {
  /** `look`: only asks what is missing. `drop`: removes what came in part. */
  readonly way: "look" | "send" | "drop";
  readonly contents: ReadonlyMap<string, SourceFile>;
  readonly trees: Iterable<Tree>;
  readonly jobs: readonly SendJob[];
}

/** What became of it. */
export interface SessionResult {
  /** Keys of contents that were not there. */
  readonly missing: readonly string[];
  /** Why jobs did not get their files. */
  readonly failed: ReadonlyMap<JobName, string>;
}

/** What stands for the path of a large content over there. */
async function nameOf(deps: Deps, file: SourceFile): Promise<string> {
  if (file.bytes < LARGE_BYTES) return "-";
  return (await deps.files.hash([new TextEncoder().encode(file.source)])).slice(0, 32);
}

/** A path in a line. */
function word(path: string): string {
  return path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function treeLines(tree: Tree): string[] {
  return [
    `T ${tree.key}`,
    ...tree.directories.map((path) => `D - ${word(path)}`),
    ...tree.files.map(({ key, path }) => `F ${key} ${word(path)}`),
    "E -",
  ];
}

function jobLines({ place, workdir, items }: SendJob, number: number): string[] {
  const lines = items.map(({ kept, tree: { key, isFile, files, bytes } }) => {
    const isShared = bytes >= SHARED_BYTES;
    if (!isFile) return `${isShared ? "l" : "c"} ${key} ${word(kept)}`;
    return isShared ? `L ${key} ${word(kept)}` : `C ${files[0]!.mode.toString(8)} ${key} ${word(kept)}`;
  });
  return [`J ${number}`, ...lines, workdir === null ? `P ${word(place)}` : `W ${word(workdir)}`];
}

/** Reads what the far end says. */
class Answers {
  readonly ready = Promise.withResolvers<"ready" | "elsewhere" | null>();
  readonly end: Promise<void>;
  readonly missing: string[] = [];
  readonly failed = new Map<number, string>();
  changed: string | null = null;
  isDone = false;

  constructor(stream: ReadableStream<Uint8Array>, token: string) {
    this.end = this.#listen(stream, `${token} `);
  }

  async #listen(stream: ReadableStream<Uint8Array>, mark: string): Promise<void> {
    let rest = "";
    try {
      for await (const part of stream.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + part).split("\n");
        rest = lines.pop()!.slice(-10_000);
        for (const line of lines) if (line.startsWith(mark)) this.#take(line.slice(mark.length));
      }
    } catch {
      // Its process has ended, which tells.
    }
    this.ready.resolve(null);
  }

  #take(line: string): void {
    const [verb, key = "", ...rest] = line.split(" ");
    if (verb === "need") this.missing.push(key);
    else if (verb === "ready" || verb === "elsewhere") this.ready.resolve(verb);
    else if (verb === "changed") this.changed = key;
    else if (verb === "failed") this.failed.set(Number(key), oneLine(rest.join(" ")));
    else if (verb === "done") this.isDone = true;
  }
}

/**
 * Carries out a session. @throws {LinkError} If the machine cannot be reached. @throws {CopyError} If it cannot take
 * the files. @throws {ChangedError} If one was changed meanwhile.
 */
export async function sendOverSsh(deps: Deps, to: SendPlace, session: SendSession): Promise<SessionResult> {
  return await withToken(deps, to.from, to.queueId, (token) => sendOnce(deps, to, session, token));
}

async function sendOnce(
  deps: Deps,
  to: SendPlace,
  { way, contents, trees, jobs }: SendSession,
  token: string,
): Promise<SessionResult> {
  const { machine } = to;
  const where = machineText(machine);
  const last = `.${to.from}/${token}`;
  const head = [farText, to.directory, `.cms/${to.queueId}/${to.own}`, to.boot, token, word(last), way];
  const wanted = await Promise.all(
    [...contents.values()].map(async (file) => `${file.key} ${await nameOf(deps, file)} ${word(`.${file.source}`)}`),
  );
  const todo = [...[...trees].flatMap(treeLines), ...jobs.flatMap(jobLines)];
  const far = deps.processes.spawn(
    isLocal(machine) ? ["sh", "-c", FAR_END_HERE] : sshCommand(deps.environment, machine, FAR_END),
  );
  const said = textOf(far.stderr);
  const answers = new Answers(far.stdout, token);
  const writer = far.stdin.getWriter();
  writer.closed.catch(() => {});
  const text = [...head, ...wanted, "", ...todo, "", ""].join("\n");
  writer.write(new TextEncoder().encode(text)).catch(() => {});
  const answered = new AbortController();
  const late = deps.clock.sleepUntil(deps.clock.now() + ANSWER_MS, answered.signal).then(() => {
    if (!answered.signal.aborted) far.kill("SIGKILL");
  });
  const ready = await answers.ready.promise;
  answered.abort();
  await late;
  let packed = { code: 0, said: "" };
  if (ready === "ready" && way === "send" && answers.missing.length > 0) {
    const sources = answers.missing.flatMap((key) => contents.get(key)?.source ?? []);
    packed = await pack(deps, [...sources.map((path) => `.${path}`), last], writer);
  } else writer.close().catch(() => {});
  const { code, signal } = await far.ended;
  await answers.end;
  if (ready === "elsewhere") throw new LinkError(where, "its name leads to another machine now", false);
  if (signal !== null) throw new LinkError(where, "the connection was lost", false);
  if (code === 255 || ready === null && code === 0) {
    const { reason, lasting } = explainSsh(machine, await said, code);
    throw new LinkError(where, reason, lasting);
  }
  if (answers.changed !== null) {
    throw new ChangedError(`${contents.get(answers.changed)?.source} was changed while it was sent`);
  }
  if (packed.code > 1 && packed.code < 128) throw new CopyError(complaint(packed.said));
  if (code !== 0 || way === "send" && !answers.isDone) {
    throw new CopyError(complaint(await said) || `its shell ended with ${code}`);
  }
  const failed = new Map([...answers.failed].map(([number, reason]) => [jobs[number]!.job, reason]));
  return { missing: answers.missing, failed };
}

/** The tar stream of files, whose paths begin with `./`. */
async function pack(
  deps: Deps,
  paths: readonly string[],
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<{ code: number; said: string }> {
  const isLong = paths.reduce((sum, path) => sum + path.length + 1, 0) > MOST_WORDS_BYTES;
  const words = isLong ? ["--null", "-T", "-"] : paths;
  // The variable keeps a Mac's tar from adding a `._` file for each.
  const env = { COPYFILE_DISABLE: "1", LC_ALL: "C" };
  const tar: Child = deps.processes.spawn(["tar", "-h", "-cf", "-", "-C", "/", ...words], { env });
  if (isLong) {
    const names = tar.stdin.getWriter();
    names.closed.catch(() => {});
    names.write(new TextEncoder().encode(paths.map((path) => `${path}\0`).join(""))).catch(() => {});
    names.close().catch(() => {});
  } else tar.stdin.close().catch(() => {});
  const [said, { code }] = await Promise.all([textOf(tar.stderr), tar.ended, pipe(tar, writer)]);
  return { code, said };
}
