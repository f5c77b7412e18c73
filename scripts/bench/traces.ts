/**
 * System calls of a program and of all that it starts, counted by strace.
 *
 * @module
 */

import { outputOf } from "./program.ts";

/** How many calls there were. */
export interface Calls {
  readonly all: number;
  /** Processes that were begun; no threads. */
  readonly forks: number;
  readonly execs: number;
  /** Writes into the file that was asked about, and syncs of it. */
  readonly writes: number;
  readonly syncs: number;
}

/** By who made them. */
export interface CallsByProcess {
  /** The command's own process, with its threads. */
  readonly own: Calls;
  /** The processes that it began. */
  readonly children: Calls;
  /** Those that these began, and so on. */
  readonly others: Calls;
}

interface Trace extends Calls {
  readonly threads: readonly string[];
  readonly children: readonly string[];
}

/** One line of a trace that begins a call: its name and the rest. */
const CALL = /^([a-z_0-9]+)\((.*)$/gm;
const CHILD = / = (\d+)$/;

/**
 * Runs a command to its end under strace. `to`: a directory for the traces, a file for each process; `file`: how the
 * name of a file ends.
 * @throws {Error} If it does not end with 0.
 */
export async function tracedCalls(
  command: readonly string[],
  { cwd, to, file }: { readonly cwd: string; readonly to: string; readonly file: string },
): Promise<CallsByProcess> {
  await Deno.mkdir(to);
  await outputOf(["strace", "-ff", "-qq", "-y", "-s", "0", "-o", `${to}/t`, ...command], { cwd });
  const texts = new Map<string, string>();
  for await (const { name } of Deno.readDir(to)) texts.set(name.slice(2), await Deno.readTextFile(`${to}/${name}`));
  return countCalls(texts, file);
}

/** Counts in the traces by process. @throws {Error} If no process began all others. */
export function countCalls(texts: ReadonlyMap<string, string>, file: string): CallsByProcess {
  const processes = new Map([...texts].map(([pid, text]) => [pid, readTrace(text, file)]));
  const of = (pids: Iterable<string>) => [...pids].flatMap((pid) => processes.get(pid) ?? []);
  const begun = new Set([...processes.values()].flatMap(({ threads, children }) => [...threads, ...children]));
  const root = [...processes.keys()].find((pid) => !begun.has(pid));
  if (root === undefined) throw new Error("Cannot tell which process is the first: the traces are not complete");
  const own = new Set([root]);
  for (const pid of own) processes.get(pid)?.threads.forEach((thread) => own.add(thread));
  const children = new Set(of(own).flatMap((one) => one.children));
  const others = [...processes.keys()].filter((pid) => !own.has(pid) && !children.has(pid));
  return { own: sumOf(of(own)), children: sumOf(of(children)), others: sumOf(of(others)) };
}

/** The trace of one process, or thread: the names of its calls, and whom it began. */
function readTrace(text: string, file: string): Trace {
  const [threads, children] = [[] as string[], [] as string[]];
  let [all, execs, writes, syncs] = [0, 0, 0, 0];
  for (const [, name = "", rest = ""] of text.matchAll(CALL)) {
    all++;
    const isOfFile = rest.slice(0, rest.indexOf(">")).endsWith(file);
    if (name === "execve") execs++;
    else if (isOfFile && /^(pwrite64|writev?)$/.test(name)) writes++;
    else if (isOfFile && /^f(data)?sync$/.test(name)) syncs++;
    const child = /^(clone3?|v?fork)$/.test(name) ? CHILD.exec(rest)?.[1] : undefined;
    if (child !== undefined) (rest.includes("CLONE_THREAD") ? threads : children).push(child);
  }
  return { threads, children, all, forks: children.length, execs, writes, syncs };
}

function sumOf(traces: readonly Calls[]): Calls {
  const of = (key: keyof Calls) => traces.reduce((sum, calls) => sum + calls[key], 0);
  return { all: of("all"), forks: of("forks"), execs: of("execs"), writes: of("writes"), syncs: of("syncs") };
}
