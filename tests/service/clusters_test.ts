/** Operations on clusters and their hosts. */
import assert from "node:assert/strict";
import { type TestService, withService } from "../../testing/service/service.ts";

/** A cluster `c` with host1 and host2. */
async function withCluster(use: (t: TestService) => Promise<void>): Promise<void> {
  await withService(async (t) => {
    assert.equal(await t.text("POST /cluster/?name=c"), "{}");
    await t.text("POST /cluster/c?id=host[1-2]&name=red&user=pi&gpu=0");
    await use(t);
  });
}

const TABLE = `\
+-------+------+------+--------+-----+-------+----+------------------+
| id    | name | user | status | gpu | pyenv | ip | max_jobs_allowed |
+-------+------+------+--------+-----+-------+----+------------------+
| host1 | red  | pi   | active | 0   |       |    | 1                |
| host2 | red  | pi   | active | 0   |       |    | 1                |
+-------+------+------+--------+-----+-------+----+------------------+
`;

Deno.test("clusters are made, listed, shown and deleted", async () => {
  await withCluster(async ({ text, json, ask }) => {
    assert.equal(await text("GET /cluster/"), '{"clusters":["c-cluster.yaml"]}');
    assert.equal(await text("GET /cluster/c/info"), TABLE);
    const hosts = await json("GET /cluster/c");
    assert.deepEqual(Object.keys(hosts), ["host1", "host2"]);
    assert.deepEqual(await json("GET /cluster/c/info"), hosts);
    assert.deepEqual(await json("GET /cluster/c/id/host2"), hosts.host2);
    assert.deepEqual(Object.keys(await json("GET /cluster/c?limit=1")), ["host1"]);
    assert.equal(await text("DELETE /cluster/c"), "true");
    assert.equal((await ask("GET /cluster/c")).status, 404);
    assert.equal(await text("GET /cluster/"), '{"clusters":[]}');
  });
});

Deno.test("hosts are activated, deactivated, set and deleted by lists of ids, answered by the table", async () => {
  await withCluster(async ({ text, json }) => {
    assert.match(await text("PUT /cluster/c/id/host[1-2]/deactivate"), /host1 .* inactive .*\n.*host2 .* inactive /);
    assert.equal(await text("PUT /cluster/c/id/host1,host2/activate"), TABLE);
    assert.match(await text("PUT /cluster/c/id/host1/set?key=max_jobs_allowed&value=2"), /host1 .*\| 2 +\|/);
    assert.equal((await json("GET /cluster/c/id/host1")).max_jobs_allowed, 2);
    assert.deepEqual(await json("PUT /cluster/c/id/host2/set?key=gpu&value="), { changed: ["host2"] });
    assert.doesNotMatch(await text("DELETE /cluster/c/id/host1"), /host1/);
    assert.deepEqual(await json("DELETE /cluster/c/id/host2"), { deleted: ["host2"] });
  });
});

Deno.test("missing clusters and hosts are 404 in the original's words; wrong fields are 422", async () => {
  await withCluster(async ({ ask }) => {
    const cases: [line: string, status: number, detail: unknown][] = [
      ["GET /cluster/d", 404, "Cluster not found"],
      ["DELETE /cluster/d", 404, "Cluster not found"],
      ["POST /cluster/d?id=a&name=b&user=c", 404, "Cluster not found"],
      ["GET /cluster/?experiment=nosuch", 404, "Directory nosuch does not exist"],
      ["GET /cluster/c/id/x", 404, "Host id: x does not exist in cluster."],
      ["DELETE /cluster/c/id/x", 404, "Host id: x does not exist in cluster."],
      ["PUT /cluster/c/id/x/activate", 404, "Host id: x does not exist in cluster c."],
      ["PUT /cluster/c/id/x/deactivate", 404, "Host id: x does not exist in cluster c."],
    ];
    for (const [line, status, detail] of cases) {
      const reply = await ask(line);
      assert.deepEqual([line, reply.status, (await reply.json()).detail], [line, status, detail]);
    }
    assert.equal((await ask("PUT /cluster/c/id/host1/set?key=nosuch&value=1")).status, 422);
    assert.equal((await ask("PUT /cluster/c/id/host1/set?key=id&value=host2")).status, 409);
  });
});

Deno.test("hosts come in a JSON body, and PATCH changes one, all or nothing", async () => {
  await withCluster(async ({ json, ask }) => {
    const hosts = [{ id: "x[1-2]", name: "red01", user: "pi" }, { id: "y", name: "red02", user: "pi", gpu: "0,1" }];
    assert.deepEqual(await json("POST /cluster/c/hosts", { json: { hosts } }), { added: ["x1", "x2", "y"] });
    const changed = await json("PATCH /cluster/c/id/y", { json: { max_jobs_allowed: 4, ip: "10.0.0.7" } });
    assert.deepEqual([changed.max_jobs_allowed, changed.ip, changed.gpu], [4, "10.0.0.7", "0,1"]);
    assert.equal((await json("PATCH /cluster/c/id/y", { json: { ip: null } })).ip, null);
    assert.equal((await ask("PATCH /cluster/c/id/y", { json: { cores: 8, name: "-x" } })).status, 422);
    assert.equal((await json("GET /cluster/c/id/y")).cores, 1);
    assert.equal((await ask("PATCH /cluster/c/id/x[1-2]", { json: { cores: 8 } })).status, 404);
  });
});
