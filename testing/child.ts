/**
 * A child process of a test: its output as it comes, its end, its time limit.
 *
 * @module
 */

import { waitUntil } from "./wait.ts";

/** Where no limit is given. Test machines are slow and shared: the limit is for what hangs, not for what is slow. */
const LIMIT_MS = 180_000;
const PIPES_MS = 2_000;

/** How a command ended. */
export interface Outcome {
  /** Exit status; 128+n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child that runs. Its output is gathered as it comes. */
export class Running {
  /** Process id. The launcher becomes the program, so it is the program's. */
  readonly pid: number;
  /** Resolves when it is gone, whatever the cause; never rejects. */
  readonly gone: Promise<void>;
  readonly #what: string;
  readonly #limitMs: number;
  readonly #child: Deno.ChildProcess;
  #stdout = "";
  #stderr = "";
  #code: number | null = null;
  #timedOut = false;

  /** Starts it; use {@link Manager.start}. */
  constructor(
    command: readonly string[],
    at: { cwd: string; env: Record<string, string> },
    limitMs: number = LIMIT_MS,
  ) {
    const [program, ...args] = command;
    this.#what = command.join(" ").slice(0, 200);
    this.#limitMs = limitMs;
    this.#child = new Deno.Command(program ?? "", {
      args,
      cwd: at.cwd,
      clearEnv: true,
      env: at.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.gone = this.#follow();
  }

  /** All of stdout so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** All of stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** stdout and then stderr so far, for messages and for waiting. */
  get text(): string {
    return this.#stdout + this.#stderr;
  }

  /** True while it has not ended. */
  get isRunning(): boolean {
    return this.#code === null;
  }

  /** Waits until stdout or stderr holds this. @throws {Error} At the limit, or if it ends without. */
  async waitFor(what: string | RegExp, limitMs = 20_000): Promise<void> {
    const has = () => typeof what === "string" ? this.text.includes(what) : what.test(this.text);
    await waitUntil(() => `${what} from ${this.#what}, which printed:\n${this.text}`, () => has() || !this.isRunning, {
      limitMs,
    });
    if (!has()) throw new Error(`${this.#what} ended with ${this.#code} without printing ${what}:\n${this.text}`);
  }

  /** Sends a signal to it alone. Nothing happens if it is gone. */
  signal(signal: Deno.Signal): void {
    try {
      if (this.isRunning) this.#child.kill(signal);
    } catch {
      // It has just ended.
    }
  }

  /** Ends it at once, as a crash of the manager would, and waits until it is gone. */
  async kill9(): Promise<void> {
    this.signal("SIGKILL");
    await this.gone;
  }

  /** Waits for its end. @throws {Error} If the limit came first. */
  async ended(): Promise<Outcome> {
    await this.gone;
    if (this.#timedOut) throw new Error(`${this.#what} did not end within ${this.#limitMs} ms:\n${this.text}`);
    return { code: this.#code ?? -1, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #follow(): Promise<void> {
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.signal("SIGKILL");
    }, this.#limitMs);
    // A grandchild that lives on may hold the pipes; it is not waited for.
    const over = new AbortController();
    let late: ReturnType<typeof setTimeout> | undefined;
    const gather = async (stream: ReadableStream<Uint8Array>, add: (text: string) => void) => {
      try {
        for await (const text of stream.pipeThrough(new TextDecoderStream(), { signal: over.signal })) add(text);
      } catch {
        // Given up, see above.
      }
    };
    await Promise.all([
      gather(this.#child.stdout, (text) => this.#stdout += text),
      gather(this.#child.stderr, (text) => this.#stderr += text),
      this.#child.status.then(({ code }) => {
        this.#code = code;
        late = setTimeout(() => over.abort(), PIPES_MS);
      }),
    ]);
    clearTimeout(late);
    clearTimeout(timer);
  }
}
