/**
 * The streams of an agent's process: text in, lines out. Knows nothing of what they mean but the token that begins the
 * events.
 *
 * @module
 */

import type { Child, Clock } from "../deps.ts";

/**
 * Written at a time; each piece that is taken counts as a sign of life, so that a slow line is not taken for a dead
 * one.
 */
const PIECE_BYTES = 64 * 1024;
/** A longer line is nobody's answer. */
const LONGEST_LINE = 1 << 20;
const NOISE_CHARS = 8192;
/** A link mostly waits: what a read waits with is memory that each of hundreds of links has, twice. */
const WAITING_BYTES = 4096;
/** So much is taken at once where more comes than that. */
const BUSY_BYTES = 64 * 1024;
/**
 * After so many pieces, each within this time of the one before and none of them answered, the next is waited for: see
 * {@link Channel}.
 */
const MANY = 4;
const CLOSE_TOGETHER_MS = 5;
const REST_MS = 8;
/** How long a stream may stay open after the process has ended (somebody else may hold it). */
const DRAIN_MS = 1000;

/**
 * Calls `onLine` for each whole line of a stream, until it ends; an error of the stream is an end. `onPiece` comes
 * after each piece.
 */
async function eachLine(
  reader: ReadableStreamBYOBReader,
  onLine: (line: string) => void,
  onRest: (text: string) => void,
  onPiece: () => Promise<void> | null = () => null,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  let buffer = new ArrayBuffer(WAITING_BYTES);
  while (true) {
    const { done, value } = await reader.read(new Uint8Array(buffer)).catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) break;
    // The same again where it has the size: fresh memory costs more than what comes in it.
    const size = value.length < WAITING_BYTES ? WAITING_BYTES : BUSY_BYTES;
    buffer = value.buffer.byteLength === size ? value.buffer : new ArrayBuffer(size);
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
    for (const line of lines) onLine(line);
    const pause = onPiece();
    if (pause !== null) await pause;
  }
  onRest(rest);
}

/** What to do with what comes. */
export interface ChannelHandlers {
  /** Line on stderr after which lines are events; what came before is noise. */
  readonly token: string;
  /** True once an agent has answered; lines before that are noise, too. */
  readonly onAnswer: (line: string) => boolean;
  readonly onEvent: (line: string) => void;
}

/**
 * A running agent's process.
 *
 * Of hundreds of short jobs a second each writes its own events, and to be woken for it costs more than to deal with
 * it. So the reader takes a rest where they come close together and nobody answers: then nobody waits for them.
 */
export class Channel {
  /** Resolves when the process has ended and all that it wrote has been handed on. Never rejects. */
  readonly ended: Promise<{ code: number; noise: string }>;
  readonly #child: Child;
  readonly #clock: Clock;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #waiting: string[] = [];
  /** What is sent only when {@link letGo} says so; null where nothing is held back. */
  #held: string[] | null = null;
  #writing = false;
  #closing = false;
  #hasBegun = false;
  #noise = "";
  #heardMs: number;
  /** Pieces of events that came close together since something was sent. */
  #inRow = 0;
  #pieceMs = -Infinity;

  constructor(child: Child, clock: Clock, handlers: ChannelHandlers) {
    this.#child = child;
    this.#clock = clock;
    this.#heardMs = clock.now();
    this.#writer = child.stdin.getWriter();
    this.#writer.closed.catch(() => {});
    this.ended = this.#read(handlers);
  }

  /** When something came, or was taken, last. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** What came that is none of the agent's, on both streams, before it began. */
  get noise(): string {
    return this.#noise;
  }

  /** The stream of events has begun: what stands on it from now on is the agent's. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * Sends text, in order; all that is sent within one turn goes in one write. Errors show as the end of the process.
   */
  send(text: string): void {
    if (this.#held !== null) return void this.#held.push(text);
    this.#waiting.push(text);
    this.#inRow = 0;
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => this.#flush());
  }

  /** Holds back what is sent from now on, in order. What is held when the process ends was never sent. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was held back, and holds back no more. */
  letGo(): void {
    const held = this.#held ?? [];
    this.#held = null;
    if (held.length > 0) this.send(held.join(""));
    else if (this.#closing) this.close();
  }

  /** Ends the input after what was sent, and what is held back; the agent ends by itself then. */
  close(): void {
    this.#closing = true;
    if (!this.#writing && this.#held === null) this.#writer.close().catch(() => {});
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #flush(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = new TextEncoder().encode(this.#waiting.join(""));
        this.#waiting = [];
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          await this.#writer.write(bytes.subarray(at, at + PIECE_BYTES));
          if (bytes.length > PIECE_BYTES) this.#heardMs = this.#clock.now();
        }
      }
      if (this.#closing && this.#held === null) await this.#writer.close();
    } catch {
      // A broken pipe: the process is ending, and `ended` tells.
      this.#waiting = [];
    } finally {
      this.#writing = false;
    }
  }

  /** A pause before more events are read, if it is time for one. */
  #rest(): Promise<void> | null {
    const nowMs = this.#clock.now();
    this.#inRow = nowMs - this.#pieceMs < CLOSE_TOGETHER_MS ? this.#inRow + 1 : 0;
    const isMany = this.#inRow >= MANY;
    this.#pieceMs = isMany ? nowMs + REST_MS : nowMs;
    return isMany ? this.#clock.sleepUntil(this.#pieceMs) : null;
  }

  async #read({ token, onAnswer, onEvent }: ChannelHandlers): Promise<{ code: number; noise: string }> {
    const heard = (handle: (line: string) => void) => (line: string) => {
      this.#heardMs = this.#clock.now();
      handle(line);
    };
    let hasAnswered = false;
    const noise = (text: string) => {
      if (!this.#hasBegun) this.#noise = (this.#noise + text).slice(-NOISE_CHARS);
    };
    const mode = { mode: "byob" } as const;
    const readers = [this.#child.stdout.getReader(mode), this.#child.stderr.getReader(mode)] as const;
    const streams = Promise.all([
      eachLine(
        readers[0],
        heard((line) => {
          if (onAnswer(line)) hasAnswered = true;
          else if (!hasAnswered) noise(line + "\n");
        }),
        (text) => hasAnswered || noise(text + "\n"),
      ),
      eachLine(
        readers[1],
        heard((line) => {
          if (this.#hasBegun) onEvent(line);
          else if (line === token) this.#hasBegun = true;
          else noise(line + "\n");
        }),
        noise,
        () => this.#rest(),
      ),
    ]);
    const { code } = await this.#child.ended;
    const drained = new AbortController();
    const limit = this.#clock.sleepUntil(this.#clock.now() + DRAIN_MS, drained.signal);
    await Promise.race([streams, limit]);
    drained.abort();
    for (const reader of readers) reader.cancel().catch(() => {});
    await streams;
    this.#writer.abort().catch(() => {});
    return { code, noise: this.#noise };
  }
}
