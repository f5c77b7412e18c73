/**
 * The benches' own machinery. Nothing here looks at a time: figures are for people.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Contender } from "../../scripts/bench/bench.ts";
import { sharedContenders } from "../../scripts/bench/contenders/shared.ts";
import { passOn } from "../../scripts/bench/delay_proxy.ts";
import { parseOptions } from "../../scripts/bench/options.ts";
import { benchesOf } from "../../scripts/bench/registry.ts";
import { renderResult, resultOf } from "../../scripts/bench/report.ts";
import { runRounds } from "../../scripts/bench/rounds.ts";
import { watchRun } from "../../scripts/bench/watched_run.ts";
import { answer, percentile, type Sample, spreadOf, valueOf } from "../../scripts/bench/statistics.ts";
import { whyNoHosts } from "../../testing/hosts.ts";
import { needTest } from "../../testing/need.ts";

const root = new URL("../../", import.meta.url).pathname;

function sample(contender: string, round: number, value: number): Sample {
  return { contender, round, value, ms: 1000, others: null };
}

Deno.test("spreadOf() takes the middle of an odd number and the mean of two of an even one", () => {
  assert.deepEqual(spreadOf([9, 1, 5]), { median: 5, min: 1, max: 9 });
  assert.deepEqual(spreadOf([10, 2, 4, 8]), { median: 6, min: 2, max: 10 });
  assert.throws(() => spreadOf([]), RangeError);
  assert.deepEqual([percentile([9, 1, 5], 0.5), percentile([9, 1, 5], 0.99), percentile([2], 0)], [5, 9, 2]);
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
    seconds: null,
    jobs: 10,
    binary: null,
    beside: [],
    without: ["parallel", "floor"],
    quiet: 0,
    json: "/x/y",
    check: false,
    against: null,
  });
  assert.equal(parseOptions(["-h"]), "help");
  assert.throws(() => parseOptions(["--rounds=0"]), /--rounds is a whole number from 1, not "0"/);
  assert.throws(() => parseOptions(["--round=1"]), RangeError);
});

Deno.test("benchesOf() names the benches there are when one is not", () => {
  assert.deepEqual(benchesOf(["start"]).map(({ name }) => name), ["start"]);
  assert.ok(benchesOf([]).length >= 4);
  assert.throws(() => benchesOf(["stat"]), /no bench "stat"; there are dispatch, three-hosts, .*, large-run, million$/);
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

Deno.test("runRounds() leaves the warm-up out where a round is too long for one", async () => {
  const rounds: number[] = [];
  const contenders: Contender[] = [{ name: "a", amount: 1, run: (round) => Promise.resolve(rounds.push(round)) }];
  await runRounds(contenders, { rounds: 2, measure: "figure", warmUp: false });
  assert.deepEqual(rounds, [1, 2]);
});

Deno.test("sharedContenders() do the work once in a round, whichever of them is asked first", async () => {
  let count = 0;
  const contenders = sharedContenders(["a", "b"], (round) => {
    count++;
    return Promise.resolve({ a: round, b: round * 10 });
  });
  const samples = await runRounds(contenders, { rounds: 2, measure: "figure" });
  const figures = samples.map(({ contender, round, value }) => `${contender}${round}: ${value}`).sort();
  assert.deepEqual(figures, ["a1: 1", "a2: 2", "b1: 10", "b2: 20"]);
  assert.equal(count, 3);
});

Deno.test("passOn() passes on pieces in order, and ends when the source does", async () => {
  const pieces = ["one ", "two ", "three"].map((text) => new TextEncoder().encode(text));
  let said = "";
  await passOn({
    read: (buffer) => {
      const piece = pieces.shift();
      if (piece !== undefined) buffer.set(piece);
      return Promise.resolve(piece?.length ?? null);
    },
  }, {
    // A byte at a time: what is taken is less than what is given.
    write: (bytes) => {
      said += new TextDecoder().decode(bytes.subarray(0, 1));
      return Promise.resolve(1);
    },
  }, 1);
  assert.equal(said, "one two three");
});

Deno.test("watchRun() counts the starts that a run tells, also where its output is cut, and looks at the process", async () => {
  const script = 'printf "Starting j"; sleep 0.3; printf "ob: a\\nStarting Starting job: b\\n"';
  const run = await watchRun(["sh", "-c", script], { cwd: "/", env: {}, jobs: 2 });
  assert.deepEqual([run.startsMs.length, run.startsMs[0]! > 0, run.startsMs[1]! >= run.startsMs[0]!], [2, true, true]);
  if (Deno.build.os === "linux") assert(run.peakMb > 0 && run.peakMb < 100, String(run.peakMb));
  await assert.rejects(watchRun(["sh", "-c", script], { cwd: "/", env: {}, jobs: 3 }), /of 3 jobs 2 were started/);
});

needTest("bench one-job sets a job beside a round trip", await whyNoHosts(), async () => {
  const { stdout } = await bench("one-job", "--jobs=3");
  assert.match(stdout, /^above its process, sh +-?[\d.,]+ +<= 1 +(reached|MISSED)$/m);
});

needTest("bench sleep, far-host, links and large-run do their work", await whyNoHosts(), async () => {
  const { stdout, json } = await bench("sleep", "far-host", "links", "large-run", "--jobs=4");
  assert.match(stdout, /^first start to last end \/ ideal +[\d.]+ +<= 1.03 +/m);
  assert.match(stdout, /^MB for each of 1, manager and ssh +[\d.]+$/m);
  assert.match(stdout, /^ms, 4 machines opened \/ ms, 1 machine opened +[\d.]+ +< 4 +/m);
  assert.match(stdout, /^MB, the manager's peak +[\d.]+ +< 400 +/m);
  const far = json.results.find(({ bench }) => bench === "far-host")!.contenders as { name: string }[];
  assert.deepEqual(far.map(({ name }) => name), ["cms", "cms, without the line", "slots / (round trip + 3 ms)"]);
});

needTest("bench dispatch gives a table and JSON with every contender", await whyNoHosts(), async () => {
  const { stdout, json } = await bench("dispatch", "--jobs=10", "--without=parallel");
  const names = ["cms, bash", "cms, sh", "floor, bash", "floor, sh"];
  for (const name of names) assert.match(stdout, new RegExp(`^${name} +[\\d.,]+ `, "m"));
  assert.match(stdout, /^cms, bash \/ floor, bash +[\d.]+ +>= 0.8 +(reached|MISSED)$/m);
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

Deno.test("bench orders runs its three shapes to their ends", async () => {
  const { stdout, json } = await bench("orders", "--jobs=50");
  assert.match(
    stdout,
    /^events\/s, grid, last tenth \/ events\/s, grid, first tenth +[\d.]+ +>= 0.9 +(reached|MISSED)$/m,
  );
  assert.equal((json.results[0]!.contenders as unknown[]).length, 6);
});

Deno.test("bench start and store give a table each and one JSON file", async () => {
  const { stdout, json } = await bench("start", "store", "--jobs=1");
  assert.match(stdout, /^cms queue list +[\d.,]+ +< 100 +(reached|MISSED)$/m);
  assert.match(stdout, /^add 1 to 1 +[\d.,]+$/m);
  assert.deepEqual(json.results.map(({ bench }) => bench), ["start", "store"]);
});
