/**
 * A copy of input files: `tar` on the manager, and the far end on a simulated host, `src/link/stage.sh` in TypeScript.
 * The stream between them is no real archive: names and texts, each with a NUL behind it.
 *
 * @module
 */

import type { FarEnd, Terminal } from "./agent.ts";
import type { Doing } from "./claims.ts";
import type { Host } from "./host.ts";
import { type HostProcess, type Steps, UNTIL_WOKEN } from "./host_process.ts";
import type { MemoryFiles } from "./memory_files.ts";
import { ReadPipe } from "./pipes.ts";
import type { SimChild, SimProcess } from "./process.ts";
import { isSend, readSend, SentFiles, sentJobs } from "./sent_files.ts";

const KILLED = 137;
/** Lines before those of the jobs: the far end's text, the experiment directory, the agent's own, the token. */
const HEAD_LINES = 4;
/** Lines before a request of `send.sh`: its text, the experiment directory, the agent's own, the boot. */
const SEND_HEAD_LINES = 4;
/** So many bytes come at once: files are seldom in one piece. */
const PIECE_BYTES = 12;

/** The files of a stream as far as it has come; the last may be there in part. */
function unpack(text: string): Map<string, string> {
  const parts = text.split("\0");
  const files = new Map<string, string>();
  for (let i = 0; i + 1 < parts.length; i += 2) files.set(parts[i]!, parts[i + 1]!);
  return files;
}

/** The far end of a copy. */
export class Stager implements FarEnd {
  readonly process: HostProcess;
  readonly #host: Host;
  readonly #terminal: Terminal;
  readonly #decoder = new TextDecoder();
  #text = "";
  #ended = false;
  #code = KILLED;

