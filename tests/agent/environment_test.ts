/**
 * What a job finds around it: variables, byte for byte, and the directory in which it starts.
 */

import assert from "node:assert/strict";
import { ownVariables } from "../../src/job/variables.ts";
import { type Environment, readEnvironment, VARIABLE } from "../../src/names/environment.ts";
import { makeJob } from "../../src/job/job.ts";
import { jobName } from "../../src/names/grammar.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { type Place, SHELLS, start, withPlace } from "./support.ts";

const HOSTILE: Environment = {
  PLAIN: "a-b_c.d/e,f@g%h+1",
  EMPTY: "",
  BLANKS: "  two  blanks\tand a tab  ",
  LINES: "\n one\n\ntwo\r\n}\n{ cms_ping 1\n}\n",
  QUOTES: `'"'\\''"$(exit 9)\`exit 9\`\${HOME} $$ \\n \\`,
  STARS: "* ? [a-z] ~ ~root !! # ; & | < > ( )",
  EQUALS: "=a=b=",
  UNICODE: "ä€𝄞\u00a0\ufeff\u202e",
  CONTROL: "\u0001\u001b[31m\u007f",
  lower_1: "x",
  PATH: "/usr/bin:/bin:/tmp/'x y'",
  HOME: "/nonexistent",
  LC_ALL: "C.UTF-8",
  LANG: "tlh",
  ENV: "/dev/null",
  BASH_ENV: "/dev/null",
  CDPATH: "/",
  POSIXLY_CORRECT: "1",
  OPTARG: "x",
  PS4: "$(exit 9)",
  TMOUT: "1",
  TERM: "dumb",
  LD_BIND_NOW: "1",
};

/** What a process of the job has in its environment, as the kernel tells it. */
const ENVIRON = "cat /proc/self/environ";

