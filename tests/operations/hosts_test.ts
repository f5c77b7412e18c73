/** addHosts, deleteHosts, setHostStatus, setHostField and listHosts on one cluster. */
import assert from "node:assert/strict";
import { SLURM_FIELDS, slurmOf } from "../../src/cluster/slurm_entry.ts";
import { CmsError, InvalidError } from "../../src/errors.ts";
import { addHosts } from "../../src/operations/add_hosts.ts";
import { createCluster } from "../../src/operations/create_cluster.ts";
import { deleteHosts } from "../../src/operations/delete_hosts.ts";
import { knownMachines } from "../../src/operations/on_machines.ts";
import { listHosts } from "../../src/operations/list_hosts.ts";
import { clusterRef } from "../../src/operations/refs.ts";
import { HOST_FIELDS, setHostField } from "../../src/operations/set_host_field.ts";
import { setHostStatus } from "../../src/operations/set_host_status.ts";
import type { Host } from "../../src/cluster/host.ts";
import type { Deps } from "../../src/deps.ts";
import type { StoreRef } from "../../src/store/store.ts";
import { withPlace } from "../cli/harness.ts";

interface At {
  readonly deps: Deps;
  readonly cluster: StoreRef;
  readonly hosts: () => Promise<Host[]>;
  readonly set: (id: string, key: string, value: string) => Promise<unknown>;
}

/** A cluster with the hosts h1, h2, h3. */
async function withHosts(use: (at: At) => Promise<void>): Promise<void> {
  await withPlace(async ({ deps }) => {
    const cluster = clusterRef(deps, { cluster: "a" });
    assert.deepEqual(await createCluster(deps, { cluster }), { created: true });
    await addHosts(deps, { cluster, id: "h[1-3]", spec: { name: "red", user: "pi" } });
    await use({
      deps,
      cluster,
      hosts: () => listHosts(deps, { cluster }),
      set: (id, key, value) => setHostField(deps, { cluster, id, key, value }),
    });
  });
}

/** Fails unless the call is refused with the code and changes no host. */
async function refused({ hosts }: At, code: string, call: () => Promise<unknown>): Promise<void> {
  const before = await hosts();
  await assert.rejects(call(), (error) => error instanceof CmsError && error.code === code);
  assert.deepEqual(await hosts(), before);
}

Deno.test("createCluster() leaves a cluster that exists as it is", async () => {
  await withHosts(async ({ deps, cluster, hosts }) => {
    assert.deepEqual(await createCluster(deps, { cluster }), { created: false });
    assert.equal((await hosts()).length, 3);
  });
});

Deno.test("addHosts() replaces a host of the same id in its place", async () => {
  await withHosts(async ({ deps, cluster, hosts }) => {
    const spec = { name: "red01", user: "pi", gpu: "0,1", ip: "10.0.0.1", status: "off", pyenv: "~/x" };
    await addHosts(deps, { cluster, id: "h2", spec });
    const all = await hosts();
    assert.deepEqual(all.map((host) => host.name), ["red", "red01", "red"]);
    const { gpu, ip, status, pyenv } = all[1] as Host;
    assert.deepEqual([gpu, ip, status, pyenv], ["0,1", "10.0.0.1", "off", "~/x"]);
  });
});

Deno.test("addHosts() names all problems at once and adds nothing", async () => {
  await withHosts(async (at) => {
    const spec = { name: "-x", user: "a b", gpu: "0\n" };
    await refused(at, "invalid", () => addHosts(at.deps, { cluster: at.cluster, id: "new,-y", spec }));
    await assert.rejects(
      addHosts(at.deps, { cluster: at.cluster, id: "new,-y", spec }),
      (error) => error instanceof InvalidError && error.problems.length === 4,
    );
    await refused(
      at,
      "invalid",
      () => addHosts(at.deps, { cluster: at.cluster, id: "", spec: { name: "r", user: "p" } }),
    );
  });
});

