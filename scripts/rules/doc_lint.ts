/**
 * Reads what `deno doc --lint` prints and keeps what this project asks for: every export has a doc comment. Members
 * that their name explains need none, and types of npm packages are no fault of ours. Types that a schema library
 * infers are not written out; for functions the linter asks for them.
 *
 * @module
 */

/** One finding of the lint: its kind and where it is (lines count from 1). */
interface Finding {
  readonly kind: string;
  readonly text: string;
  readonly path: string;
  readonly line: number;
}

/**
 * The findings that count, one line each.
 * @param output What the lint printed. @param lineOf The text of a line of a file.
 */
export function missingDocs(output: string, lineOf: (path: string, line: number) => string): string[] {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const findings = [...plain.matchAll(/^error\[([\w-]+)\]: (.*)\n\s*--> (.+):(\d+):\d+$/gm)].map((found): Finding => ({
    kind: found[1]!,
    text: found[2]!,
    path: found[3]!,
    line: Number(found[4]),
  }));
  return findings
    .filter(({ kind }) => !["private-type-ref", "missing-explicit-type", "missing-return-type"].includes(kind))
    .filter(({ kind, path, line }) => kind !== "missing-jsdoc" || !/^\s/.test(lineOf(path, line)))
    .map(({ text, path, line }) => `${path}:${line}: ${text}`);
}
