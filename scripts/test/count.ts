/**
 * Counts the results of a test run from the JUnit file that `deno test --junit-path` writes.
 *
 * @module
 */

/** How many top-level tests came out how. */
export interface Counts {
  /** Ran without an error. */
  readonly passed: number;
  /** Ran and threw, or had a step that did. */
  readonly failed: number;
  /** Ignored by the test itself. */
  readonly skipped: number;
}

/**
 * Counts the top-level tests. Steps stand in the file as tests of their own, named `TEST > STEP`, after the tests of
 * their suite; they are not counted: a failed step has failed its test. Tests that a filter left out stand there as
 * skipped, but without a time; they are not counted either.
 */
export function countResults(junit: string): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, suite = ""] of junit.matchAll(/<testsuite\b[^>]*>(.*?)<\/testsuite>/gs)) {
    const tests = new Set<string>();
    // Texts inside are escaped, so that a tag is always a tag.
    for (const [, attributes = "", body = ""] of suite.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
      const name = /\bname="([^"]*)"/.exec(attributes)?.[1] ?? "";
      if (isStep(name, tests)) continue;
      tests.add(name);
      if (/<(?:failure|error)\b/.test(body)) counts.failed++;
      else if (/<skipped\b/.test(body)) counts.skipped += /\btime="/.test(attributes) ? 1 : 0;
      else counts.passed++;
    }
  }
  return counts;
}

function isStep(name: string, tests: ReadonlySet<string>): boolean {
  const mark = " &gt; ";
  for (let at = name.indexOf(mark); at !== -1; at = name.indexOf(mark, at + 1)) {
    if (tests.has(name.slice(0, at))) return true;
  }
  return false;
}

/** The last line of a run. */
export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * What a run amounts to. A file that cannot be loaded has no test in the JUnit file, but `deno test` fails: it counts
 * as one failed test.
 * @param exitCode Of `deno test`.
 */
export function judge(counts: Counts, exitCode: number): { counts: Counts; exitCode: 0 | 1 } {
  const failed = exitCode !== 0 && counts.failed === 0 ? 1 : counts.failed;
  return { counts: { ...counts, failed }, exitCode: failed > 0 || counts.passed === 0 ? 1 : 0 };
}
