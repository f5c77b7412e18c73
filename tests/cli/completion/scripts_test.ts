import assert from "node:assert/strict";
import { SCRIPTS } from "../../../src/cli/completion/scripts.ts";
import { needTest, whyNoPrograms } from "../../../testing/need.ts";

/** A `cms` that answers each question with fixed words and notes what it was asked. */
const FAKE_CMS = `#!/bin/sh
printf '<%s>' "$@" > "$0.asked"
printf '%s\\n' "--hosts=pi@red" "--hosts=pi@red01" "--queue="
`;

Deno.test("the bash script asks with the words up to the cursor and gives back what follows the last cut", async () => {
  const directory = await Deno.makeTempDir({ prefix: "cms-completion-" });
  try {
    await Deno.writeTextFile(`${directory}/cms`, FAKE_CMS, { mode: 0o755 });
    const line = "cms queue run fifo_multi --hosts=pi@r";
    const script = `${SCRIPTS.bash}
COMP_LINE=${JSON.stringify(`${line} later`)} COMP_POINT=${line.length}
_cms
printf '[%s]' "\${COMPREPLY[@]}"
case $COMP_WORDBREAKS in *@*) echo "cuts at @";; esac`;
    const { stdout, stderr } = await new Deno.Command("bash", {
      args: ["--norc", "-c", script],
      env: { PATH: `${directory}:${Deno.env.get("PATH")}` },
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(new TextDecoder().decode(stdout), "[pi@red ][pi@red01 ][--queue=]");
    assert.equal(
      await Deno.readTextFile(`${directory}/cms.asked`),
      "<__complete><queue><run><fifo_multi><--hosts=pi@r>",
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("the bash script completes links to cms by their names, and no other programs of these names", async () => {
  const directory = await Deno.makeTempDir({ prefix: "cms-completion-" });
  try {
    await Deno.writeTextFile(`${directory}/cms`, FAKE_CMS, { mode: 0o755 });
    await Deno.symlink(`${directory}/cms`, `${directory}/queue`);
    await Deno.writeTextFile(`${directory}/cluster`, "#!/bin/sh\n", { mode: 0o755 });
    const { stdout } = await new Deno.Command("bash", {
      args: ["--norc", "-c", `${SCRIPTS.bash}\ncomplete -p | grep -o '[a-z]*$' | sort`],
      env: { PATH: `${directory}:${Deno.env.get("PATH")}` },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "cms\nqueue\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

for (const shell of ["bash", "zsh", "fish"] as const) {
  needTest(`the ${shell} script is free of syntax errors`, whyNoPrograms(shell), async () => {
    const child = new Deno.Command(shell, { args: ["-n"], stdin: "piped", stderr: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(SCRIPTS[shell]));
    await writer.close();
    const { code, stderr } = await child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
}
