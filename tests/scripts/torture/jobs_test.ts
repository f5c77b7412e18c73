import assert from "node:assert/strict";
import { COMMAND, parseRecord, planNames } from "../../../scripts/torture/jobs.ts";
import { Random } from "../../../scripts/torture/random.ts";

for (const shell of ["dash", "bash", "busybox sh"]) {
  Deno.test(`a torture job in ${shell} writes down its start, that it runs, and its end`, async () => {
    const home = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${home}/ran/${Deno.hostname()}`, { recursive: true });
      const record = async (job: string, directory = job) => {
        await Deno.mkdir(`${home}/${directory}`);
        const [program, ...args] = shell.split(" ");
        const { code } = await new Deno.Command(program!, {
          args: [...args, "-c", COMMAND],
          cwd: `${home}/${directory}`,
          env: { HOME: home, CLOUDMESH_JOB: "aa.1", PWD: `${home}/${directory}` },
        }).output();
        return {
          code,
          runs: parseRecord(job, "red", await Deno.readTextFile(`${home}/ran/${Deno.hostname()}/${job}`)),
        };
      };
      const well = await record("q1.1-stubborn-2-7");
      assert.equal(well.code, 7);
      assert.equal(well.runs.length, 1);
      const [run] = well.runs;
      assert.ok(run!.lastMs > run!.startMs);
      assert.deepEqual([run!.attempt, run!.code, run!.dying], ["aa.1", 7, false]);
      const beside = await record("q1.3-plain-0-5", "q1.3-plain-0-5.5abf83d4ba2a228e");
      assert.equal(beside.code, 5);
      const dead = await record("q1.2-dies-0-0");
      assert.equal(dead.code, 137);
      assert.deepEqual([dead.runs[0]!.code, dead.runs[0]!.dying], [null, true]);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}

Deno.test("parseRecord() counts every start, and passes over what is torn", () => {
  const runs = parseRecord(
    "j",
    "red",
    "S a.1 1.00 -\nB a.1 1.10 -\nS a.2 2.00 -\nB a.1 2.10 -\nE a.2 2.20 4\nS a.1 3.00 -\nB a.",
  );
  assert.deepEqual(
    runs.map(({ attempt, startMs, lastMs, code }) => [attempt, startMs, lastMs, code]),
    [["a.1", 1000, 2100, null], ["a.2", 2000, 2200, 4], ["a.1", 3000, 3000, null]],
  );
});

Deno.test("planNames() follows from the seed", () => {
  const names = planNames("q1.", 50, new Random(5));
  assert.deepEqual(names, planNames("q1.", 50, new Random(5)));
  assert.notDeepEqual(names, planNames("q1.", 50, new Random(6)));
  assert.equal(new Set(names).size, 50);
  for (const name of names) assert.match(name, /^q1\.\d\d-[a-z]+-\d+-\d+$/);
});
