// deno-lint-ignore-file no-console
/**
 * `deno task ok`: everything that must be true before a change lands, quickest first: format, lint, types, doc
 * comments, the project's own rules, spelling, and (unless `--no-tests`) the tests.
 *
 * @module
 */

import { staleParts } from "./dashboard.ts";
import { missingDocs } from "./rules/doc_lint.ts";
import { checkRules, type Source } from "./rules/rules.ts";

const ROOT = new URL("..", import.meta.url).pathname;

const SPELLING_CACHE = ["--cache", "--cache-location=.deno/cspell"];

async function deno(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output().then((out) => {
    if (!out.success) Deno.stderr.writeSync(new Uint8Array([...out.stdout, ...out.stderr]));
    return out;
  });
  return success;
}

async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(ROOT + folder)) {
    const path = `${folder}/${entry.name}`;
    if (path === "src/dashboard") continue; // Checked with the types of a browser.
    if (entry.isDirectory) found.push(...await sources(path));
    else if (/\.(ts|sh)$/.test(entry.name)) found.push(path);
  }
  return found.sort();
}

async function rules(paths: readonly string[]): Promise<boolean> {
  const read = async (path: string): Promise<Source> => ({ path, text: await Deno.readTextFile(ROOT + path) });
  const problems = checkRules(await Promise.all(["main.ts", ...paths].map(read)));
  for (const problem of problems) console.error(problem);
  return problems.length === 0;
}

async function docs(paths: readonly string[]): Promise<boolean> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["doc", "--lint", ...paths], cwd: ROOT })
    .output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const lines = new Map<string, string[]>();
  const missing = missingDocs(output, (path, line) => {
    if (!lines.has(path)) lines.set(path, Deno.readTextFileSync(path).split("\n"));
    return lines.get(path)![line - 1] ?? "";
  });
  for (const one of missing) console.error(one);
  return missing.length === 0;
}

/** Results are kept for files that have not changed since. */
function spelling(): Promise<boolean> {
  return deno("run", "-A", "npm:cspell@10.4.1", "lint", "--no-progress", "--no-summary", ...SPELLING_CACHE, ".");
}

/** The page is as its sources make it. */
async function dashboard(): Promise<boolean> {
  const stale = await staleParts();
  for (const one of stale) console.error(one);
  return stale.length === 0;
}

async function runTests(): Promise<boolean> {
  const args = ["run", "-A", "scripts/test.ts"];
  return (await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdout: "inherit", stderr: "inherit" }).output())
    .success;
}

if (Deno.args.some((arg) => arg !== "--no-tests")) {
  console.error("Usage: deno task ok [--no-tests]");
  Deno.exit(Deno.args.includes("--help") ? 0 : 2);
}
const [src, scripts, testing, tests] = await Promise.all(["src", "scripts", "testing", "tests"].map(sources)) as [
  string[],
  string[],
  string[],
  string[],
];
const steps: [string, () => Promise<boolean>][] = [
  ["format", () => deno("fmt", "--check")],
  ["lint", () => deno("lint")],
  [
    "types",
    () =>
      deno("check", "main.ts", ...[...src, ...scripts, ...testing, ...tests].filter((path) => path.endsWith(".ts"))),
  ],
  ["dashboard", dashboard],
  ["doc comments", () => docs(src.filter((path) => path.endsWith(".ts")))],
  ["own rules", () => rules([...src, ...scripts, ...testing, ...tests])],
  ["spelling", spelling],
];
if (!Deno.args.includes("--no-tests")) steps.push(["tests", runTests]);

let failed = 0;
for (const [name, step] of steps) {
  const ok = await step();
  if (!ok) failed++;
  console.error(`${ok ? "ok    " : "FAILED"} ${name}`);
}
Deno.exitCode = failed === 0 ? 0 : 1;
