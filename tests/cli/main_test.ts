/** The program as a process: names it is called by, pipes that close, signals while nothing runs. */
import assert from "node:assert/strict";
import { VERSION } from "../../src/version.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Runs a shell script in a fresh directory; `$CMS` is the program. */
async function sh(script: string): Promise<{ out: string; err: string; code: number }> {
  const directory = await Deno.makeTempDir({ prefix: "cms-main-" });
  try {
    const { stdout, stderr, code } = await new Deno.Command("bash", {
      args: ["-c", script],
      cwd: directory,
      env: { CMS: `${Deno.execPath()} run --no-check -A ${MAIN}` },
    }).output();
    return { out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr), code };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a reader that goes away early ends the program quietly", async () => {
  const { out, err, code } = await sh(
    `$CMS queue create && $CMS queue add '--name=job[1-5000]' --command=true > /dev/null || exit 9
     $CMS queue list | head -n 2 | tail -n 1
     exit \${PIPESTATUS[0]}`,
  );
  assert.match(out, /^\| name /);
  assert.deepEqual([err, code], ["", 0]);
});

Deno.test("the program answers to queue and cluster when it is called so", async () => {
  const { out, err, code } = await sh(
    `CMS_CALLED_AS=queue $CMS create a && CMS_CALLED_AS=cluster $CMS create a && CMS_CALLED_AS=cms $CMS queue list a
     exec -a queue $CMS list a`,
  );
  assert.match(out, /^(INFO: Queue a is empty; to add a job: cms queue add a [^\n]*\n){2}$/);
  assert.deepEqual([err, code], ["", 0]);
});

Deno.test("the version is said without the grammar, alike by both ways, and a full disk is told of", async () => {
  const { out, err, code } = await sh("$CMS --version && $CMS -V && $CMS queue --version; $CMS --version extra");
  assert.equal(out, `cms ${VERSION}\n`.repeat(3));
  assert.match(err, /^ERROR: Unknown option '--version'[^\n]*\n$/);
  assert.equal(code, 0);
  const full = await sh("$CMS --version >/dev/full");
  assert.match(full.err, /^ERROR: Cannot write the output: [^\n]*\n$/);
  assert.equal(full.code, 1);
});

Deno.test("exit status and error text reach the caller", async () => {
  // What is no text is refused from standard input, too.
  const odd = await sh(
    "$CMS queue create a; printf 'a\\363\\n' | $CMS queue add a '--name=x{#}' --each-line=- --command='cat {}'",
  );
  assert.deepEqual([odd.err, odd.code], ["ERROR: Cannot use standard input: it is not UTF-8 text\n", 2]);
  const { out, err, code } = await sh("$CMS queue list nosuch");
  assert.match(err, /^ERROR: Queue: .\/experiment\/nosuch-queue.yaml does not exist; [^\n]*\n$/);
  assert.deepEqual([out, code], ["", 2]);
});

/**
 * Runs a queue of one job on this machine that waits for a file `go`, under `start`; then does `then`, with the run's
 * pid in `$RUN`.
 */
function hangUp(start: string, then: string): ReturnType<typeof sh> {
  return sh(
    `$CMS queue create a && $CMS queue add a --name=job[1-2] --shell=sh \\
       --command='until [ -e ../../go ]; do sleep 0.05; done' >/dev/null || exit 9
     exec 3>/dev/null
     ${start} $CMS queue run fifo_multi a --hosts=localhost >out 2>err </dev/null &
     RUN=$!
     until grep -q 'Running Jobs' out; do sleep 0.05; done
     ${then}
     touch go
     wait $RUN
     echo "exit $?"
     grep -c 'Completed Jobs: .*job1' out; grep -c 'Completed Jobs: .*job2' out; grep WARNING err`,
  );
}

Deno.test("a run that was started by nohup does not see that the terminal is closed", async () => {
  const { out } = await hangUp("nohup", "kill -HUP $RUN; kill -HUP $RUN");
  assert.equal(out, "exit 0\n1\n1\n");
});

Deno.test("any other run takes a hang-up for the first Ctrl-C, however many come", async () => {
  const { out } = await hangUp(
    "",
    "kill -HUP $RUN; while kill -0 $RUN && ! grep -q Stopping err; do sleep 0.05; done; kill -HUP $RUN",
  );
  assert.match(out, /^exit 1\n1\n0\nWARNING: Stopping after SIGHUP: no new jobs are started, still running: 1\./);
});

Deno.test("output that cannot be written is an error, once", async () => {
  const { err, code } = await sh("$CMS queue create && $CMS queue list >/dev/full");
  assert.match(err, /^ERROR: Cannot write the output: No space left on device.*\n$/);
  assert.equal(code, 1);
});

needTest(
  "a run that may make no larger file says so once of each file, and goes on when it may",
  whyNoPrograms("prlimit"),
  async () => {
    const { out, err, code } = await sh(
      `$CMS queue create a && $CMS queue add a --name=job[1-2] --shell=sh \\
         --command='until [ -e ../../go ]; do sleep 0.05; done' >/dev/null || exit 9
       exec 3>/dev/null
       $CMS queue run fifo_multi a --hosts=localhost > >(cat >out) 2> >(cat >err) </dev/null &
       RUN=$!
       until grep -q 'Running Jobs' out; do sleep 0.05; done
       prlimit --pid $RUN --fsize=1:unlimited
       touch go
       until grep -q 'ulimit -f' err || ! kill -0 $RUN; do sleep 0.05; done
       prlimit --pid $RUN --fsize=unlimited:unlimited
       wait $RUN || cat err
       echo "exit $?"
       grep -q 'WARNING: .*ulimit -f' err && echo said; sort err | uniq -d; $CMS queue list a --output=csv --columns=status`,
    );
    assert.equal(out, "exit 0\nsaid\nstatus\nend\nend\n", err);
    assert.equal(code, 0);
  },
);
