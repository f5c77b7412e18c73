/** `cms cluster check` of real hosts: what is well, what is not, and that it leaves nothing. */
import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import { Manager } from "../../testing/harness.ts";

hostTest("cluster check asks all hosts at once, folds equal answers, and says what is to be mended", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("cluster", "create", "c");
  for (const [id, name] of [["n1", "red"], ["n2", "red01"], ["n3", "red02"]]) {
    await manager.ok("cluster", "add", "c", `--id=${id}`, `--name=${name}`, "--user=pi");
  }
  const look = () =>
    Promise.all([...hosts.hosts.values()].map((host) => host.run("ls -A").then(({ stdout }) => stdout)));
  const before = await look();
  assert.equal(await manager.ok("cluster", "check", "c"), "n[1-3]: ok\n");
  assert.deepEqual(await look(), before);

  await manager.ok("queue", "create", "a");
  await manager.ok("queue", "add", "a", "--name=j", "--command=true");
  await manager.ok("queue", "run", "fifo_multi", "a", "--hosts=pi@red");
  await manager.ok("cluster", "add", "c", "--id=gone", "--name=no-such-host", "--user=pi");
  await hosts.host("red").run("rm -r experiment/.cms/*/; mkdir experiment/.cms/fedcba9876543210");
  await hosts.host("red01").run("mkdir experiment; chmod 500 experiment");
  await hosts.host("red02").run("mount --bind /dev/null /usr/bin/setsid", { user: "root" });
  try {
    const { code, stdout } = await manager.cms("cluster", "check", "c");
    assert.equal(code, 1);
    assert.equal(
      stdout,
      "n1: ok (has files of 1 other queue)\n" +
        "n2: cannot write in /home/pi/experiment: Permission denied\n" +
        "n3: has no setsid\n" +
        "gone: cannot be reached: its name cannot be resolved\n",
    );
    assert.equal((await manager.cms("cluster", "check", "c", "--id=n1")).code, 0);
  } finally {
    await hosts.host("red02").run("umount /usr/bin/setsid", { user: "root" });
    await hosts.host("red01").run("chmod 700 experiment");
  }
});
