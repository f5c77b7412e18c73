/**
 * The terminal as the commands see it: the port. `main.ts` makes the real one; tests record.
 *
 * @module
 */

/** A run's way to hear that a person wants it to stop. Both signals' `reason` is the name of the process signal. */
export interface Interrupts {
  /** Aborts at the first Ctrl-C or TERM, or when the terminal is closed and the program was not started by nohup. */
  readonly stop: AbortSignal;
  /** Aborts at the second. */
  readonly leave: AbortSignal;
  /** Gives the process signals back to the system. */
  release(): void;
}

/** The whole screen of a terminal, for a program that takes each key as it is pressed. */
export interface TerminalScreen {
  /** As it is now. */
  size(): { readonly rows: number; readonly columns: number };
  /** What a person presses, as the terminal sends it. Ends with {@link TerminalScreen.close}, or the terminal. */
  keys(): AsyncIterable<string>;
  /** Calls `act` when the size is another one. */
  onResize(act: () => void): void;
  /** Lets the terminal read lines again. The program ends soon after. */
  close(): void;
}

/**
 * Where text goes. Writes keep their order across both streams, are gathered to one write per turn of the event loop,
 * and never fail: what a closed pipe does not take is dropped.
 */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Writes bytes to stdout as they are, after all text that was written before. Resolves when they have gone out. */
  bytes(bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was written has gone out. */
  flush(): Promise<void>;
  /** True if people read the stream on a screen. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Width of the screen in columns; 80 if there is none. */
  columns(): number;
  /**
   * Asks a person and reads one line; secrets are not shown. null if there is no terminal to ask on, or the person ends
   * it with Ctrl-C or Ctrl-D.
   */
  ask?(question: string, options: { isSecret: boolean }): Promise<string | null>;
  /** Lets a person edit a file with this command of the shell. @returns Its exit status. Missing where nobody can. */
  edit?(command: string, path: string): Promise<number>;
  /** All of standard input as text. @throws {CmsError} If it is not UTF-8. */
  readAll?(): Promise<string>;
  /** Standard input as text, piece by piece as it comes. @throws {CmsError} While it is read, if it is not UTF-8. */
  pieces?(): AsyncIterable<string>;
  /** Takes the screen and the keys; null if standard input is no terminal. Missing where there is none. */
  screen?(): TerminalScreen | null;
  /** True if nobody reads what goes to stdout any more. */
  isGone?(): boolean;
  /** Begins to take Ctrl-C and TERM for the program; until then they end it, as usual. */
  interrupts(): Interrupts;
}
