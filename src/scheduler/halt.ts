/**
 * When a run halts before its queue is through, as GNU parallel has it: `soon,fail=3`, `now,success=1`,
 * `soon,done=50%`.
 * Pure.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

/** When a run halts, and how. */
export interface Halt {
  /** As it was given. */
  readonly text: string;
  /** `soon`: nothing new starts, what runs is waited for. `now`: what runs is killed. */
  readonly when: "soon" | "now";
  /** What is counted: jobs that failed, that ended well, that are over. */
  readonly why: "fail" | "success" | "done";
  readonly number: number;
  /** True if the number is a part of all jobs of the run in hundredths; at least three jobs are waited for then. */
  readonly isPercent: boolean;
}

/** How many jobs of a run are over. Those that never started because of others are not among them. */
export interface HaltCounts {
  readonly fail: number;
  readonly success: number;
  readonly done: number;
  /** All jobs of the run, over or not. */
  readonly total: number;
}

/** Least jobs that a part in hundredths is: the first failure of a large queue is not a hundredth of it. */
const LEAST = 3;

/** Reads a rule. @throws {InvalidError} If it cannot be used. */
export function parseHalt(text: string): Halt {
  const [, when, why, digits, percent] = /^(soon|now),(fail|success|done)=([0-9]{1,9})(%?)$/.exec(text) ?? [];
  const number = Number(digits);
  const isPercent = percent === "%";
  if (when === undefined || number < 1 || (isPercent && number > 100)) {
    throw new InvalidError([
      `Cannot use ${JSON.stringify(text.slice(0, 200))} to halt: give soon or now, what is counted, and how many, ` +
      "such as soon,fail=3, now,success=1, soon,done=50%",
    ]);
  }
  return { text, when: when as Halt["when"], why: why as Halt["why"], number, isPercent };
}

/** True if the run is to halt. */
export function isHaltDue({ why, number, isPercent }: Halt, counts: HaltCounts): boolean {
  const count = counts[why];
  return isPercent ? count >= LEAST && count * 100 >= number * counts.total : count >= number;
}
