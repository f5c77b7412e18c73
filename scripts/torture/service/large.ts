/**
 * `deno task torture --service --large`: requests of all kinds at once on queues of 100,000 jobs, beside clients that
 * wait for jobs, follow what they write, look at queues and hear of events. It says what memory the service of the
 * executable took.
 *
 * @module
 */

import { close, type Executable, receive, withExecutable } from "../../../testing/service/executable.ts";
import { RIGHT } from "../../../testing/service/service.ts";
import { say, write } from "../../script.ts";
import { pause } from "./sending.ts";

const CLIENTS = 24;
/** So long a client that takes no reply holds its connection, and so long a patient one waits. */
const UNREAD_MS = 10_000;
const LIMIT_MS = 120_000;
/** A host that takes a connection and says nothing, ever. */
const SILENT_SSH = "#!/bin/sh\nexec sleep 600\n";
/** Where the jobs of the queues are, one kind for each. */
const KINDS = [
  "status: undefined",
  "status: end\n  exit_code: 0\n  user: me\n  host: localhost\n  attempt: 1",
  "status: crash\n  user: me\n  host: localhost\n  attempt: 1",
  "status: undefined\n  user: me\n  host: silent",
];

/** A request: its line, and its body where it has one. */
type Asked = readonly [line: string, body?: object];

/** What is asked of a queue. All hold all of it, or make a reply or a change of that size. */
const QUESTIONS: readonly ((queue: string, jobs: number) => Asked)[] = [
  (q) => [`GET /queue/${q}`],
  (q) => [`GET /queue/${q}/info`],
  (q) => [`GET /queue/${q}/results.csv`],
  (q) => [`GET /queue/${q}/spans`],
  (q) => [`GET /queue/${q}/jobs?sort=-duration&offset=0&limit=50`],
  (q) => [`GET /queue/${q}/explain`],
  (q) => [`PUT /queue/${q}/plan?max_parallel=4`],
  (q) => [`GET /queue/${q}/check`],
  (q) => [`PUT /queue/${q}/refresh`],
  (q, jobs) => [`PUT /queue/${q}/reset?name=job[1-${jobs}]`],
  (q) => [`PUT /queue/${q}/hold`],
  (q) => [`PUT /queue/${q}/release`],
  (q) => [`PATCH /queue/${q}/jobs?where=name~job`, { priority: 3 }],
  (q, jobs) => [`POST /queue/${q}/jobs`, { jobs: [{ name: `more[1-${jobs / 2}]`, command: "x".repeat(300) }] }],
  (q, jobs) => [`DELETE /queue/${q}/jobs?name=more[1-${jobs / 2}]`],
  (q) => [`POST /queue/${q}/jobs`, { jobs: "x".repeat(15_000_000) }],
  () => ["GET /metrics"],
  () => ["PUT /queue/ran"],
];

/** What a service is to hold. */
export interface Large {
  readonly queues: number;
  /** Of each queue. */
  readonly jobs: number;
  readonly minutes: number;
}

