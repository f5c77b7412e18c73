/**
 * Runs the tests: `deno task test [FILE...] [OPTION OF deno test...]`.
 *
 * Installs what the tests need where it can (see `test/install.ts`), runs them with the Deno that runs this, and ends
 * with the line `N passed, N failed, N skipped`. Exit status 1 if a test failed or none passed.
 *
 * @module
 */

import { filesAtOnce, testArguments } from "./test/arguments.ts";
import { countResults, judge, renderCounts } from "./test/count.ts";
import { installNeeded } from "./test/install.ts";

async function main(): Promise<void> {
  const root = new URL("..", import.meta.url).pathname;
  await installNeeded(say);
  const directory = await Deno.makeTempDir({ prefix: "cms-test-" });
  try {
    const junit = `${directory}/junit.xml`;
    const isLocked = await Deno.stat(`${root}deno.lock`).then(() => true, () => false);
    const path = Deno.env.get("PATH") ?? "";
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: testArguments(Deno.args, { junit, isLocked }),
      cwd: root,
      // sshd and ip are often outside a user's PATH.
      env: {
        PATH: `${path}:/usr/sbin:/sbin`,
        DENO_JOBS: Deno.env.get("DENO_JOBS") ?? filesAtOnce(navigator.hardwareConcurrency),
      },
    }).spawn().status;
    const { counts, exitCode } = judge(countResults(await Deno.readTextFile(junit).catch(() => "")), code);
    say(renderCounts(counts));
    Deno.exitCode = exitCode;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

// Deno takes a file of this name for a test file; then it must do nothing.
if (import.meta.main) await main();