  constructor(host: Host, terminal: Terminal) {
    this.#host = host;
    this.#terminal = terminal;
    this.process = host.spawn("helper", null, () => this.#main());
    this.process.onGone.push(() => terminal.exited(this.#code));
  }

  input(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    this.#host.wake(this.process);
  }

  endOfInput(): void {
    this.#ended = true;
    this.#host.wake(this.process);
  }

  *#main(): Steps {
    this.#code = yield* this.#copy();
  }

  /** The lines up to an empty one; null if they do not all come. */
  *#section(): Doing<string[] | null> {
    for (;;) {
      const text = this.#text;
      const end = text.startsWith("\n") ? 0 : text.indexOf("\n\n") + 1;
      if (end > 0 || text.startsWith("\n")) {
        this.#text = text.slice(end + 1);
        return end === 0 ? [] : text.slice(0, end - 1).split("\n");
      }
      if (this.#ended) return null;
      yield UNTIL_WOKEN;
    }
  }

  *#copy(): Doing<number> {
    const lines = yield* this.#section();
    if (lines === null) return 3;
    if (isSend(lines)) return yield* this.#requests(lines);
    const token = lines[HEAD_LINES - 1]!;
    if (this.#host.sees(token)) {
      this.#terminal.stdout(`\nsame ${token}\n`);
      return 0;
    }
    if (!this.isOfAgent(lines[HEAD_LINES - 2]!)) {
      this.#terminal.stdout(`\nelsewhere ${token}\n`);
      return 0;
    }
    if (this.#host.isFull) return this.#fail("mkdir: No space left on device");
    yield 0;
    this.#terminal.stdout(`\nready ${token}\n`);
    const places = new Map<string, string>();
    for (let i = HEAD_LINES; i + 1 < lines.length; i += 2) places.set(lines[i]!, lines[i + 1]!);
    while (!this.#ended) {
      yield* this.arrived(unpack(this.#text), places);
      yield UNTIL_WOKEN;
    }
    if (this.#host.isFull) return this.#fail("tar: No space left on device");
    const files = unpack(this.#text);
    if (!this.isWhole(files, token)) return this.#fail("the copy broke off", 4);
    yield 0;
    return yield* this.put(files, places);
  }

  /** Requests about files that jobs send; the head of the first holds for all. */
  *#requests(first: readonly string[]): Doing<number> {
    for (let lines = first;;) {
      const todo = yield* this.#section();
      if (todo === null) return 3;
      const code = yield* this.#send(lines, todo);
      if (code !== 0 || !this.#takesMore()) return code;
      const next = yield* this.#section();
      if (next === null) return 0;
      lines = [...first.slice(0, SEND_HEAD_LINES), ...next];
    }
  }

  /** Whether its `head` takes no more than it is told. */
  #takesMore(): boolean {
    return this.#host.machine.charCodeAt(this.#host.machine.length - 1) % 2 === 0;
  }

  /** A stream that comes in pieces; null if it breaks off. */
  *#pieces(): Doing<string | null> {
    let text = "";
    for (;;) {
      const end = this.#text.indexOf("\n");
      const bytes = Number(this.#text.slice(0, Math.max(0, end)));
      const rest = new TextEncoder().encode(this.#text.slice(end + 1));
      if (end >= 0 && rest.length >= bytes) {
        const decoder = new TextDecoder();
        this.#text = decoder.decode(rest.subarray(bytes));
        if (bytes === 0) return text;
        text += decoder.decode(rest.subarray(0, bytes));
      } else if (this.#ended) return null;
      else yield UNTIL_WOKEN;
    }
  }

  /** The stream: in pieces, or up to the end of what comes. */
  *#stream(): Doing<string> {
    if (this.#takesMore()) return (yield* this.#pieces()) ?? "";
    while (!this.#ended) yield UNTIL_WOKEN;
    return this.#text;
  }

  /** Files that jobs send. */
  *#send(lines: readonly string[], todo: readonly string[]): Doing<number> {
    const { own, token, last, boot, way, contents } = readSend(lines);
    const store = new SentFiles(this.#host, own);
    const say = (words: string): void => this.#terminal.stdout(`\n${token} ${words}\n`);
    if (!this.isOfAgent(own) || !this.isOfBoot(boot)) return say("elsewhere"), 0;
    if (this.#host.isFull) return this.#fail("mkdir: No space left on device");
    if (way === "forget") {
      store.forget(contents);
      return say("ready"), 0;
    }
    store.begin(boot);
    yield 0;
    const missing = [...contents].filter(([key]) => !store.has(key));
    for (const [key] of missing) say(`need ${key}`);
    say(this.#takesMore() ? "ready more" : "ready");
    if (way === "look") return 0;
    if (missing.length > 0) {
      const stream = yield* this.#stream();
      if (this.#host.isFull) return this.#fail("tar: No space left on device");
      const files = unpack(stream);
      if (!this.isWhole(files, last)) return this.#fail("the copy broke off", 4);
      yield 0;
      for (const [key, path] of missing) store.keep(key, files.get(path) ?? "");
    }
    for (const { number, place, files } of sentJobs(todo)) {
      const directory = this.#host.directories.get(place);
      if (directory === undefined) say(`failed ${number} ${place}: No such file or directory`);
      else if (this.#host.isFull) say(`failed ${number} cp: No space left on device`);
      else {
        for (const [path, key] of files) {
          directory.setInput(path, store.get(key));
          yield 0;
        }
      }
    }
    say("done");
    return 0;
  }

  /** Whether the agent's own directory is here: else the name leads to another machine now. */
  isOfAgent(own: string): boolean {
    return this.#host.parts.home !== undefined || own.endsWith(`/${this.#host.machine}`);
  }

  /** Whether the machine was not booted since: what was here may be torn, and others have looked at it. */
  isOfBoot(boot: string): boolean {
    return boot.endsWith(`/${this.#host.boot}`);
  }

  /** Whether all has come. */
  isWhole(files: ReadonlyMap<string, string>, token: string): boolean {
    return files.has(token);
  }

  /** Something came: it stands beside, and is nobody's yet. */
  *arrived(_files: ReadonlyMap<string, string>, _places: ReadonlyMap<string, string>): Steps {}

  /** `put`, for each job: each file is replaced in one step. */
  *put(files: ReadonlyMap<string, string>, places: ReadonlyMap<string, string>): Doing<number> {
    for (const [path, text] of files) {
      const place = places.get(path.slice(0, path.indexOf("/")));
      if (place === undefined) continue;
      const directory = this.#host.directories.get(place);
      if (directory === undefined) return this.#fail(`mv: cannot move to ${place}: No such file or directory`);
      directory.setInput(path.slice(path.lastIndexOf("/") + 1), text);
      yield 0;
    }
    return 0;
  }

  #fail(words: string, code = 3): number {
    this.#terminal.stderr(`${words}\n`);
    return code;
  }
}

/** `tar -cf - ... -C FROM JOB/. ... TOKEN` on the manager; `-C / ./PATH ... ./TOKEN` where jobs send files. */
export function spawnTar(process: SimProcess, disk: MemoryFiles, command: readonly string[]): SimChild {
  const { timeline, random } = process.parts;
  const [from = "", ...names] = command.slice(command.indexOf("-C") + 1);
  const stdout = new ReadPipe();
  const ended = Promise.withResolvers<{ code: number; signal: string | null }>();
  let isOver = false;
  const over = (code: number, signal: string | null): void => {
    if (isOver) return;
    isOver = true;
    process.resume(() => {
      stdout.end();
      ended.resolve({ code, signal });
    });
  };
  const files = names.flatMap((name) =>
    from !== "/" && name.endsWith("/.")
      ? disk.namesNow(`${from}/${name.slice(0, -2)}`).map((file) => `${name}/${file}`)
      : [name]
  );
  const text = files.map((file) =>
    `${file}\0${disk.textNow(`${from}/${file}`.replaceAll(/\/(?:\.?\/)+/g, "/")) ?? ""}\0`
  ).join("");
  const bytes = new TextEncoder().encode(text);
  const paceMs = random.logBetween(0.1, 600);
  const write = (at: number): void => {
    if (isOver) return;
    if (at >= bytes.length) return over(0, null);
    process.resume(() => stdout.push(bytes.subarray(at, at + PIECE_BYTES)));
    timeline.after(random.between(0, paceMs), () => write(at + PIECE_BYTES));
  };
  timeline.after(1, () => write(0));
  return {
    pid: 1,
    stdin: { close: () => Promise.resolve() } as unknown as WritableStream<Uint8Array>,
    stdout: stdout.whole,
    stderr: new Response("").body ?? new ReadableStream({ start: (controller) => controller.close() }),
    ended: ended.promise,
    kill: () => over(KILLED, "SIGKILL"),
    orphaned: () => isOver = true,
  };
}
