/** Files that the service of the executable has open, whatever there is to look at. */
import assert from "node:assert/strict";
import { needTest } from "../../testing/need.ts";
import { type Executable, withExecutable } from "../../testing/service/executable.ts";
import { waitUntil } from "../../testing/wait.ts";

const why = Deno.build.os === "linux" ? null : "needs /proc";
const FILES = 128;
/** Journals of queues that are watched, journals of those that are read again and again, and connections. */
const KEPT = 2 * FILES / 16 + 8;

/** A metric's value for a queue. */
async function metric({ ask }: Executable, name: string, queue: string): Promise<string | undefined> {
  const reply = await ask("GET /metrics");
  assert.equal(reply.status, 200);
  const text = await reply.text();
  return text.split("\n").find((line) => line.startsWith(`${name}{`) && line.includes(`queue="${queue}"`));
}

/** A moment may have more: a connection is closed after its reply. */
async function fewFiles({ files }: Executable, limit: number): Promise<void> {
  await waitUntil(() => `at most ${limit} open files, not ${files()}`, () => files() <= limit);
}

needTest(
  "more queues and directories than it may have files open leave a service that counts them all",
  why,
  async () => {
    await withExecutable(async (service) => {
      const { ask, directory } = service;
      const before = service.files();
      const numbers = Array.from({ length: FILES + 22 }, (_, i) => i);
      await Promise.all(Array.from({ length: 8 }, async () => {
        for (let i = numbers.pop(); i !== undefined; i = numbers.pop()) {
          assert.equal((await ask(`POST /queue/?name=q${i}`)).status, 200);
          assert.equal((await ask(`POST /queue/q${i}?name=job[1-2]&command=true`)).status, 200);
        }
      }));
      for (let i = 0; i < FILES + 22; i++) {
        Deno.mkdirSync(`${directory}/many/e${i}`, { recursive: true });
        Deno.writeTextFileSync(`${directory}/many/e${i}/q-queue.yaml`, "{}\n");
      }
      const waiting = 'cms_jobs{experiment="experiment",queue="q149",state="undefined"} 2';
      await waitUntil("all to be seen", async () => await metric(service, "cms_jobs", "q149") === waiting, {
        limitMs: 60_000,
      });
      await fewFiles(service, before + KEPT);
      // Changes of those whose journals are closed count too.
      for (const at of ["q1", "q149"]) {
        assert.equal((await ask(`POST /queue/${at}?name=job[3-4]&command=true`)).status, 200);
        assert.equal((await ask(`DELETE /queue/${at}/job/job1`)).status, 200);
        const now = `cms_jobs{experiment="experiment",queue="${at}",state="undefined"} 3`;
        await waitUntil("the change", async () => await metric(service, "cms_jobs", at) === now);
      }
      const streams = await Promise.all([1, 2, 3].map(() => service.send("GET / HT")));
      assert.equal((await ask("GET /queue/q149")).status, 200);
      await fewFiles(service, before + KEPT + streams.length);
    }, { before: `ulimit -n ${FILES}` });
  },
);
