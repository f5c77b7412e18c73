/** A service in a process of its own: what a crash of it leaves, and many clients at once. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withQueue } from "../../testing/run_place.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Reading } from "./sse.ts";
import { RIGHT } from "../../testing/service/service.ts";

/** A running service. */
interface Server {
  fetch(line: string, headers?: Record<string, string>): Promise<Response>;
  kill9(): Promise<void>;
}

async function serve(directory: string): Promise<Server> {
  const script = fileURLToPath(new URL("./server.ts", import.meta.url));
  const args = ["run", "-A", "--no-prompt", "--no-check", script, directory];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stdin: "null" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  const base = `http://127.0.0.1:${Number(value)}`;
  return {
    fetch(line, headers = {}) {
      const [method = "", path = ""] = line.split(" ");
      return fetch(base + path, { method, headers: { authorization: RIGHT, ...headers } });
    },
    async kill9() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await child.status;
    },
  };
}

Deno.test("kill -9 of the service during a run loses nothing: a new one shows it, and it ends well", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-6]", "while ! test -e ../go; do sleep 0.05; done; echo ran >> ../count-$(basename $PWD)");
    let server = await serve(place.directory);
    try {
      const started = await server.fetch("PUT /queue/a/run_fifo?max_parallel=2");
      const { pid } = await started.json();
      await place.reach("job1 start", "job2 start", "job3 ready", "job4 ready", "job5 ready", "job6 ready");
      const stream = new Reading(await server.fetch("GET /events?queue=a"));
      await stream.waitFor(({ type }) => type === "reset");
      await server.kill9();
      await waitUntil("the end of the stream", () => stream.over);

      server = await serve(place.directory);
      const ran = await server.fetch("PUT /queue/ran", { accept: "application/json" });
      const { runs: [run] } = await ran.json();
      assert.deepEqual([run.queue, run.running, run.pid], ["a", true, pid]);
      const again = new Reading(await server.fetch("GET /events?queue=a"));
      await again.waitFor(({ type }) => type === "reset");
      await Deno.writeTextFile(`${place.queue.directory}/go`, "");
      await again.waitFor(({ type }) => type === "run_end", 30_000);
      await place.reach(...[1, 2, 3, 4, 5, 6].map((n) => `job${n} end`));
      for (let n = 1; n <= 6; n++) {
        assert.equal(await Deno.readTextFile(`${place.queue.directory}/count-job${n}`), "ran\n");
      }
      await again.close();
    } finally {
      await server.kill9();
    }
  });
});

Deno.test("200 clients follow events while GET answers a queue of 1,000 jobs", async () => {
  await withQueue(async (place) => {
    await place.add("job[1-1000]", "true");
    const server = await serve(place.directory);
    const readings: Reading[] = [];
    try {
      for (let i = 0; i < 200; i++) readings.push(new Reading(await server.fetch("GET /events")));
      await Promise.all(readings.map((reading) => reading.waitFor(({ type }) => type === "reset", 30_000)));
      for (let i = 1; i <= 5; i++) {
        const [queue] = await Promise.all([server.fetch("GET /queue/a"), place.add(`late${i}`, "true")]);
        assert.ok(Object.keys(await queue.json()).length >= 1000);
      }
      const metrics = await (await server.fetch("GET /metrics")).text();
      assert.match(metrics, /^cms_event_streams\{experiment="experiment"\} 200$/m);
      const lines = [1, 2, 3, 4, 5].map((i) => `job_added late${i}`);
      for (const reading of readings) {
        await reading.waitFor(({ data }) => data.job === "late5", 30_000);
        assert.deepEqual(reading.lines, lines);
      }
      // Those who go away are forgotten.
      await Promise.all(readings.map((reading) => reading.close()));
      await waitUntil("the last client's end", async () => {
        return /^cms_event_streams\{[^}]*\} 0$/m.test(await (await server.fetch("GET /metrics")).text());
      });
    } finally {
      for (const reading of readings) await reading.close();
      await server.kill9();
    }
  });
});
