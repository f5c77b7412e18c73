/**
 * What a campaign did and when: its journal for the reader, and what the judge must know of it. All times are uptimes
 * of the machine in ms, which its test hosts share.
 *
 * @module
 */

/** Something that was asked of the queue, by a command or by an edit of its file. */
export interface Deed {
  /**
   * `save`: a person saved the queue file, in which these jobs were waiting; `drop`: one in which these jobs were left
   * out.
   */
  readonly type: "add" | "delete" | "reset" | "save" | "drop" | "note";
  readonly names: readonly string[];
  /** From when on it may have had an effect. */
  readonly fromMs: number;
  /** When the command had returned, or the file was written. */
  readonly toMs: number;
  /** The command said that it was done. */
  readonly done: boolean;
  /** Of a note: its text. */
  readonly text?: string;
}

/** Something that happened to a host. */
export interface Trouble {
  /**
   * `power`: all of its processes ended at that moment; `silent`: it was cut off for longer than the time-out; `ssh`:
   * the way to it was ended, perhaps while it was being opened, which fails a start of `fifo`.
   */
  readonly type: "power" | "silent" | "ssh";
  readonly host: string;
  readonly atMs: number;
}

/** Something that is not as it must be. */
export interface Finding {
  readonly invariant: Invariant;
  readonly text: string;
}

/** What must be true at the end. */
export const INVARIANTS = {
  lost: "nothing acknowledged is lost, every job comes to its end",
  doubled: "no attempt twice, no two of one job at once, none unasked",
  state: "each state is true of what happened on the host",
  slots: "slots and max_parallel are never exceeded",
  files: "the YAML parses, and says what the program says",
  program: "no stack trace, no end without a reason, no hanging",
} as const;

/** Name of something that must be true. */
export type Invariant = keyof typeof INVARIANTS;

/** Uptime of this machine in ms. */
export function uptimeMs(): number {
  return Math.round(Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 1000);
}

/** Everything that was done, as it happens. */
export class Journal {
  /** For the judge; a new round begins with none. */
  deeds: Deed[] = [];
  /** For the judge. */
  troubles: Trouble[] = [];
  findings: Finding[] = [];
  /** How often each fault ended how. */
  outcomes = new Map<string, Map<string, number>>();
  readonly #say: (line: string) => void;
  readonly #beginMs: number;

  /** @param say Called with each line for the reader. */
  constructor(say: (line: string) => void, beginMs = uptimeMs()) {
    this.#say = say;
    this.#beginMs = beginMs;
  }

  /** For another queue in the same round: deeds of its own, all else is the same. */
  another(): Journal {
    const made = new Journal(this.#say, this.#beginMs);
    made.findings = this.findings;
    made.outcomes = this.outcomes;
    return made;
  }

  /** Tells the reader what happens now. */
  tell(text: string): void {
    this.#say(`${((uptimeMs() - this.#beginMs) / 1000).toFixed(1).padStart(7)} ${text}`);
  }

  /** Notes what became of a fault. */
  count(fault: string, outcome: string): void {
    const outcomes = this.outcomes.get(fault) ?? new Map<string, number>();
    this.outcomes.set(fault, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
  }

  /** Notes that something is not as it must be. */
  find(invariant: Invariant, text: string): void {
    this.findings.push({ invariant, text });
    this.tell(`BROKEN (${invariant}): ${text}`);
  }
}
