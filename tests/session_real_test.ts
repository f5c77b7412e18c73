import assert from "node:assert/strict";
import { sessionCommand } from "../src/session_real.ts";

const isLinux = Deno.build.os === "linux";

Deno.test({
  name: "a program gets its session from setsid, so that the runtime need not copy itself for it",
  ignore: !isLinux,
  fn() {
    const command = sessionCommand(["sh", "-c", "exit"]);
    assert.match(command?.[0] ?? "", /^\/(usr\/)?bin\/setsid$/);
    assert.deepEqual(command?.slice(1), ["sh", "-c", "exit"]);
    assert.deepEqual(sessionCommand(["/bin/sh"])?.slice(1), ["/bin/sh"]);
  },
});

Deno.test("what cannot be started is left to the runtime, which says why", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/plain`, "", { mode: 0o644 });
    await Deno.mkdir(`${directory}/directory`);
    for (const program of ["no-such-program-here", `${directory}/plain`, `${directory}/directory`, "./sh", ""]) {
      assert.equal(sessionCommand([program]), null, program);
    }
    assert.equal(sessionCommand(["sh"], directory), null);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
