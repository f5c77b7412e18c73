/**
 * The real terminal: paced writing, the full screen, questions with or without an echo, the editor, and the signals
 * that end a run.
 *
 * @module
 */

import type { Interrupts, Terminal, TerminalScreen } from "./cli/io.ts";
import { CmsError } from "./errors.ts";

/**
 * A run of short jobs prints thousands of lines a second: they are written together, this often. The first goes out at
 * once.
 */
const WRITE_EVERY_MS = 20;

const STREAMS = { out: Deno.stdout, err: Deno.stderr };

/** Writes in order across both streams; what gathers while a write is under way goes out in the next one. */
export class RealTerminal implements Terminal {
  readonly outIsTerminal = Deno.stdout.isTerminal();
  readonly errIsTerminal = Deno.stderr.isTerminal();
  readonly #closed = new Set<keyof typeof STREAMS>();
  /** Why something could not be written; null if all could, or nobody wants it any more. */
  failure: string | null = null;
  /** A read of the terminal goes on that nothing ends. */
  mustExit = false;
  #pending: { to: keyof typeof STREAMS; text: string }[] = [];
  #draining: Promise<void> | null = null;
  /** Since when the next write is due; see {@link WRITE_EVERY_MS}. */
  #writeAtMs = 0;
  #hurry = Promise.withResolvers<void>();

  out(text: string): void {
    this.#add("out", text);
  }

  err(text: string): void {
    this.#add("err", text);
  }

  async bytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    if (!this.#closed.has("out")) await this.#write("out", bytes);
  }

  async flush(): Promise<void> {
    this.#hurry.resolve();
    while (this.#draining !== null) await this.#draining;
    this.#hurry = Promise.withResolvers();
  }

  columns(): number {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80; // No terminal at all.
    }
  }

  async readAll(): Promise<string> {
    return (await Array.fromAsync(this.pieces())).join("");
  }

  async *pieces(): AsyncIterable<string> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const decode = (bytes?: Uint8Array): string => {
      try {
        return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      } catch {
        throw new CmsError("usage", "Cannot use standard input: it is not UTF-8 text");
      }
    };
    for await (const bytes of Deno.stdin.readable) yield decode(bytes);
    yield decode();
  }

  async ask(question: string, { isSecret }: { isSecret: boolean }): Promise<string | null> {
    if (!Deno.stdin.isTerminal()) return null;
    const show = () => Deno.stdin.setRaw(false);
    const leave = () => {
      show();
      Deno.exit(143);
    };
    if (isSecret) {
      // Before the question: whoever answers it at once is not shown either.
      Deno.stdin.setRaw(true);
      Deno.addSignalListener("SIGTERM", leave);
    }
    try {
      this.err(question);
      await this.flush();
      return await readLine(isSecret);
    } finally {
      if (isSecret) {
        Deno.removeSignalListener("SIGTERM", leave);
        show();
        this.err("\n");
      }
    }
  }

  async edit(command: string, path: string): Promise<number> {
    await this.flush();
    // Words of the command are the shell's business, as for other programs that call an editor.
    const args = ["-c", `${command} "$1"`, "sh", path];
    const editor = new Deno.Command("sh", { args, stdin: "inherit", stdout: "inherit", stderr: "inherit" }).spawn();
    return (await editor.status).code;
  }

  isGone(): boolean {
    return this.#closed.has("out");
  }

  screen(): TerminalScreen | null {
    if (!Deno.stdin.isTerminal()) return null;
    Deno.stdin.setRaw(true);
    const resized = new Set<() => void>();
    const onResize = () => resized.forEach((act) => act());
    Deno.addSignalListener("SIGWINCH", onResize);
    // What still waits for a key would keep the program from its end.
    this.mustExit = true;
    return {
      size: () => {
        const { rows, columns } = Deno.consoleSize();
        return { rows: rows || 24, columns: columns || 80 };
      },
      keys: readKeys,
      onResize: (act) => void resized.add(act),
      close: () => {
        Deno.removeSignalListener("SIGWINCH", onResize);
        Deno.stdin.setRaw(false);
      },
    };
  }

  interrupts(): Interrupts {
    const stop = new AbortController();
    const leave = new AbortController();
    const isHangUpIgnored = ignoresHangUp();
    const handlers = (["SIGINT", "SIGTERM", "SIGHUP", "SIGXFSZ"] as const).map((signal) => {
      const handler = () => {
        if (signal === "SIGXFSZ") return; // The write that went beyond the limit fails, and says why.
        // A closed terminal sends more than one: they never count as a second Ctrl-C.
        if (signal === "SIGHUP") return isHangUpIgnored ? undefined : stop.abort(signal);
        if (leave.signal.aborted) Deno.exit(signal === "SIGINT" ? 130 : 143); // A third time: whatever hangs, go.
        (stop.signal.aborted ? leave : stop).abort(signal);
      };
      Deno.addSignalListener(signal, handler);
      return { signal, handler };
    });
    return {
      stop: stop.signal,
      leave: leave.signal,
      release: () => handlers.forEach(({ signal, handler }) => Deno.removeSignalListener(signal, handler)),
    };
  }

  #add(to: keyof typeof STREAMS, text: string): void {
    const last = this.#pending.at(-1);
    if (last?.to === to) last.text += text;
    else if (text !== "") this.#pending.push({ to, text });
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // One turn, so that the lines of one event become one write.
    const waitMs = this.#writeAtMs - performance.now();
    if (waitMs > 0) await this.#pause(waitMs);
    this.#writeAtMs = performance.now() + WRITE_EVERY_MS;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      if (!this.#closed.has(next.to)) await this.#write(next.to, new TextEncoder().encode(next.text));
    }
    this.#draining = null;
  }

  async #pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([new Promise((resolve) => timer = setTimeout(resolve, ms)), this.#hurry.promise]);
    clearTimeout(timer);
  }

  /**
   * A reader that has gone (`cms queue list | head -1`, a closed terminal) is no error: the rest is dropped. A full
   * disk is one.
   */
  async #write(to: keyof typeof STREAMS, bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await STREAMS[to].write(bytes.subarray(at));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      const isHungUp = code === "EIO" && (to === "out" ? this.outIsTerminal : this.errIsTerminal);
      if (error instanceof Deno.errors.BrokenPipe || isHungUp) this.#closed.add(to);
      else this.failure ??= error instanceof Error ? error.message : String(error);
    }
  }
}

