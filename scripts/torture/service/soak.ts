/**
 * `deno task torture --service`: the service of the executable under all that strangers and users may do at once,
 * beside one honest user. It ends by itself, and says what the honest user saw and what memory and files the service
 * took.
 *
 * @module
 */

import { type Executable, withExecutable } from "../../../testing/service/executable.ts";
import { RIGHT } from "../../../testing/service/service.ts";
import { say, write } from "../../script.ts";
import { furnish } from "./furnish.ts";
import { pause } from "./sending.ts";

/** As docs/service.md promises. */
const MEMORY_MB = 1024;
const SLOWEST_MS = 1000;
const BACK_MS = 60_000;
/** Files that may be left open by what is still being closed. */
const FILES_MORE = 16;
const FILES = 1024;
/** A host that takes a connection and says nothing, ever. */
const SILENT_SSH = "#!/bin/sh\nexec sleep 600\n";

const STRANGERS = new URL("./strangers.ts", import.meta.url).href;

/** What the honest user saw of one kind of request. */
interface Seen {
  readonly ms: number[];
  readonly wrong: string[];
}

/** Soaks. @returns The exit status: 1 if a bound did not hold. */
export async function soakService(minutes: number): Promise<number> {
  const bin = await Deno.makeTempDir({ prefix: "cms-soak-" });
  try {
    await Deno.writeTextFile(`${bin}/ssh`, SILENT_SSH, { mode: 0o755 });
    let status = 1;
    const before = `ulimit -n ${FILES}; PATH='${bin}':"$PATH"; export PATH`;
    await withExecutable(async (service) => void (status = await soak(service, minutes)), { before });
    return status;
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
}

async function soak(service: Executable, minutes: number): Promise<number> {
  await furnish(service);
  const quiet = { memory: service.memory(), files: service.files() };
  const stop = AbortSignal.timeout(minutes * 60_000);
  // They stand for other machines, so they take only what processor time the service and its honest user leave; the
  // session of their own is what Linux shares that time by.
  const words = [
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    STRANGERS,
    String(service.port),
    String(minutes),
    RIGHT,
    service.directory,
  ];
  const troubling = new Deno.Command("setsid", {
    args: ["nice", "-n", "19", ...words],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const seen = new Map<string, Seen>();
  const most = { memory: 0, files: 0 };
  const watched = watch(service, most, stop);
  await honest(service, seen, stop);
  say("over: waiting for what was begun");
  await watched;
  const times = JSON.parse(new TextDecoder().decode((await troubling).stdout)) as Record<string, number>;
  say("waiting for memory and files to come back");
  const [back, isBack] = await comeBack(service, quiet);
  const lines: string[] = [];
  const broken: string[] = [];
  for (const [name, count] of Object.entries(times)) lines.push(`| ${name} | ${count} times | |`);
  for (const [name, { ms, wrong }] of seen) {
    const slow = percentile(ms, 0.99);
    lines.push(
      `| honest: ${name} | ${ms.length} | median ${percentile(ms, 0.5)} ms, 99 % ${slow} ms, most ${
        percentile(ms, 1)
      } ms |`,
    );
    if (slow >= SLOWEST_MS) broken.push(`${name}: the 99th percentile is ${slow} ms`);
    if (wrong.length > 0) {
      broken.push(`${name}: ${wrong.length} of ${ms.length} failed: ${wrong.slice(0, 3).join("; ")}`);
    }
  }
  lines.push(
    `| memory | at first ${mb(quiet.memory)} | most ${mb(most.memory)}, a minute later at most ${mb(back.memory)} |`,
  );
  lines.push(`| files | at first ${quiet.files} | most ${most.files}, a minute later at most ${back.files} |`);
  if (most.memory >= MEMORY_MB) broken.push(`memory: ${mb(most.memory)}`);
  if (!isBack) broken.push(`what was taken does not come back: ${mb(back.memory)}, ${back.files} files`);
  const faults = service.text().split("\n").filter((line) => /fault|error/i.test(line));
  if (faults.length > 0) broken.push(`the log: ${faults.slice(0, 3).join(" ")}`);
  write(`| what | | |\n| --- | --- | --- |\n${lines.join("\n")}\n`);
  for (const one of broken) write(`BROKEN: ${one}\n`);
  return broken.length === 0 ? 0 : 1;
}

/** Adds, runs and lists, one after the other, and looks whether the service is up. */
async function honest({ ask, port }: Executable, seen: Map<string, Seen>, stop: AbortSignal): Promise<void> {
  const timed = async (name: string, line: string, allowed: readonly number[] = []) => {
    let one = seen.get(name);
    if (one === undefined) seen.set(name, one = { ms: [], wrong: [] });
    const atMs = performance.now();
    try {
      const reply = name === "health" ? await fetch(`http://127.0.0.1:${port}/healthz`) : await ask(line);
      await reply.arrayBuffer();
      if (!reply.ok && !allowed.includes(reply.status)) one.wrong.push(String(reply.status));
    } catch (error) {
      one.wrong.push(`${(error as Error).message} ${(error as Error).cause ?? ""}`.trim());
    }
    const ms = Math.round(performance.now() - atMs);
    one.ms.push(ms);
    if (ms >= SLOWEST_MS) say(`${name}: ${ms} ms`);
  };
  const user = "me";
  for (let n = 0; !stop.aborted; n++) {
    await timed("add", `POST /queue/mine?name=job${n % 50}&command=true&user=${user}&host=localhost`, [409]);
    // 409: it runs still.
    if (n % 10 === 0) await timed("run", "PUT /queue/mine/run_fifo?max_parallel=2", [409]);
    await timed("list", "GET /queue/mine");
    await timed("table", "GET /queue/mine/info");
    await timed("metrics", "GET /metrics");
    await timed("health", "GET /healthz");
    await pause(50, stop);
  }
  await ask("PUT /queue/mine/stop").catch(() => {});
}

async function watch(
  { memory, files }: Executable,
  most: { memory: number; files: number },
  stop: AbortSignal,
): Promise<void> {
  for (let i = 0; !stop.aborted; i++) {
    most.memory = Math.max(most.memory, memory());
    most.files = Math.max(most.files, files());
    if (i % 150 === 0) say(`${Math.round(performance.now() / 1000)} s: ${mb(memory())}, ${files()} files`);
    await pause(200, stop);
  }
}

/** Waits until memory and files are near to what they were; what they are then, and whether they came there. */
async function comeBack(
  { memory, files, ask }: Executable,
  quiet: { memory: number; files: number },
): Promise<[{ memory: number; files: number }, boolean]> {
  const endMs = performance.now() + BACK_MS;
  while (true) {
    const now = { memory: memory(), files: files() };
    // A heap that has grown once keeps some room.
    if (now.files <= quiet.files + FILES_MORE && now.memory <= quiet.memory + MEMORY_MB / 4) return [now, true];
    if (performance.now() > endMs) return [now, false];
    await ask("GET /healthz").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function mb(value: number): string {
  return `${Math.round(value)} MB`;
}
