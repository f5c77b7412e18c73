import assert from "node:assert/strict";
import { localTransport } from "../../src/link/local.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";

/** What a local shell has of its caller, who has files open, ignores signals and knows a password. */
async function startedWith(callersShell: string): Promise<string> {
  const look = 'ls /proc/self/fd; grep "^SigIgn:" /proc/self/status; echo "$CMS_USER$CMS_PASSWORD-$CMS_SSH"; echo "$@"';
  const { command } = localTransport(["sh", "-c", look, "sh", "it's", "two words"]);
  const caller = `exec 4</dev/null 9</dev/null 12</dev/null 200</dev/null; trap '' HUP INT; exec ${callersShell} "$@"`;
  const [program, ...args] = command;
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", caller, "bash", program!, ...args],
    env: { CMS_USER: "me", CMS_PASSWORD: "secret", CMS_SSH: "ssh" },
  }).output();
  const ignored = /SigIgn:\s*[0-9a-f]{8}([0-9a-f]{8})/;
  return new TextDecoder().decode(stdout).replace(ignored, (_, hex) => String(parseInt(hex, 16) & 0x7fffffff))
    .trim().replaceAll("\n", " ");
}

// 3 is the listing's own.
const PLAIN = "0 1 2 3 0 -ssh it's two words";

Deno.test("localTransport() starts a shell without what its caller has open, ignores, or knows of the service", async () => {
  assert.equal(await startedWith(""), PLAIN);
});

needTest(
  "localTransport() does so where sh is dash, and where it is busybox",
  whyNoPrograms("dash", "busybox"),
  async () => {
    const links = await Deno.makeTempDir();
    try {
      for (const shell of ["dash", "busybox", "bash"]) {
        const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${shell}`] }).output();
        await Deno.mkdir(`${links}/${shell}`);
        await Deno.symlink(new TextDecoder().decode(stdout).trim(), `${links}/${shell}/sh`);
        assert.equal(await startedWith(`env PATH="${links}/${shell}:$PATH"`), PLAIN, shell);
      }
    } finally {
      await Deno.remove(links, { recursive: true });
    }
  },
);
