/**
 * What waits for hosts keeps nobody else waiting, and what comes from them stays below the bound of memory: in the
 * executable.
 */
import assert from "node:assert/strict";
import { hostTest, needTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { type Executable, withExecutable } from "../../testing/service/executable.ts";

/** As docs/service.md says. */
const MEMORY_MB = 1024;
const OUTPUT_BYTES = 16 * 1024 * 1024;
/** The stand-in for ssh runs the agent on this machine, with a home for each host. */
const SSH = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
HOME="\${0%/*}/$2"; export HOME; mkdir -p "$HOME"; cd "$HOME"
exec sh
`;

/** A queue with one job at each host, all at their end. */
async function runOn({ ask }: Executable, hosts: readonly string[], command: string): Promise<void> {
  assert.equal((await ask("POST /queue/?name=a")).status, 200);
  for (const host of hosts) {
    const query = new URLSearchParams({ name: host, command, user: "pi", host });
    assert.equal((await ask(`POST /queue/a?${query}`)).status, 200);
  }
  assert.equal((await ask(`PUT /queue/a/run_fifo?max_parallel=${hosts.length}`)).status, 200);
  await waitUntil(
    async () => await (await ask("GET /queue/a/info")).text(),
    async () => {
      const jobs = Object.values(await (await ask("GET /queue/a")).json()) as { status: string }[];
      return jobs.every(({ status }) => status === "end");
    },
    { limitMs: 60_000 },
  );
}

needTest(
  "10 outputs of 16 MiB at once, from five hosts, are whole, and stay below the bound of memory",
  Deno.build.os === "linux" ? null : "needs /proc",
  async () => {
    const bin = await Deno.makeTempDir({ prefix: "cms-ssh-" });
    try {
      await Deno.writeTextFile(`${bin}/ssh`, SSH, { mode: 0o755 });
      await withExecutable(async (service) => {
        const hosts = ["h1", "h2", "h3", "h4", "h5"];
        await runOn(service, hosts, `head -c ${OUTPUT_BYTES} /dev/zero | tr '\\0' x`);
        let most = 0;
        let isOver = false;
        const outputs = Promise.allSettled(Array.from({ length: 10 }, async (_, i) => {
          const host = hosts[i % hosts.length]!;
          const headers = { accept: i % 2 === 0 ? "text/plain" : "application/json" };
          const reply = await service.ask(`GET /queue/a/job/${host}/output?max=${OUTPUT_BYTES}`, {
            headers,
            limitMs: 240_000,
          });
          return [reply.status, (await reply.arrayBuffer()).byteLength >= OUTPUT_BYTES];
        })).finally(() => isOver = true);
        while (!isOver) {
          most = Math.max(most, service.memory());
          assert.equal((await service.ask("GET /healthz", { limitMs: 120_000 })).status, 200);
        }

        for (const one of await outputs) assert.deepEqual(one, { status: "fulfilled", value: [200, true] });
        assert.ok(most < MEMORY_MB, `${most} MB`);
      }, { before: `PATH='${bin}':"$PATH"; export PATH` });
    } finally {
      await Deno.remove(bin, { recursive: true });
    }
  },
);

hostTest("while 130 requests wait for a host that is silent, health, metrics and lists are answered", async (hosts) => {
  await withExecutable(async (service) => {
    await runOn(service, ["red"], "echo hello");
    assert.equal(await (await service.ask("GET /queue/a/job/red/output")).text(), "hello\n");
    await hosts.host("red").cut();
    let answered = 0;
    const waiting = Array.from({ length: 130 }, async () => {
      await service.ask("GET /queue/a/job/red/output").then(({ status }) => assert.equal(status, 502), () => {});
      answered++;
    });
    // Those beyond the bound of a host are refused; the others hold on.
    await waitUntil("the refusals", () => answered >= 100);
    const before = answered;
    for (const path of ["/healthz", "/metrics", "/queue/", "/queue/a", "/queue/a/info"]) {
      assert.equal((await service.ask(`GET ${path}`)).status, 200, path);
    }
    assert.equal((await service.ask("POST /queue/a?name=x&command=true")).status, 200);
    assert.ok(before < 130 && answered < 130, `${answered} are answered, so that nothing waited`);
    await hosts.host("red").mend();
    await Promise.all(waiting);
  }, {
    before: Object.entries(hosts.env).map(([name, value]) => `${name}='${value}'; export ${name}`).join("; "),
  });
});
