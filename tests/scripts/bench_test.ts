/**
 * The benches' own machinery. Nothing here looks at a time: figures are for people.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Contender } from "../../scripts/bench/bench.ts";
import { parseOptions } from "../../scripts/bench/options.ts";
import { benchesOf } from "../../scripts/bench/registry.ts";
import { renderResult, resultOf } from "../../scripts/bench/report.ts";
import { runRounds } from "../../scripts/bench/rounds.ts";
import { answer, type Sample, spreadOf, valueOf } from "../../scripts/bench/statistics.ts";
import { whyNoHosts } from "../support/hosts.ts";
import { needTest } from "../support/need.ts";

const root = new URL("../../", import.meta.url).pathname;

function sample(contender: string, round: number, value: number): Sample {
  return { contender, round, value, ms: 1000, others: null };
}

Deno.test("spreadOf() takes the middle of an odd number and the mean of two of an even one", () => {
  assert.deepEqual(spreadOf([9, 1, 5]), { median: 5, min: 1, max: 9 });
  assert.deepEqual(spreadOf([10, 2, 4, 8]), { median: 6, min: 2, max: 10 });
  assert.throws(() => spreadOf([]), RangeError);
});

Deno.test("valueOf() counts jobs in a second, or the time itself", () => {
  assert.equal(valueOf("jobs/s", { amount: 100 }, 500), 200);
  assert.equal(valueOf("ms", { amount: 100 }, 500), 500);
});

Deno.test("answer() divides within each round before it takes the median", () => {
  const samples = [
    ...[sample("a", 1, 10), sample("a", 2, 100), sample("a", 3, 60)],
    ...[sample("b", 1, 1), sample("b", 2, 20), sample("b", 3, 50)],
  ];
  const { median, min, max } = answer(samples, { of: "a", to: "b", mark: null });
  // In the rounds: 10, 5 and 1.2. The ratio of the medians would be 60 / 20.
  assert.deepEqual({ median, min, max }, { median: 5, min: 1.2, max: 10 });
});

Deno.test("answer() says whether the mark is reached", () => {
  const samples = [sample("a", 1, 30), sample("b", 1, 1)];
  const reached = (mark: { atLeast: number } | { below: number } | null, to: string | null = "b") =>
    answer(samples, { of: "a", to, mark }).reached;
  assert.equal(reached({ atLeast: 30 }), true);
  assert.equal(reached({ atLeast: 30.1 }), false);
  assert.equal(reached({ below: 30 }, null), false);
  assert.equal(reached({ below: 31 }, null), true);
  assert.equal(reached(null), null);
});

Deno.test("runRounds() runs every contender once in each round, begins with another one each time, and drops the warm-up", async () => {
  const ran: string[] = [];
  const contender = (name: string): Contender => ({
    name,
    amount: 1,
    run: (round) => Promise.resolve(ran.push(`${name}${round}`)),
  });
  const samples = await runRounds([contender("a"), contender("b")], { rounds: 2, measure: "ms" });
  assert.deepEqual(ran, ["a0", "b0", "b1", "a1", "a2", "b2"]);
  assert.deepEqual(samples.map(({ contender, round }) => `${contender}${round}`), ["b1", "a1", "a2", "b2"]);
});

Deno.test("runRounds() fails if a contender did not do its work", async () => {
  const run = (round: number) => round < 2 ? Promise.resolve(1) : Promise.reject(new Error("not done"));
  const contenders: Contender[] = [{ name: "a", amount: 1, run }];
  await assert.rejects(runRounds(contenders, { rounds: 3, measure: "ms" }), /not done/);
});

Deno.test("renderResult() shows figures and marks, and leaves out what a missing contender was asked", () => {
  const contenders = [{ name: "a", amount: 10, run: () => Promise.resolve(1) }];
  const question = { of: "a", to: null, mark: { below: 5 } };
  const plan = { work: "some work", contenders, questions: [question, { of: "a", to: "gone", mark: null }] };
  const samples = [sample("a", 1, 4.5678), sample("a", 2, 1234)];
  const result = resultOf({ name: "some", measure: "jobs/s" }, plan, samples);
  assert.equal(
    renderResult(result),
    `some: some work; 2 rounds

some  jobs/s, median (min..max)  ms a run
----  -------------------------  --------
a     619 (4.57..1,234)          1,000

ratio in the same round, or figure  median (min..max)  mark
----------------------------------  -----------------  ----  ------
a                                   619 (4.57..1,234)  < 5   MISSED
`,
  );
});

Deno.test("parseOptions() reads the options and refuses what is no number", () => {
  const options = parseOptions(["dispatch", "--jobs=10", "--without=parallel,floor", "--quiet=0", "--json=/x/y"]);
  assert.deepEqual(options, {
    names: ["dispatch"],
    rounds: null,
    jobs: 10,
    binary: null,
    without: ["parallel", "floor"],
    quiet: 0,
    json: "/x/y",
    check: false,
  });
  assert.equal(parseOptions(["-h"]), "help");
  assert.throws(() => parseOptions(["--rounds=0"]), /--rounds is a whole number from 1, not "0"/);
  assert.throws(() => parseOptions(["--round=1"]), RangeError);
});

Deno.test("benchesOf() names the benches there are when one is not", () => {
  assert.deepEqual(benchesOf(["start"]).map(({ name }) => name), ["start"]);
  assert.ok(benchesOf([]).length >= 4);
  assert.throws(() => benchesOf(["stat"]), /no bench "stat"; there are dispatch, latency-of-12, start, store/);
});

/** Runs the real thing, small. */
async function bench(...args: string[]): Promise<{ stdout: string; json: { results: Record<string, unknown>[] } }> {
  const json = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "scripts/bench/main.ts", ...args, "--rounds=1", "--quiet=0", `--json=${json}`],
      cwd: root,
    }).output();
    assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
    return { stdout: new TextDecoder().decode(output.stdout), json: JSON.parse(await Deno.readTextFile(json)) };
  } finally {
    await Deno.remove(json);
  }
}

