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

/** As docs/service.md promises, in MB. */
export const MEMORY_MB = 1024;
const SLOWEST_MS = 1000;
/** Of fewer requests the slowest alone would be the 99th percentile. */
const OFTEN = 100;
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

/** What came of a soak. */
export interface Soaked {
  /** How often each trouble was made. */
  readonly times: Readonly<Record<string, number>>;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly quiet: Taken;
  readonly most: Taken;
  /** What the service took within a minute after. */
  readonly back: Taken;
  readonly isBack: boolean;
  /** Lines of its log that speak of faults. */
  readonly faults: readonly string[];
}

/** What the service takes: resident MB and open files. */
interface Taken {
  memory: number;
  files: number;
}

/** Soaks, and prints. @returns The exit status: 1 if a bound did not hold. */
export async function soakService(minutes: number): Promise<number> {
  const soaked = await soak(minutes, say);
  write(`| what | | |\n| --- | --- | --- |\n${linesOf(soaked).join("\n")}\n`);
  const broken = [...slowIn(soaked), ...brokenIn(soaked)];
  for (const one of broken) write(`BROKEN: ${one}\n`);
  return broken.length === 0 ? 0 : 1;
}

/** Troubles a service of its own for so many minutes, beside one honest user. @param tell Gets what happens. */
export async function soak(minutes: number, tell: (text: string) => void): Promise<Soaked> {
  const bin = await Deno.makeTempDir({ prefix: "cms-soak-" });
  try {
    await Deno.writeTextFile(`${bin}/ssh`, SILENT_SSH, { mode: 0o755 });
    let soaked: Soaked | null = null;
    const before = `ulimit -n ${FILES}; PATH='${bin}':"$PATH"; export PATH`;
    await withExecutable(async (service) => void (soaked = await trouble(service, minutes, tell)), { before });
    return soaked!;
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
}

async function trouble(service: Executable, minutes: number, tell: (text: string) => void): Promise<Soaked> {
  await furnish(service);
  const quiet = { memory: service.memory(), files: service.files() };
  const stop = AbortSignal.timeout(minutes * 60_000);
  // They stand for other machines, so they take only what processor time the service and its honest user leave; the
  // session of their own is what Linux shares that time by.
  const target = [String(service.port), String(minutes), RIGHT, service.directory];
  const troubling = new Deno.Command("setsid", {
    args: ["nice", "-n", "19", Deno.execPath(), "run", "-A", "--no-check", STRANGERS, ...target],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const seen = new Map<string, Seen>();
  const most = { memory: 0, files: 0 };
  const watched = watch(service, most, stop, tell);
  await honest(service, seen, stop, tell);
  tell("over: waiting for what was begun");
  await watched;
  const times = JSON.parse(new TextDecoder().decode((await troubling).stdout)) as Record<string, number>;
  tell("waiting for memory and files to come back");
  const [back, isBack] = await comeBack(service, quiet);
  const faults = service.text().split("\n").filter((line) => /fault|error/i.test(line));
  return { times, seen, quiet, most, back, isBack, faults };
}

/** The rows of a table. */
function linesOf({ times, seen, quiet, most, back }: Soaked): string[] {
  return [
    ...Object.entries(times).map(([name, count]) => `| ${name} | ${count} times | |`),
    ...[...seen, ["all", { ms: [...seen.values()].flatMap(({ ms }) => ms) }] as const].map(([name, { ms }]) =>
      `| honest: ${name} | ${ms.length} | median ${percentile(ms, 0.5)} ms, 99 % ${percentile(ms, 0.99)} ms, most ${
        percentile(ms, 1)
      } ms |`
    ),
    `| memory | at first ${mb(quiet.memory)} | most ${mb(most.memory)}, a minute later at most ${mb(back.memory)} |`,
    `| files | at first ${quiet.files} | most ${most.files}, a minute later at most ${back.files} |`,
  ];
}

/** Where the honest user waited too long: of all that he asked, or of one kind that he asked often enough. */
function slowIn({ seen }: Soaked): string[] {
  const all = ["all", [...seen.values()].flatMap(({ ms }) => ms)] as const;
  const often = [...seen].map(([name, { ms }]) => [name, ms] as const).filter(([, ms]) => ms.length >= OFTEN);
  return [all, ...often].filter(([, ms]) => percentile(ms, 0.99) >= SLOWEST_MS)
    .map(([name, ms]) => `${name}: the 99th percentile is ${percentile(ms, 0.99)} ms`);
}

/** What broke, but for times. */
export function brokenIn({ seen, most, back, isBack, faults }: Soaked): string[] {
  const failed = [...seen].filter(([, { wrong }]) => wrong.length > 0);
  return [
    ...failed.map(([name, { ms, wrong }]) =>
      `${name}: ${wrong.length} of ${ms.length} failed: ${wrong.slice(0, 3).join("; ")}`
    ),
    ...most.memory < MEMORY_MB ? [] : [`memory: ${mb(most.memory)}`],
    ...most.files < FILES ? [] : ["no file was free"],
    ...isBack ? [] : [`what was taken does not come back: ${mb(back.memory)}, ${back.files} files`],
    ...faults.length === 0 ? [] : [`the log: ${faults.slice(0, 3).join(" ")}`],
  ];
}

/** Adds, runs and lists, one after the other, and looks whether the service is up. */
async function honest(
  { ask, port }: Executable,
  seen: Map<string, Seen>,
  stop: AbortSignal,
  tell: (text: string) => void,
): Promise<void> {
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
    if (ms >= SLOWEST_MS) tell(`${name}: ${ms} ms`);
  };
  const user = "me";
  for (let n = 0; !stop.aborted; n++) {
    await timed("add", `POST /queue/mine?name=job${n % 50}&command=true&user=${user}&host=localhost`, [409]);
    // 409: it runs still.
    if (n % 3 === 0) await timed("run", "PUT /queue/mine/run_fifo?max_parallel=2", [409]);
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
  most: Taken,
  stop: AbortSignal,
  tell: (text: string) => void,
): Promise<void> {
  for (let i = 0; !stop.aborted; i++) {
    most.memory = Math.max(most.memory, memory());
    most.files = Math.max(most.files, files());
    if (i % 150 === 0) tell(`${Math.round(performance.now() / 1000)} s: ${mb(memory())}, ${files()} files`);
    await pause(200, stop);
  }
}

/** Waits until memory and files are near to what they were; what they are then, and whether they came there. */
async function comeBack(
  { memory, files, ask }: Executable,
  quiet: Taken,
): Promise<[Taken, boolean]> {
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
