/**
 * A real terminal of any size with a program in it, made by tmux: what it shows, and what a person presses.
 *
 * @module
 */

import { waitUntil } from "./wait.ts";

/** Where the program runs. */
export interface TmuxOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
}

/** A terminal; ended by `await using`. */
export class TmuxTerminal {
  /** Holds the socket of its tmux, and nothing else. */
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#env = env;
  }

  /** Starts a line of the shell. The terminal stays when it has ended. */
  static async start(line: string, { cwd, env, columns, rows }: TmuxOptions): Promise<TmuxTerminal> {
    const terminal = new TmuxTerminal(await Deno.makeTempDir({ prefix: "cms-tmux-" }), env);
    const size = ["-x", String(columns), "-y", String(rows)];
    await terminal.#tmux("-f", "/dev/null", "new-session", "-d", ...size, "-c", cwd, `${line}; exec sleep 1000`);
    return terminal;
  }

  /** The lines on the screen, without blanks at their ends. */
  async screen(): Promise<string> {
    return await this.#tmux("capture-pane", "-p");
  }

  /** Presses keys by their names for tmux: `Down`, `Enter`, `q`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Waits until the screen shows this; gives it. */
  async shows(what: RegExp): Promise<string> {
    let screen = "";
    await waitUntil(() => `${what} on the screen:\n${screen}`, async () => {
      screen = await this.screen();
      return what.test(screen);
    }, { limitMs: 60_000 });
    return screen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const { PATH } = this.#env;
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", `${this.#directory}/socket`, ...args],
      env: { ...this.#env, PATH: `${PATH ?? ""}:/usr/bin:/bin`, TERM: "xterm-256color", LANG: "C.UTF-8" },
    }).output();
    if (!success) throw new Error(`tmux ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