needTest("bench dispatch gives a table and JSON with every contender", await whyNoHosts(), async () => {
  const { stdout, json } = await bench("dispatch", "--jobs=10", "--without=parallel");
  const names = ["cms, bash", "cms, sh", "floor, bash", "floor, sh"];
  for (const name of names) assert.match(stdout, new RegExp(`^${name} +[\\d.,]+ `, "m"));
  assert.match(stdout, /^cms, bash \/ floor, bash +[\d.]+ +>= 0.5 +(reached|MISSED)$/m);
  const [result] = json.results;
  assert.deepEqual((result!.samples as Sample[]).map(({ contender }) => contender).sort(), names);
  assert.deepEqual((result!.contenders as { amount: number }[]).map(({ amount }) => amount), [10, 10, 10, 10]);
});

Deno.test("bench service sets the service beside a bare server", async () => {
  const { stdout, json } = await bench("service", "--jobs=10");
  assert.match(stdout, /^GET \/queue\/a, 10 jobs \/ Deno.serve, hello +[\d.]+$/m);
  const [result] = json.results;
  const names = ["Deno.serve, hello", "GET / with credentials", "GET /healthz", "GET /queue/a, 10 jobs"];
  assert.deepEqual((result!.samples as Sample[]).map(({ contender }) => contender).sort(), names);
});

Deno.test("bench start and store give a table each and one JSON file", async () => {
  const { stdout, json } = await bench("start", "store", "--jobs=1");
  assert.match(stdout, /^cms queue list +[\d.,]+ +< 100 +(reached|MISSED)$/m);
  assert.match(stdout, /^add 1 to 1 +[\d.,]+$/m);
  assert.deepEqual(json.results.map(({ bench }) => bench), ["start", "store"]);
});
