/**
 * Measures the program: `deno task bench [NAME...]`; `--help` has the options and the benches.
 *
 * Prints a table for each bench and writes all figures as JSON. How to read them: `docs/performance.md`.
 *
 * @module
 */

import { cpus, loadavg } from "node:os";
import type { Bench } from "./bench.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { compareWith, renderChanges } from "./history.ts";
import { BENCHES, benchesOf } from "./registry.ts";
import { waitForQuiet } from "./quiet.ts";
import { renderResult, type Result, resultOf } from "./report.ts";
import { runRounds } from "./rounds.ts";
import { runScript, say, write } from "../script.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (options === "help") {
    const width = Math.max(...BENCHES.map(({ name }) => name.length));
    write(`${USAGE}\n${BENCHES.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}\n`).join("")}`);
    return 0;
  }
  const benches = benchesOf(options.names);
  const before = options.against === null ? [] : await earlier(options.against);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort(new Error("Interrupted")));
  }
  const machine = describeMachine();
  const results: Result[] = [];
  for (const bench of benches) {
    const result = await measure(bench, options, stop.signal);
    results.push(result);
    write(`${renderResult(result)}\n`);
  }
  const json = options.json ?? await Deno.makeTempFile({ prefix: "cms-bench-", suffix: ".json" });
  await Deno.writeTextFile(json, `${JSON.stringify({ machine, program: programOf(options), results }, null, 2)}\n`);
  write(`All figures: ${json}\n`);
  const missed = results.some(({ answers }) => answers.some(({ reached }) => reached === false));
  const changes = compareWith(before, results);
  write(renderChanges(changes));
  return options.check && (missed || changes.some(({ isWorse }) => isWorse)) ? 1 : 0;
}

/** The results of an earlier run. @throws {Error} If the file cannot be read, or holds none. */
async function earlier(path: string): Promise<Result[]> {
  const { results } = JSON.parse(await Deno.readTextFile(path)) as { results?: Result[] };
  if (results === undefined) throw new Error(`Cannot compare with ${path}: it has no "results"`);
  return results;
}

async function measure(bench: Bench, options: BenchOptions, signal: AbortSignal): Promise<Result> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "cms-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const { jobs, seconds, without, beside } = options;
  const plan = await bench.open({ program: programOf(options), beside, jobs, seconds, without, directory, say }, stack);
  const contenders = plan.contenders.filter(({ name }) => !without.some((start) => name.startsWith(start)));
  const samples = await runRounds(contenders, {
    rounds: options.rounds ?? bench.rounds,
    measure: bench.measure,
    warmUp: bench.warmUp ?? true,
    signal,
    before: () => waitForQuiet(options.quiet, signal),
    onSample: ({ contender, round, ms, others }) => {
      const busy = others === null || others < 0.2 ? "" : ` (others used ${Math.round(others * 100)} % just before)`;
      const figure = bench.measure === "figure" ? ms.toPrecision(3) : `${Math.round(ms)} ms`;
      say(`${round || "warm-up"}: ${contender}: ${figure}${busy}`);
    },
  });
  return resultOf(bench, { ...plan, contenders }, samples);
}

function programOf({ binary }: BenchOptions): string[] {
  return binary === null ? [Deno.execPath(), "run", "-A", `${ROOT}main.ts`] : [binary];
}

/** What the figures were taken on. A load well above 0 before the start says that others were at work. */
function describeMachine(): Record<string, unknown> {
  const { os, arch } = Deno.build;
  const [{ model } = { model: "?" }] = cpus();
  const load = loadavg()[0] ?? 0;
  if (load > 0.3) say(`Others are at work on this machine (load ${load.toFixed(2)}): trust ratios more than figures`);
  const versions = Object.fromEntries(Object.entries(VERSIONS).map(([name, command]) => [name, versionOf(command)]));
  const { deno } = Deno.version;
  return { os, arch, cpu: model, cpus: cpus().length, deno, ...versions, load, at: new Date().toISOString() };
}

const VERSIONS = {
  kernel: ["uname", "-r"],
  ssh: ["ssh", "-V"],
  parallel: ["parallel", "--version"],
  tsp: ["tsp", "-V"],
};

/** First line of what a program says of its version; null if there is no such program. */
function versionOf([program = "", ...args]: readonly string[]): string | null {
  try {
    const { stdout, stderr } = new Deno.Command(program, { args, stdin: "null" }).outputSync();
    const text = new TextDecoder();
    return (text.decode(stdout) + text.decode(stderr)).split("\n")[0]!.trim();
  } catch {
    return null;
  }
}

if (import.meta.main) await runScript(main);
