/** The way of a start to its host, with a link that is made up: what is sent, and what is told where it cannot be. */
import assert from "node:assert/strict";
import type { Files } from "../../src/deps.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import type { Link } from "../../src/link/link.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Deliver } from "../../src/scheduler/deliver.ts";
import type { AttemptRef } from "../../src/job/attempt.ts";
import type { CoreEvent, Effect } from "../../src/scheduler/events.ts";
import { startRequest } from "../../src/scheduler/start_request.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { waitUntil } from "../../testing/wait.ts";
import { job } from "./world.ts";

const RED = "pi@red";
const HOME = "/home/experiment";

function start(name: string, again = false): Effect {
  const request = startRequest(job(name), 1, { gpu: "", pyenv: "", backlog: null, host: "red", queue: "a" });
  return { type: "start", machine: RED, request, again };
}

function attempt(name: string): AttemptRef {
  return { job: job(name).name, attempt: `${job(name).id}.1` };
}

/** The links of a run with one to red that is open; jobs of these names have input files. */
class Transport {
  readonly events: CoreEvent[] = [];
  /** Names of the jobs whose start was sent. */
  readonly sent: string[] = [];
  /** Lets the input files that are being copied arrive. */
  arrive: (() => void) | null = null;
  /** Those that cannot be copied. */
  readonly unstaged = new Map<JobName, string>();
  readonly deliver: Deliver;

  constructor(files: Files) {
    const link: Partial<Link> = {
      machine: parseMachine(RED),
      boot: "1",
      start: (requests) => void this.sent.push(...requests.map((request) => request.job)),
      stage: () => new Promise((resolve) => this.arrive = () => resolve(this.unstaged)),
      forbid: (attempts) => Promise.resolve(attempts.map(() => ({ type: "forbidden" }))),
      close: () => Promise.resolve(),
    };
    this.deliver = new Deliver({
      ...memoryDeps(files),
      connect: () => Promise.resolve(link as Link),
      queueId: "f".repeat(32),
      localDirectory: HOME,
      hostDirectory: "experiment",
      push: (event) => void this.events.push(event),
    });
  }

  static async open(files: Files): Promise<Transport> {
    const way = new Transport(files);
    way.deliver.perform([{ type: "connect", machine: parseMachine(RED) }]);
    await way.told("link_up");
    return way;
  }

  async told(type: CoreEvent["type"]): Promise<void> {
    await waitUntil(`event ${type}`, () => this.events.some((event) => event.type === type));
  }
}

async function filesWithInput(...names: string[]): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  await files.makeDirectory(HOME);
  for (const name of names) {
    await files.makeDirectory(`${HOME}/${name}`);
    files.edit(`${HOME}/${name}/data`, "data");
  }
  return files;
}

Deno.test("Deliver sends no start that was called off while its input files were on their way", async () => {
  for (const how of ["recall", "ask"] as const) {
    const way = await Transport.open(await filesWithInput("a", "b"));
    way.deliver.perform([start("a"), start("b"), start("plain")]);
    await waitUntil("what needs no files", () => way.sent.length > 0);
    assert.deepEqual(way.sent, ["plain"]);
    await waitUntil("the copy", () => way.arrive !== null);
    const off = [attempt("a")];
    way.deliver.perform([
      how === "recall"
        ? { type: "recall", machine: RED, attempts: off }
        : { type: "ask", machine: RED, ask: [], forbid: off },
    ]);
    await way.told(how === "recall" ? "recalled" : "answer");
    way.arrive?.();
    await waitUntil("the rest", () => way.sent.length > 1);
    assert.deepEqual(way.sent, ["plain", "b"]);
    await way.deliver.close();
  }
});

Deno.test("Deliver sends no start that is called off in the same breath", async () => {
  const way = await Transport.open(await filesWithInput());
  way.deliver.perform([start("a"), start("b"), { type: "recall", machine: RED, attempts: [attempt("a")] }]);
  await waitUntil("the other", () => way.sent.length > 0);
  assert.deepEqual(way.sent, ["b"]);
  await way.deliver.close();
});

Deno.test("Deliver tells of starts whose input files cannot be looked for, and calls off what was sent before", async () => {
  const files: Partial<Files> = {
    stamp: () => Promise.resolve({ sizeBytes: 0, modifiedMs: 1, inode: 1, isDirectory: true }),
    list: () => Promise.reject(new Error("Too many open files (os error 24)")),
  };
  const way = await Transport.open(files as Files);
  way.deliver.perform([start("a"), start("b", true), start("c")]);
  await way.told("answer");
  const reason = "cannot look for its input files: too many open files";
  assert.deepEqual(way.events.slice(1), [
    { type: "stage_failed", ...attempt("a"), reason },
    { type: "stage_failed", ...attempt("c"), reason },
    { type: "answer", machine: RED, states: [{ ...attempt("b"), state: { type: "forbidden" } }], isUnasked: true },
  ]);
  assert.deepEqual(way.sent, []);
  await way.deliver.close();
});

Deno.test("Deliver fails only the job whose input files cannot be copied, and calls off what was sent before", async () => {
  const way = await Transport.open(await filesWithInput("a", "b", "c"));
  const reason = "a device";
  for (const name of ["a", "b"]) way.unstaged.set(job(name).name, reason);
  way.deliver.perform([start("a"), start("c")]);
  await waitUntil("the copy", () => way.arrive !== null);
  way.arrive?.();
  await way.told("stage_failed");
  assert.deepEqual(way.events.slice(1), [{ type: "stage_failed", ...attempt("a"), reason }]);
  assert.deepEqual(way.sent, ["c"]);
  await way.deliver.close();
});