/** What came of it. */
export interface Mixed {
  /** Resident MB, at first and at most. */
  readonly quiet: number;
  readonly most: number;
  readonly statuses: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

/** As docs/service.md promises for queues of this size, in MB. */
const MEMORY_MB = 1280;

/** Asks, and prints. @returns The exit status: 1 if the bound did not hold. */
export async function soakLarge(minutes: number): Promise<number> {
  const { quiet, most, statuses, faults } = await mix({ queues: 8, jobs: 100_000, minutes }, say);
  write(`replies: ${[...statuses].sort().map(([status, count]) => `${status}: ${count}`).join(", ")}\n`);
  write(`memory: at first ${quiet} MB, most ${most} MB\n`);
  for (const fault of faults) write(`BROKEN: ${fault}\n`);
  if (most >= MEMORY_MB) write(`BROKEN: more than ${MEMORY_MB} MB\n`);
  return most < MEMORY_MB && faults.length === 0 ? 0 : 1;
}

/** Asks a service of its own. @param tell Gets what happens. */
export async function mix(large: Large, tell: (text: string) => void): Promise<Mixed> {
  const bin = await Deno.makeTempDir({ prefix: "cms-large-" });
  try {
    await Deno.writeTextFile(`${bin}/ssh`, SILENT_SSH, { mode: 0o755 });
    let mixed: Mixed | null = null;
    let over: Promise<unknown> = Promise.resolve();
    const before = `PATH='${bin}':"$PATH"; export PATH`;
    await withExecutable(async (service) => {
      ({ mixed, over } = await ask(service, large, tell));
    }, { before });
    // What was begun ends with the service.
    await over;
    return mixed!;
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
}

async function ask(
  service: Executable,
  { queues, jobs, minutes }: Large,
  tell: (text: string) => void,
): Promise<{ mixed: Mixed; over: Promise<unknown> }> {
  const names = Array.from({ length: queues }, (_, i) => `q${i}`);
  await service.ask("POST /queue/?name=small");
  for (const [i, name] of names.entries()) await writeQueue(service, name, KINDS[i % KINDS.length]!, jobs);
  const quiet = Math.round(service.memory());
  const stop = AbortSignal.timeout(minutes * 60_000);
  const statuses = new Map<string, number>();
  const count = (status: string) => void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const again = async (one: () => Promise<string>) => {
    while (!stop.aborted) count(await one().catch(() => "cut off"));
  };
  const held = names.flatMap((name) => [
    again(() => patient(service, `/queue/${name}/wait?timeout=30`, stop)),
    again(() => patient(service, `/queue/${name}/live`, stop)),
    again(() => patient(service, `/queue/${name}/follow?name=job1`, stop)),
    again(() => patient(service, `/events?queue=${name}`, stop)),
  ]);
  let n = 0;
  const asking = Array.from({ length: CLIENTS }, (_, i) =>
    again(async () => {
      const [line, body] = QUESTIONS[n % QUESTIONS.length]!(names[Math.floor(n++ / QUESTIONS.length) % queues]!, jobs);
      const text = body === undefined ? undefined : JSON.stringify(body);
      return i % 3 === 0 ? await unread(service, line, text, stop) : await read(service, line, text);
    }));
  let most = quiet;
  for (let i = 0; !stop.aborted; i++) {
    most = Math.max(most, Math.round(service.memory()));
    if (i % 150 === 0) tell(`${Math.round(service.memory())} MB, ${service.files()} files`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const faults = service.text().split("\n").filter((line) => /fault|error/i.test(line));
  return { mixed: { quiet, most, statuses: new Map(statuses), faults }, over: Promise.all([...held, ...asking]) };
}

/** As it stands in a file that the program has written. */
async function writeQueue({ directory }: Executable, name: string, state: string, jobs: number): Promise<void> {
  const command = "train --lr 0.1 --epochs 100 --data /data/set".padEnd(90, "x");
  const parts = Array.from({ length: jobs }, (_, i) => {
    const job = `job${i + 1}`;
    return `${job}:\n  name: ${job}\n  id: ${i.toString(16).padStart(8, "0")}\n  command: ${command}\n  ${state}\n` +
      `  experiment: experiment\n  input: ${job}/input\n  output: ${job}.out\n  log: ${job}.log\n`;
  });
  await Deno.writeTextFile(`${directory}/experiment/${name}-queue.yaml`, parts.join(""));
}

async function read({ ask }: Executable, line: string, body: string | undefined): Promise<string> {
  const headers = { "content-type": "application/json" };
  const { status } = await ask(line, { limitMs: LIMIT_MS, ...(body === undefined ? {} : { headers, body }) });
  return String(status);
}

/** Takes what comes until the client has had enough. */
async function patient(service: Executable, path: string, stop: AbortSignal): Promise<string> {
  const connection = await service.send(head(`GET ${path}`));
  let from = "";
  await receive(connection, (text) => {
    from = text.slice(0, 12);
    return stop.aborted;
  }, UNREAD_MS).catch(() => {});
  close(connection);
  await pause(1_000, stop);
  return from.replace("HTTP/1.1 ", "");
}

/** Takes no reply. */
async function unread(
  service: Executable,
  line: string,
  body: string | undefined,
  stop: AbortSignal,
): Promise<string> {
  const connection = await service.send(head(line, body));
  await pause(UNREAD_MS, stop);
  close(connection);
  return "not read";
}

function head(line: string, body?: string): string {
  const more = body === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${RIGHT}\r\n${more}\r\n${body ?? ""}`;
}