Deno.test("deleteHosts() and setHostStatus() change all ids or none", async () => {
  await withHosts(async (at) => {
    const { deps, cluster, hosts } = at;
    await refused(at, "not_found", () => deleteHosts(deps, { cluster, id: "h1,h9" }));
    await refused(at, "not_found", () => setHostStatus(deps, { cluster, id: "h1,h9", status: "inactive" }));
    assert.deepEqual(await setHostStatus(deps, { cluster, id: "h[1-2]", status: "inactive" }), {
      changed: ["h1", "h2"],
    });
    assert.deepEqual((await hosts()).map((host) => host.status), ["inactive", "inactive", "active"]);
    assert.deepEqual(await deleteHosts(deps, { cluster, id: "h[1-2]" }), { deleted: ["h1", "h2"] });
    assert.deepEqual((await hosts()).map((host) => host.id), ["h3"]);
  });
});

Deno.test("setHostField() stores each value in the type of its field", async () => {
  await withHosts(async ({ hosts, set }) => {
    const values: [key: string, text: string, value: unknown][] = [
      ["user", "root", "root"],
      ["name", "red02", "red02"],
      ["ip", "10.0.0.7", "10.0.0.7"],
      ["ip", "null", null],
      ["status", "broken", "broken"],
      ["job_counter", "0", 0],
      ["max_jobs_allowed", "12", 12],
      ["cores", "4", 4],
      ["threads", "8", 8],
      ["gpu", "0,1", "0,1"],
      ["gpu", "", ""],
      ["pyenv", "~/x", "~/x"],
      ["probe_status", "true", true],
      ["probe_time", "", null],
      ["ping_status", "false", false],
      ["ping_time", "now", "now"],
      ["gpus", "3,0-1", "0-1,3"],
      ["gpus", "amd:0", "amd:0"],
      ["gpu_idle", "true", true],
      ["gpus", "", null],
      ["cpus", "16", 16],
      ["memory", "64gib", "64G"],
      ["id", "h9", "h9"],
    ];
    for (const [key, text, value] of values) {
      await set("h2", key, text);
      assert.equal((await hosts())[1]?.[key as keyof Host] ?? null, value, key);
    }
    // Variables are set one by one, and what only entries of Slurm have on those alone, see below.
    const all = [...new Set(values.map(([key]) => key)), ...SLURM_FIELDS, "env"];
    assert.deepEqual(all.sort(), [...HOST_FIELDS].sort());
    assert.deepEqual((await hosts()).map((host) => host.id), ["h1", "h9", "h3"]);
  });
});

Deno.test("An entry of Slurm is added, read back, changed, and refused where it cannot be meant", async () => {
  await withHosts(async ({ deps, cluster, hosts, set }) => {
    const slurm = { kind: "slurm", partition: "gpu", time: "90", allocations: "10", extra: "--exclusive -C a" };
    await addHosts(deps, { cluster, id: "gpu", spec: { name: "login", user: "me", gpus: "4", cpus: 32, slurm } });
    const entry = async () => (await hosts()).find(({ id }) => id === "gpu")!;
    assert.deepEqual((await entry()).extra, { ...slurm, time: "90m", allocations: 10 });
    assert.equal((await entry()).max_jobs_allowed, 4);
    await set("gpu", "jobs_per_allocation", "1");
    await set("gpu", "idle", "30s");
    await set("gpu", "partition", "");
    assert.deepEqual(slurmOf(await entry()), {
      partition: null,
      account: null,
      qos: null,
      time: "90m",
      nodes: 1,
      gpus: 4,
      cpus: 32,
      memory: null,
      constraint: null,
      extra: "--exclusive -C a",
      allocations: 10,
      idle: "30s",
      jobsPerAllocation: 1,
      link: "srun",
    });
    const before = await hosts();
    await assert.rejects(() => set("h1", "partition", "gpu"), /it is no entry of kind slurm/);
    await assert.rejects(() => set("gpu", "time", "30s"), /as time: give a minute or more/);
    await assert.rejects(() => set("gpu", "gpus", "0-3"), /as gpus: give a whole number/);
    await assert.rejects(() => set("gpu", "kind", ""), /Cannot take kind/);
    await assert.rejects(() => set("gpu", "extra", "exclusive"), /give options of sbatch/);
    await set("gpu", "link", "ssh");
    await assert.rejects(() => set("gpu", "nodes", "2"), /link ssh and nodes cannot be used together/);
    await set("gpu", "link", "");
    const bad = { kind: "pbs", nodes: "0" };
    await assert.rejects(
      () => addHosts(deps, { cluster, id: "x", spec: { name: "l", user: "u", slurm: bad } }),
      (error) => error instanceof InvalidError && /as kind/.test(error.message) && /as nodes/.test(error.message),
    );
    assert.deepEqual(await hosts(), before);
  });
});

