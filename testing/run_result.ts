/**
 * What came of a run that had nothing to do, for tests to say what is different.
 *
 * @module
 */

import type { RunResult } from "../src/scheduler/report.ts";

/** It ended, and nothing ran. */
export const NOTHING_RAN: RunResult = {
  ran: [],
  completed: [],
  failed: [],
  outcome: "done",
  running: [],
  waiting: 0,
  skipped: [],
  left: [],
  idle: null,
};