function readEnviron(text: string): Map<string, string> {
  return new Map(
    text.split("\0").filter(Boolean).map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

Deno.test("readEnvironment() takes what a shell leaves as it is, and refuses the rest", () => {
  assert.deepEqual(readEnvironment(HOSTILE), HOSTILE);
  assert.deepEqual(readEnvironment(new Map<string, unknown>([["A", 1], ["B", null], ["C", true]])), {
    A: "1",
    B: "",
    C: "true",
  });
  assert.equal(readEnvironment({}), null);
  const refused = ["CMS_JOB", "c_dir", "IFS", "_", "UID", "PPID", "BASHOPTS", "BASH_VERSINFO", "OPTIND", "PWD", "1A"];
  for (const name of [...refused, "A-B", "A B", "", "A=B", "Ä", "CLOUDMESH_JOB"]) {
    assert.throws(() => readEnvironment({ [name]: "x" }), /variable's name/, name);
  }
  assert.throws(() => readEnvironment({ A: "\0" }), /NUL/);
  assert.throws(() => readEnvironment({ A: "ä".repeat(70_000) }), /too long/);
  for (const value of ["A=1", 5, ["A"], { A: {} }]) assert.throws(() => readEnvironment(value));
  assert.ok(VARIABLE.test("c") && VARIABLE.test("CMS2") && VARIABLE.test("PWD2") && VARIABLE.test("_X"));
});

Deno.test("ownVariables() says to a job what it is", () => {
  const job = makeJob(jobName("x"), { command: "true", params: { lr: "0.1" }, index: 3 }, { id: "1", experiment: "e" });
  const own = { CMS_QUEUE: "a", CMS_HOST: "red", CMS_TRY: "1", CMS_INDEX: "3", CMS_PARAM_lr: "0.1" };
  assert.deepEqual(ownVariables(job, { queue: "a", host: "red" }), own);
});

for (const shell of SHELLS) {
  const environmentTest = (name: string, body: (place: Place) => Promise<void>): void =>
    needTest(
      `environment: ${shell}: ${name}`,
      whyNoPrograms(shell.split(" ")[0]!, "setsid"),
      () => withPlace(shell, body),
    );

  environmentTest("variables arrive byte for byte, in a backlog too, and stay with their job", async (place) => {
    const { link, event } = await place.connect();
    link.backlog(5, { type: "open", slots: [4] });
    link.start([
      start("direct", ENVIRON, { variables: HOSTILE }),
      start("inline", ENVIRON, { variables: HOSTILE, backlog: 5, gpu: "7" }),
      start("plain", ENVIRON, { backlog: 5 }),
      start("after", ENVIRON),
    ]);
    const plain = await event("ended", "plain").then(async () => readEnviron(await place.file("plain", ".out")));
    for (const job of ["direct", "inline"]) {
      assert.equal((await event("ended", job)).exitCode, 0, await place.file(job, "-nohup.log"));
      const found = readEnviron(await place.file(job, ".out"));
      for (const [name, value] of Object.entries(HOSTILE)) assert.equal(found.get(name), value, `${job}: ${name}`);
      assert.deepEqual([found.get("CMS_JOB"), found.get("CMS_ATTEMPT")], [job, "1"]);
      for (const [name, value] of plain) {
        const isOwn = /^(CMS_JOB|CMS_SLOT|CLOUDMESH_JOB|CLOUDMESH_MARK|_|PWD|SHLVL|OLDPWD)$/.test(name);
        if (!isOwn && !(name in HOSTILE)) assert.equal(found.get(name), value, `${job}: ${name}`);
      }
    }
    assert.equal(readEnviron(await place.file("inline", ".out")).get("CUDA_VISIBLE_DEVICES"), "7");
    for (const [job, slot] of [["direct", undefined], ["inline", "4"], ["plain", "4"]] as const) {
      assert.equal(readEnviron(await place.file(job, ".out")).get("CMS_SLOT"), slot);
      assert.equal((await event("started", job)).slot, slot && Number(slot));
    }
    await event("ended", "after");
    for (const job of ["plain", "after"]) {
      const found = readEnviron(await place.file(job, ".out"));
      for (const name of ["PLAIN", "EMPTY", "lower_1", "LC_ALL", "CUDA_VISIBLE_DEVICES", "LD_BIND_NOW"]) {
        assert.equal(found.get(name), Deno.env.get(name), `${job}: ${name}`);
      }
      assert.equal(found.get("HOME"), place.home);
    }
  });

  environmentTest(
    "a job starts in its workdir, made if missing; its files stay in its own directory",
    async (place) => {
      const { link, event } = await place.connect();
      const tell = "pwd; cat /proc/self/cwd/mark 2>/dev/null; echo error >&2";
      await Deno.mkdir(`${place.home}/there`);
      await Deno.writeTextFile(`${place.home}/there/mark`, "marked\n");
      const cases = {
        relative: ["runs/two words/'x", `${place.home}/runs/two words/'x`],
        there: ["there", `${place.home}/there`],
        home: ["~", place.home],
        below: ["~/below", `${place.home}/below`],
        absolute: [`${place.home}/abs`, `${place.home}/abs`],
        minus: ["-p", `${place.home}/-p`],
      } as const;
      link.backlog(5, { type: "open", slots: [0] });
      link.start([
        ...Object.entries(cases).map(([job, [workdir]]) => start(job, tell, { workdir, variables: { HOME: "/x" } })),
        start("inline", tell, { workdir: "there", backlog: 5 }),
        start("behind", tell, { backlog: 5 }),
      ]);
      for (const [job, [, at]] of Object.entries(cases)) {
        assert.equal((await event("ended", job)).exitCode, 0, await place.file(job, "-nohup.log"));
        assert.equal(await place.file(job, ".out"), `${at}\n${job === "there" ? "marked\n" : ""}`);
        assert.equal(await place.file(job, "-nohup.log"), "error\n");
        assert.match(await place.file(job, ".log"), /cloudmesh state: end\n$/);
      }
      await event("ended", "behind");
      assert.equal(await place.file("inline", ".out"), `${place.home}/there\nmarked\n`);
      assert.equal(await place.file("behind", ".out"), `${place.directory}/behind\n`);
    },
  );

  environmentTest(
    "says who uses GPUs: processes with the attempt whose mark they carry, memory; or why not",
    async (place) => {
      const bin = `${place.home}/bin`;
      const program = async (name: string, text: string) => {
        await Deno.mkdir(bin, { recursive: true });
        await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      };
      const connect = async () =>
        await place.connect({ localShell: ["env", `PATH=${bin}:/usr/bin:/bin`, ...shell.split(" ")] });
      const { link, event } = await connect();
      const known = { isUnseen: false, attempt: null };
      await assert.rejects(() => link.gpus(), /neither nvidia-smi nor rocm-smi is there/);
      link.start([start("own", "sleep 60")]);
      const { pid, attempt } = await event("started", "own");
      const memory = 'echo "GPU[0]\t\t: VRAM Total Used Memory (B): 1073741824"';
      await program(
        "rocm-smi",
        `case $1 in --showmeminfo) ${memory};; *) echo "PID ${pid} is using 2 DRM device(s):"; echo "0 1 ";; esac`,
      );
      assert.deepEqual(await link.gpus(), [
        { ...known, gpu: 0, pid: null, memoryMib: 1024 },
        { ...known, gpu: 0, pid, attempt, memoryMib: 0 },
        { ...known, gpu: 1, pid, attempt, memoryMib: 0 },
      ]);
      const apps = [`GPU-b, ${pid}, 200`, `GPU-b, ${Deno.pid}, [N/A]`, "GPU-b, 4194999, 7"].map((one) =>
        `echo '${one}'`
      );
      await program(
        "nvidia-smi",
        `case $1 in --query-gpu=*) echo '0, GPU-a, 3'; echo '1, GPU-b, 900';; *) ${apps.join(";")};; esac`,
      );
      assert.deepEqual(await link.gpus(), [
        { ...known, gpu: 0, pid: null, memoryMib: 3 },
        { ...known, gpu: 1, pid: null, memoryMib: 900 },
        { ...known, gpu: 1, pid, attempt, memoryMib: 200 },
        { ...known, gpu: 1, pid: Deno.pid, memoryMib: 0 },
        { ...known, gpu: 1, pid: 4194999, isUnseen: true, memoryMib: 7 },
      ]);
      await program("nvidia-smi", "echo no driver; echo more; exit 9");
      await assert.rejects(() => link.gpus(), /nvidia-smi: no driver$/m);
      await link.kill([{ job: start("own", "").job, attempt }], { graceMs: 100 });
    },
  );

  environmentTest("a workdir that cannot be had refuses the start, and says why", async (place) => {
    const { link, event } = await place.connect();
    await Deno.writeTextFile(`${place.home}/file`, "");
    link.backlog(5, { type: "open", slots: [0] });
    link.start([
      start("direct", "true", { workdir: "file/x" }),
      start("inline", "true", { workdir: "file", backlog: 5 }),
      start("next", "true", { backlog: 5 }),
    ]);
    for (const [job, at] of [["direct", "file/x"], ["inline", "file"]] as const) {
      const { reason } = await event("refused", job);
      assert.ok(reason.startsWith(`cannot use the workdir ${place.home}/${at}: `), reason);
    }
    await event("ended", "next");
    assert.equal(
      (await link.ask([{ ...start("direct", ""), attempt: start("direct", "").attempt }]))[0]?.type,
      "forbidden",
    );
  });
}
