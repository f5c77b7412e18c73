import assert from "node:assert/strict";
import { needTest } from "../../../testing/need.ts";

const noRoot = Deno.build.os === "linux" && Deno.uid() === 0 ? null : "needs root on Linux";

/**
 * Runs installNeeded() in a process whose apt-get only notes its arguments and makes the programs it is asked for, all
 * but `pkg-bad`. Returns what was said, and apt-get's calls.
 */
async function install(needed: Record<string, string>): Promise<{ said: string[]; calls: string[] }> {
  const directory = await Deno.makeTempDir();
  try {
    const aptGet = `#!/bin/sh
echo "$*" >>${directory}/calls
case "$*" in *pkg-bad*) echo "E: no pkg-bad" >&2; exit 100;; esac
for each; do case $each in pkg-*) ln -sf /bin/true ${directory}/test-${"$"}{each#pkg-};; esac; done
`;
    await Deno.writeTextFile(`${directory}/apt-get`, aptGet, { mode: 0o755 });
    const module = new URL("../../../scripts/test/install.ts", import.meta.url).href;
    const script = `import { installNeeded } from "${module}"; const said = [];
await installNeeded((line) => said.push(line), ${JSON.stringify(needed)}); console.log(JSON.stringify(said));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `data:application/javascript,${encodeURIComponent(script)}`],
      env: { PATH: `${directory}:${Deno.env.get("PATH")}` },
    }).output();
    const calls = await Deno.readTextFile(`${directory}/calls`).catch(() => "");
    return { said: JSON.parse(new TextDecoder().decode(stdout)), calls: calls.split("\n").filter(Boolean) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

needTest("installNeeded() does nothing when nothing is missing", noRoot, async () => {
  assert.deepEqual(await install({ sh: "pkg-sh" }), { said: [], calls: [] });
});

needTest("installNeeded() updates the lists once and installs what is missing", noRoot, async () => {
  const { said, calls } = await install({ sh: "pkg-sh", "test-a": "pkg-a", "test-b": "pkg-b" });
  assert.deepEqual(said, ["Installing what the tests need: pkg-a pkg-b"]);
  assert.deepEqual(calls, ["-qq update", "-qq -y --no-install-recommends install pkg-a pkg-b"]);
});

needTest("installNeeded() installs the rest and names what could not be installed", noRoot, async () => {
  const { said } = await install({ "test-bad": "pkg-bad", "test-a": "pkg-a" });
  assert.deepEqual(said, [
    "Installing what the tests need: pkg-bad pkg-a",
    "Cannot install pkg-bad: E: no pkg-bad",
    "Not installed here: test-bad. Tests that need them are skipped.",
  ]);
});