/**
 * True if whoever started the program wants it to outlive the terminal, as nohup does. To be asked before any signal is
 * listened to: Deno takes this one, too, with the first of them.
 */
function ignoresHangUp(): boolean {
  try {
    const [, last = "0"] = /^SigIgn:.*([0-9a-f])$/m.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
    return (parseInt(last, 16) & 1) === 1;
  } catch {
    // The executable may not read that, and not every system has it. What is ignored here is ignored by a child.
    try {
      const args = ["-c", "kill -HUP $$; echo ignored"];
      return new Deno.Command("sh", { args, stdin: "null", stderr: "null" }).outputSync().stdout.length > 0;
    } catch {
      return false;
    }
  }
}

/** What is pressed, piece by piece. */
async function* readKeys(): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(256);
  for (;;) {
    const count = await Deno.stdin.read(bytes).catch(() => null);
    if (count === null) return;
    yield decoder.decode(bytes.subarray(0, count), { stream: true });
  }
}

/** Reads a line byte by byte, so that nothing is taken of the next. A raw terminal leaves erasing and ending to us. */
async function readLine(isRaw: boolean): Promise<string | null> {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  while (await Deno.stdin.read(byte) !== null) {
    const [code = 0] = byte;
    if (code === 0x0a || code === 0x0d) return new TextDecoder().decode(new Uint8Array(line));
    if (isRaw && (code === 0x03 || (code === 0x04 && line.length === 0))) return null;
    if (isRaw && (code === 0x7f || code === 0x08)) eraseLast(line);
    else if (isRaw && code === 0x15) line.length = 0;
    else line.push(code);
  }
  return line.length > 0 ? new TextDecoder().decode(new Uint8Array(line)) : null;
}

/** Takes the last character away, all bytes of it. */
function eraseLast(line: number[]): void {
  while (((line.pop() ?? 0) & 0xc0) === 0x80);
}
