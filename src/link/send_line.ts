/**
 * The way to the far end of copies of files that jobs send, `send.sh`: an ssh session that takes requests one after
 * another, so that the next ones pay for no connection. Where the machine cannot do that it takes one.
 *
 * @module
 */

import { isLocal, machineText } from "../cluster/machine.ts";
import type { Child, Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import putText from "./put.sh" with { type: "text" };
import { ChangedError, requestLines, type SendPlace, type SendSession, type SessionResult } from "./send.ts";
import sendText from "./send.sh" with { type: "text" };
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";
import { startFor } from "./started.ts";
import { complaint, CopyError, FAR_END, FAR_END_HERE, lineOf, pipe, textOf, withToken } from "./stage.ts";
import { inPieces } from "./tar_pieces.ts";

/** A program takes no more words than this. */
const MOST_WORDS_BYTES = 100_000;
const ANSWER_MS = 60_000;
const CLOSE_MS = 3_000;
/** More of what the far end complains of is not kept. */
const KEPT_CHARACTERS = 100_000;

const farText = lineOf(`${putText}\n${sendText}`);

/**
 * Carries out one request over a connection of its own. @throws {LinkError} If the machine cannot be reached. @throws
 * {CopyError} If it cannot take the files. @throws {ChangedError} If one was changed meanwhile.
 */
export async function sendOnce(deps: Deps, to: SendPlace, session: SendSession): Promise<SessionResult> {
  const line = new SendLine(deps, to);
  try {
    return await line.carryOut(session);
  } finally {
    await line.close();
  }
}

/** One session. Requests must not overlap. */
export class SendLine {
  readonly #deps: Deps;
  readonly #to: SendPlace;
  readonly #far: Child;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #heard: Promise<void>;
  readonly #complained: Promise<void>;
  #complaints = "";
  #answers: Answers | null = null;
  #isOpen = true;

  /** Starts it. */
  constructor(deps: Deps, to: SendPlace) {
    this.#deps = deps;
    this.#to = to;
    this.#far = startFor(
      deps,
      to.machine,
      isLocal(to.machine) ? ["sh", "-c", FAR_END_HERE] : sshCommand(deps.environment, to.machine, FAR_END),
    );
    this.#writer = this.#far.stdin.getWriter();
    this.#writer.closed.catch(() => {});
    this.#complained = this.#read(this.#far.stderr, (text) => {
      this.#complaints = (this.#complaints + text).slice(-KEPT_CHARACTERS);
    });
    this.#heard = this.#listen();
    this.#write([farText, to.directory, `.cms/${to.queueId}/${to.own}`, to.boot]);
  }

  /** False if it takes no further request. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Carries out a request. @throws {LinkError} If the machine cannot be reached. @throws {CopyError} If it cannot take
   * the files. @throws {ChangedError} If one was changed meanwhile.
   */
  async carryOut(session: SendSession): Promise<SessionResult> {
    const { from, queueId } = this.#to;
    return await withToken(this.#deps, from, queueId, (token) => this.#carryOut(session, token));
  }

  /** Ends it in good order. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#writer.close().catch(() => {});
    const { clock } = this.#deps;
    const over = new AbortController();
    const late = clock.sleepUntil(clock.now() + CLOSE_MS, over.signal).then(() => {
      if (!over.signal.aborted) this.#far.kill("SIGKILL");
    });
    await Promise.all([this.#far.ended, this.#heard, this.#complained]);
    over.abort();
    await late;
  }

  async #carryOut(session: SendSession, token: string): Promise<SessionResult> {
    const { way, contents, jobs } = session;
    const answers = this.#answers = new Answers(token);
    this.#complaints = "";
    if (!this.#isOpen) answers.end();
    this.#write(await requestLines(this.#deps, this.#to, session, token));
    const ready = await this.#answerOf(answers);
    const isSend = way === "send";
    let packed = { code: 0, said: "" };
    if (isSend && answers.missing.length > 0 && (ready === "ready" || ready === "more")) {
      const sources = answers.missing.flatMap((key) => contents.get(key)?.source ?? []);
      packed = await this.#pack([...sources.map((path) => `.${path}`), `.${this.#to.from}/${token}`], ready === "more");
    } else if (!isSend || ready !== "more") this.#writer.close().catch(() => {});
    const failedJobs = () => new Map([...answers.failed].map(([number, reason]) => [jobs[number]!.job, reason]));
    if (isSend && ready === "more" && await answers.done.promise) {
      return { missing: answers.missing, failed: failedJobs() };
    }
    this.#isOpen = false;
    const { code, signal } = await this.#far.ended;
    await Promise.all([this.#heard, this.#complained]);
    const { machine } = this.#to;
    const where = machineText(machine);
    if (ready === "elsewhere") {
      throw new LinkError(where, "its name leads to another machine now, or it was booted", false);
    }
    if (signal !== null) throw new LinkError(where, "the connection was lost", false);
    if (code === 255 || ready === null && code === 0) {
      const { reason, lasting } = explainSsh(machine, this.#complaints, code);
      throw new LinkError(where, reason, lasting);
    }
    if (answers.changed !== null) {
      throw new ChangedError(`${contents.get(answers.changed)?.source} was changed while it was sent`);
    }
    if (packed.code > 1 && packed.code < 128) throw new CopyError(complaint(packed.said));
    if (code !== 0 || isSend && !answers.isDone) {
      throw new CopyError(complaint(this.#complaints) || `its shell ended with ${code}`);
    }
    return { missing: answers.missing, failed: failedJobs() };
  }

  /** Its answer; null if the session ends without one. */
  async #answerOf({ ready }: Answers): Promise<Ready | null> {
    const { clock } = this.#deps;
    const answered = new AbortController();
    const late = clock.sleepUntil(clock.now() + ANSWER_MS, answered.signal).then(() => {
      if (!answered.signal.aborted) this.#far.kill("SIGKILL");
    });
    const answer = await ready.promise;
    answered.abort();
    await late;
    return answer;
  }

  #write(lines: readonly string[]): void {
    this.#writer.write(new TextEncoder().encode(`${lines.join("\n")}\n`)).catch(() => {});
  }

  async #listen(): Promise<void> {
    let rest = "";
    await this.#read(this.#far.stdout, (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!.slice(-10_000);
      for (const line of lines) this.#answers?.take(line);
    });
    this.#isOpen = false;
    this.#answers?.end();
  }

  /** Reads a stream to its end. That it breaks off shows as the end of its process. */
  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    try {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
    } catch {
      // Its process has ended, which tells.
    }
  }

  /** The tar stream of files, by their absolute paths behind a full stop. */
  async #pack(paths: readonly string[], isInPieces: boolean): Promise<{ code: number; said: string }> {
    const isLong = paths.reduce((sum, path) => sum + path.length + 1, 0) > MOST_WORDS_BYTES;
    const words = isLong ? ["--null", "-T", "-"] : paths;
    // The variable keeps a Mac's tar from adding a `._` file for each.
    const env = { COPYFILE_DISABLE: "1", LC_ALL: "C" };
    const tar: Child = startFor(this.#deps, this.#to.machine, ["tar", "-h", "-cf", "-", "-C", "/", ...words], { env });
    if (isLong) {
      const names = tar.stdin.getWriter();
      names.closed.catch(() => {});
      names.write(new TextEncoder().encode(paths.map((path) => `${path}\0`).join(""))).catch(() => {});
      names.close().catch(() => {});
    } else tar.stdin.close().catch(() => {});
    const sent = isInPieces ? inPieces(tar, this.#writer) : pipe(tar, this.#writer);
    const [said, { code }] = await Promise.all([textOf(tar.stderr), tar.ended, sent]);
    return { code, said };
  }
}

type Ready = "ready" | "more" | "elsewhere";

/** What the far end says to one request. */
class Answers {
  readonly ready = Promise.withResolvers<Ready | null>();
  /** True when all is in place, false if the session ended before. */
  readonly done = Promise.withResolvers<boolean>();
  readonly missing: string[] = [];
  readonly failed = new Map<number, string>();
  readonly #mark: string;
  changed: string | null = null;
  isDone = false;

  constructor(token: string) {
    this.#mark = `${token} `;
  }

  take(line: string): void {
    if (!line.startsWith(this.#mark)) return;
    const [verb, key = "", ...rest] = line.slice(this.#mark.length).split(" ");
    if (verb === "need") this.missing.push(key);
    else if (verb === "ready") this.ready.resolve(key === "more" ? "more" : "ready");
    else if (verb === "elsewhere") this.ready.resolve("elsewhere");
    else if (verb === "changed") this.changed = key;
    else if (verb === "failed") this.failed.set(Number(key), oneLine(rest.join(" ")));
    else if (verb === "done") {
      this.isDone = true;
      this.done.resolve(true);
    }
  }

  /** Nothing comes any more. */
  end(): void {
    this.ready.resolve(null);
    this.done.resolve(false);
  }
}