Deno.test("setHostField() refuses unknown keys, wrong values, unknown ids, and ids that are taken", async () => {
  await withHosts(async (at) => {
    const bad: [id: string, key: string, value: string, code: string][] = [
      ["h1", "nokey", "x", "invalid"],
      ["h1", "extra", "x", "invalid"],
      ["h1", "constructor", "x", "invalid"],
      ["h1", "max_jobs_allowed", "-1", "invalid"],
      ["h1", "max_jobs_allowed", "2.5", "invalid"],
      ["h1", "max_jobs_allowed", "", "invalid"],
      ["h1", "cores", "0", "invalid"],
      ["h1", "probe_status", "maybe", "invalid"],
      ["h1", "status", "", "invalid"],
      ["h1", "name", "-x", "invalid"],
      ["h1", "gpu", "0\n", "invalid"],
      ["h1", "pyenv", "\0", "invalid"],
      ["h1,h9", "name", "x", "not_found"],
      ["h1", "id", "h2", "conflict"],
      ["h[1-2]", "id", "h7", "invalid"],
      ["h1", "id", "-x", "invalid"],
    ];
    for (const [id, key, value, code] of bad) await refused(at, code, () => at.set(id, key, value));
    await at.set("h1", "id", "h1");
    assert.equal((await at.hosts()).length, 3);
  });
});

Deno.test("listHosts() filters by status and number, in file order", async () => {
  await withHosts(async ({ deps, cluster }) => {
    await setHostStatus(deps, { cluster, id: "h2", status: "inactive" });
    const ids = async (filter: object) => (await listHosts(deps, { cluster, ...filter })).map((host) => host.id);
    assert.deepEqual(await ids({ status: "active" }), ["h1", "h3"]);
    assert.deepEqual(await ids({ limit: 1 }), ["h1"]);
    assert.deepEqual(await ids({ status: "none" }), []);
  });
});

Deno.test("addHosts() and setHostField() refuse more text than one request may make", async () => {
  await withHosts(async (at) => {
    const { deps, cluster } = at;
    const pyenv = "x".repeat(99_000);
    const spec = { name: "red", user: "pi", pyenv };
    await refused(at, "invalid", () => addHosts(deps, { cluster, id: "h[1-400]", spec }));
    await addHosts(deps, { cluster, id: "h[1-400]", spec: { ...spec, pyenv: "" } });
    await refused(at, "invalid", () => at.set("h[1-400]", "pyenv", pyenv));
  });
});

Deno.test("knownMachines() has a machine under its address, with the name for ssh, and no name that has two", async () => {
  await withHosts(async ({ deps, cluster, set }) => {
    await set("h1", "ip", "10.0.0.1");
    await set("h2", "ip", "10.0.0.2");
    await set("h3", "name", "blue");
    await set("h3", "ip", "10.0.0.3");
    const known = await knownMachines(deps, cluster.directory);
    assert.deepEqual([...known.keys()], ["pi@10.0.0.1", "pi@10.0.0.2", "pi@10.0.0.3", "pi@blue"]);
    assert.deepEqual(known.get("pi@10.0.0.1"), { user: "pi", name: "10.0.0.1", address: "10.0.0.1", alias: "red" });
    assert.deepEqual(known.get("pi@blue"), { user: "pi", name: "blue", address: "10.0.0.3" });
  });
});
