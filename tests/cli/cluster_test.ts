/** The user's document, line by line: every command of `cms cluster`. */
import assert from "node:assert/strict";
import { filesIn, withPlace } from "./harness.ts";

const FOUR = `\
+-------+------+------+--------+-----+---------------------+----+------------------+
| id    | name | user | status | gpu | pyenv               | ip | max_jobs_allowed |
+-------+------+------+--------+-----+---------------------+----+------------------+
| host1 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
| host2 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
| host3 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
| host4 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
+-------+------+------+--------+-----+---------------------+----+------------------+
`;

const SIX = `\
+-------+-------+------+--------+-----+-------+----+------------------+
| id    | name  | user | status | gpu | pyenv | ip | max_jobs_allowed |
+-------+-------+------+--------+-----+-------+----+------------------+
| host1 | red   | pi   | active | 0   |       |    | 1                |
| host2 | red01 | pi   | active | 0   |       |    | 1                |
| host3 | red01 | pi   | active | 1   |       |    | 1                |
| host4 | red02 | pi   | active |     |       |    | 1                |
| host5 | red02 | pi   | active |     |       |    | 1                |
| host6 | red02 | pi   | active |     |       |    | 1                |
+-------+-------+------+--------+-----+-------+----+------------------+
`;

Deno.test("cluster create, add, list, set, activate and delete print the document's lines", async () => {
  await withPlace(async ({ ok }) => {
    assert.equal(await ok("cluster", "create", "a"), "");
    assert.match(await ok("cluster", "list", "a"), /^INFO: Cluster a is empty; to add a host: cms cluster add a --id=/);
    assert.equal(
      await ok(
        "cluster",
        "add",
        "a",
        "--id=host[1-4]",
        "--name=red",
        "--user=pi",
        "--gpu=0",
        "--pyenv='~/ENV3/bin/activate'",
      ),
      [1, 2, 3, 4].map((n) => `INFO: Adding host host${n} to cluster a\n`).join(""),
    );
    assert.equal(await ok("cluster", "list", "a"), FOUR);
    const ids = [...FOUR.matchAll(/^\| (host\d+) /gm)].map(([, id]) => `${id}\n`);
    assert.ok(ids.length > 1);
    assert.equal(await ok("cluster", "list", "a", "--quiet"), ids.join(""));
    assert.equal(await ok("cluster", "info", "cluster=a"), FOUR);
    assert.equal(
      await ok("cluster", "set", "a", "--id=host1", "--key=name", "--value=red02"),
      "INFO: Setting host: host1 key: name value: red02 in cluster a\n",
    );
    assert.match(await ok("cluster", "list", "a"), /\| host1 \| red02 \|/);
    assert.equal(
      await ok("cluster", "deactivate", "a", "--id=host[1-2]"),
      "INFO: Deactivating host host1 in cluster a\nINFO: Deactivating host host2 in cluster a\n",
    );
    assert.match(await ok("cluster", "list", "a"), /\| host2 \| red {3}\| pi {3}\| inactive \|/);
    assert.equal(await ok("cluster", "activate", "a", "--id=host1"), "INFO: Activating host host1 in cluster a\n");
    assert.match(await ok("cluster", "list", "a"), /\| host1 \| red02 \| pi {3}\| active {3}\|/);
    assert.equal(await ok("cluster", "delete", "a", "--id=host[3-4]"), "INFO: Deleting hosts: ['host3', 'host4']\n");
  });
});

Deno.test("the document's typical workflow makes its cluster", async () => {
  await withPlace(async ({ ok }) => {
    await ok("cluster", "create", "a");
    await ok("cluster", "add", "a", "--id=host1", "--name=red", "--user=pi", "--gpu=0");
    await ok("cluster", "add", "a", "--id=host2", "--name=red01", "--user=pi", "--gpu=0");
    await ok("cluster", "add", "a", "--id=host3", "--name=red01", "--user=pi", "--gpu=1");
    await ok("cluster", "add", "a", "--id=host[4-6]", "--name=red02", "--user=pi");
    assert.equal(await ok("cluster", "list", "a"), SIX);
  });
});

Deno.test("a cluster is named in four forms", async () => {
  await withPlace(async ({ ok, directory }) => {
    for (const form of [["a"], ["cluster=b"], ["--cluster=c-cluster.yaml"], []]) await ok("cluster", "create", ...form);
    const files = ["a-cluster.yaml", "b-cluster.yaml", "c-cluster.yaml", "default-cluster.yaml"];
    assert.deepEqual(await filesIn(`${directory}/experiment`), files);
  });
});

Deno.test("a missing cluster is an ERROR, status 2, and no file is made", async () => {
  await withPlace(async ({ run, directory }) => {
    for (
      const words of [
        ["list", "b"],
        ["add", "b", "--id=x", "--name=red", "--user=pi"],
        ["delete", "b", "--id=x"],
        ["activate", "b", "--id=x"],
        ["set", "b", "--id=x", "--key=name", "--value=y"],
      ]
    ) {
      const { err, status } = await run("cluster", ...words);
      const hint = "there is no cluster in experiment; to make it: cms cluster create b";
      assert.equal(err, `ERROR: Cluster: ./experiment/b-cluster.yaml does not exist; ${hint}\n`);
      assert.equal(status, 2);
    }
    assert.deepEqual(await filesIn(directory), []);
  });
});

Deno.test("cluster delete of an unknown id is an ERROR and deletes nothing", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("cluster", "create");
    await ok("cluster", "add", "--id=h[1-2]", "--name=red", "--user=pi");
    const before = await ok("cluster", "list");
    assert.deepEqual(await run("cluster", "delete", "--id=h[1-3]"), {
      out: "",
      err: "ERROR: Could not delete host h3\n",
      status: 2,
    });
    assert.equal(await ok("cluster", "list"), before);
  });
});

Deno.test("cluster list filters by status and has other forms", async () => {
  await withPlace(async ({ ok }) => {
    await ok("cluster", "create");
    await ok("cluster", "add", "--id=h[1-2]", "--name=red", "--user=pi", "--gpu=0,1");
    await ok("cluster", "deactivate", "--id=h1");
    const [host, ...rest] = JSON.parse(await ok("cluster", "list", "--status=active", "--output=json"));
    assert.deepEqual([host.id, host.gpu, rest], ["h2", "0,1", []]);
    assert.match(await ok("cluster", "list", "--wide"), /max_jobs_allowed \| cores \| threads \|\n/);
    assert.match(await ok("cluster", "list", "--status=x"), /^INFO: No host of cluster default has the status x\.\n$/);
    assert.match(await ok("cluster", "list", "--output=csv"), /\nh1,red,pi,inactive,"0,1",,,1,/);
  });
});
