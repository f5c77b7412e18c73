/**
 * The project's own rules, checked by `deno task ok`: imports point one way and in no circle, and only `src/*_real.ts`
 * and `main.ts` touch the world. Pure: source texts in, problems out.
 *
 * @module
 */

import { findCircles } from "./circles.ts";
import { complexFunctions, FLAT, MOST } from "./complexity.ts";

/** A source file: path from the project's root, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Rooms under `src/` from the bottom up. A room may import itself and those of a lower row. */
const ROWS: readonly (readonly string[])[] = [
  // The page for browsers comes as text; its types are checked with those of a browser.
  ["names", "dashboard"],
  ["job", "cluster"],
  ["store", "agent"],
  ["link"],
  ["scheduler"],
  ["output", "slurm"],
  ["operations"],
  ["service", "simulation"],
  ["cli"],
];

/** Files directly under `src/` that every room may import. */
const COMMON: readonly string[] = ["deps.ts", "errors.ts", "system_errors.ts", "version.ts", "bytes.ts"];

/** Files that touch the world. */
const WORLDLY = /^(main|src\/[a-z_]+_real)\.ts$/;

/** In the simulation `process` is a simulated one. */
const SIMULATED = /\bprocess\./g;
const EFFECTS =
  /\bDeno\.|\bDate\.now\(|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(|(?<!\.)\bfetch\(|\bprocess\.|["']node:(?!path)/;
/** No quotation mark stands before it on its line: such an import is text. */
const IMPORT = /^[^'"`\n]*(?:\bfrom\s+|\bimport\s*\(?\s*)"(\.[^"]+)"/gm;

/** Directories beside `src/`, and what each may import besides itself and `src/`. The tests of scripts import these. */
const BESIDE: readonly (readonly [of: RegExp, ...allowed: RegExp[]])[] = [
  [/^testing\//, /^scripts\/compile\//],
  [/^scripts\//, /^testing\//],
  [/^tests\/scripts\//, /^testing\//, /^scripts\//, /^tests\//],
  [/^tests\//, /^testing\//],
];

/** What is said in one place of `src`, and nowhere else. */
const ONCE: readonly (readonly [what: string, pattern: RegExp, path: string])[] = [
  ["the union of the schedulers", /"fifo" \| "fifo_multi"/, "src/store/run_status.ts"],
  ["the reference to an attempt", /\bjob: (JobName|string); (readonly )?attempt: string\b/, "src/job/attempt.ts"],
  ["the id of an attempt", /\b(attempt|id)\w*\.lastIndexOf\("\."\)/, "src/job/attempt.ts"],
  ["the stage of an attempt in flight", /\.stage = /, "src/scheduler/in_flight_set.ts"],
];

/** Beyond that a comment is hard to read; `deno fmt` breaks code, but no comments. */
const MOST_COLUMNS = 120;
const COMMENT = /^\s*(\/\/|\/\*\*|\* |#)/;
/** A longer file of `src` has more than one duty. */
const MOST_LINES = 330;
/** Words for what is not in the repository, which nobody who reads there can look up. */
const OUTSIDE = /\bSEED\b/;

const CHECKS = [checkImports, checkBeside, checkEffects, checkText, checkLength, checkOnce, checkComplexity];

/** Checks all rules. @returns One line for each breach; empty if there is none. */
export function checkRules(sources: readonly Source[]): string[] {
  const own = sources.filter(({ path }) => path.startsWith("src/"));
  const circles = findCircles(new Map(own.map((source) => [source.path, importsOf(source)])));
  return [
    ...sources.flatMap((source) => CHECKS.flatMap((check) => check(source))),
    ...circles.map((circle) => `a circle of imports: ${circle}`),
  ];
}

function checkText({ path, text }: Source): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    const where = `${path}:${i + 1}`;
    const isWide = line.length > MOST_COLUMNS && COMMENT.test(line);
    return [
      ...isWide ? [`${where}: the comment has ${line.length} columns, more than ${MOST_COLUMNS}`] : [],
      ...OUTSIDE.test(line) && path.startsWith("src/") ? [`${where}: names what is not in the repository`] : [],
    ];
  });
}

function checkLength({ path, text }: Source): string[] {
  const lines = text.trimEnd().split("\n").length;
  if (!path.startsWith("src/") || lines <= MOST_LINES) return [];
  return [`${path}: has ${lines} lines, more than ${MOST_LINES}`];
}

function checkOnce({ path, text }: Source): string[] {
  if (!path.startsWith("src/")) return [];
  return text.split("\n").flatMap((line, i) =>
    ONCE.filter(([, pattern, home]) => path !== home && pattern.test(line))
      .map(([what, , home]) => `${path}:${i + 1}: ${what} is in ${home} alone`)
  );
}

function checkComplexity({ path, text }: Source): string[] {
  if (!/^src\/.*\.ts$/.test(path)) return [];
  return complexFunctions(path, text)
    .filter(({ name }) => !FLAT.has(`${path}:${name}`))
    .map(({ name, complexity, line }) =>
      `${path}:${line}: ${name} has a complexity of ${complexity}, more than ${MOST}`
    );
}

function checkBeside({ path, text }: Source): string[] {
  const rule = BESIDE.find(([of]) => of.test(path));
  if (rule === undefined) return [];
  const allowed = [...rule, /^src\//, /^main\.ts$/];
  return importsOf({ path, text })
    .filter((target) => !allowed.some((one) => one.test(target)))
    .map((target) => `${path}: may not import ${target}; what scripts and tests share is in testing/`);
}

/** The files that a file imports by a relative path. */
function importsOf({ path, text }: Source): string[] {
  return [...text.matchAll(IMPORT)].map(([, target]) => new URL(target!, `file:///${path}`).pathname.slice(1));
}

function checkImports({ path, text }: Source): string[] {
  const room = roomOf(path);
  if (room === null) return [];
  const row = rowOf(room);
  if (row < 0) return [`${path}: room "${room}" is not in the list of rooms (scripts/rules/rules.ts)`];
  const problems: string[] = [];
  for (const resolved of importsOf({ path, text })) {
    const other = roomOf(resolved);
    if (other === room || (other === null && COMMON.includes(resolved.replace("src/", "")))) continue;
    if (other !== null && rowOf(other) < row && rowOf(other) >= 0) continue;
    problems.push(`${path}: room "${room}" may not import ${resolved}`);
  }
  return problems;
}

function checkEffects({ path, text }: Source): string[] {
  if (WORLDLY.test(path) || !path.startsWith("src/")) return [];
  const problems: string[] = [];
  const isSimulated = path.startsWith("src/simulation/");
  withoutComments(text).split("\n").forEach((whole, i) => {
    const line = isSimulated ? whole.replace(SIMULATED, "") : whole;
    const found = EFFECTS.exec(line);
    if (found !== null) problems.push(`${path}:${i + 1}: ${found[0].trim()} belongs into src/deps_real.ts`);
  });
  return problems;
}

/** Comments emptied, line by line; good enough for this project's own style of comments. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " ")).replace(/(^|\s)\/\/.*$/gm, "$1");
}

function roomOf(path: string): string | null {
  const parts = path.split("/");
  return parts[0] === "src" && parts.length > 2 ? parts[1]! : null;
}

function rowOf(room: string): number {
  return ROWS.findIndex((row) => row.includes(room));
}
