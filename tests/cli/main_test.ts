/** The program as a process: names it is called by, pipes that close, signals while nothing runs. */
import assert from "node:assert/strict";

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

Deno.test("exit status and error text reach the caller", async () => {
  const { out, err, code } = await sh("$CMS queue list nosuch");
  assert.match(err, /^ERROR: Queue: .\/experiment\/nosuch-queue.yaml does not exist; [^\n]*\n$/);
  assert.deepEqual([out, code], ["", 2]);
});
