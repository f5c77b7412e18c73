/**
 * What a bench is: contenders that do the same work, and what is asked of their figures.
 *
 * A new bench is one file under `benches/` and one line in `registry.ts`. How often, in which order and with which
 * statistics contenders run is no business of a bench: `rounds.ts` and `statistics.ts` do that for all.
 *
 * @module
 */

/**
 * What the figures of a bench say: work done in a second (more is better), or the time of one run (less is better);
 * `figure`: what the contender's name says, in the unit that it names.
 */
export type Measure = "jobs/s" | "requests/s" | "ms" | "figure";

/** One of those that are measured. */
export interface Contender {
  /** Name in the table; unique in its bench. */
  readonly name: string;
  /** Jobs or requests that one run does; 1 where the measure is a time. */
  readonly amount: number;
  /**
   * Does the work once and takes its time. What is made for it and what is checked afterwards is not in the time.
   * @param round Number from 1; 0 is the warm-up, which is not counted. Files of an earlier round are not to be used
   * again.
   * @returns Milliseconds; where the measure is `figure`, that.
   * @throws {Error} If the work was not done.
   */
  run(round: number): Promise<number>;
}

/** Something asked of the figures: of one contender alone, or of its ratio to another in the same round. */
export interface Question {
  /** Name of a contender. */
  readonly of: string;
  /** Name of the contender that it is divided by; null: the figure itself. */
  readonly to: string | null;
  /** What the median has to be; null: nothing is promised. */
  readonly mark: Mark | null;
}

/** A bound. */
export type Mark = { readonly atLeast: number } | { readonly below: number } | { readonly atMost: number };

/** What the benches may choose from. */
export interface Setting {
  /** The program under test: executable and first arguments. */
  readonly program: readonly string[];
  /** Other executables, such as older ones, for benches that compare with them. */
  readonly beside: readonly string[];
  /** How many jobs; null: as many as the bench takes by itself. */
  readonly jobs: number | null;
  /** How long something is looked at; null: as long as the bench takes by itself. */
  readonly seconds: number | null;
  /** A directory for files of the manager's side; removed at the end. */
  readonly directory: string;
  /** Names (or beginnings of names) of contenders that are left out. */
  readonly without: readonly string[];
  /** Called with each line for the reader. */
  readonly say: (line: string) => void;
}

/** A bench that is ready to run. */
export interface Plan {
  /** One line: the work. */
  readonly work: string;
  /** In the order of the table. */
  readonly contenders: readonly Contender[];
  /** Those that name a contender that is left out are dropped. */
  readonly questions: readonly Question[];
}

/** A bench. */
export interface Bench {
  /** As it is called on the command line. */
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  /** What its figures are. */
  readonly measure: Measure;
  /** Rounds unless told otherwise. */
  readonly rounds: number;
  /** False where a round takes minutes: then none is thrown away at the begin. */
  readonly warmUp?: boolean;
  /**
   * Makes all that it needs. @param stack Whatever has to be taken down is put here.
   * @throws {Error} If it cannot run here; the message says what is missing.
   */
  open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan>;
}
