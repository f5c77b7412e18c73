/**
 * Tests that need something of the machine: they run where it is there, and elsewhere are skipped with the reason
 * printed.
 *
 * @module
 */

import { sharedHosts, type TestHosts, whyNoHosts } from "./hosts.ts";

const whyNot = await whyNoHosts();

/**
 * A test with the shared hosts red, red01 and red02, which are as new when the body begins. Skipped where there can be
 * none.
 * @param reason Why it is skipped beside that, see {@link needTest}.
 */
export function hostTest(
  name: string,
  fn: (hosts: TestHosts, t: Deno.TestContext) => void | Promise<void>,
  reason: string | null = null,
): void {
  needTest(name, whyNot ?? reason, async (t) => {
    const hosts = await sharedHosts();
    await hosts.reset();
    await fn(hosts, t);
  });
}

/**
 * A test that is skipped if there is a reason.
 * @param reason One line: what is missing; null if nothing is.
 */
export function needTest(
  name: string,
  reason: string | null,
  fn: (t: Deno.TestContext) => void | Promise<void>,
): void {
  if (reason !== null) Deno.stderr.writeSync(new TextEncoder().encode(`SKIP ${name}: ${reason}\n`));
  Deno.test({ name, ignore: reason !== null, fn });
}

/** The reason for {@link needTest} if one of these programs (or Perl modules) is not there, else null. */
export function whyNoPrograms(...programs: string[]): string | null {
  const script =
    'for p; do case $p in *::*) perl -M"$p" -e 1 ;; *) command -v "$p" >/dev/null ;; esac || echo "$p"; done';
  const args = ["-c", script, "sh", ...programs];
  const { stdout } = new Deno.Command("sh", { args }).outputSync();
  const missing = new TextDecoder().decode(stdout).trim().split("\n").filter(Boolean);
  return missing.length === 0 ? null : `not installed: ${missing.join(", ")}`;
}

/** The reason if a test cannot mount anything in a namespace of its own, else null. */
export async function whyNoMounts(): Promise<string | null> {
  const why = whyNoPrograms("unshare", "nsenter", "mount");
  if (why !== null) return why;
  const { success } = await new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).output();
  return success ? null : "needs the right to mount";
}
