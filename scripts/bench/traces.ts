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
  const threads = new Map<string, string[]>();
  const children = new Map<string, string[]>();
  const begun = new Set<string>();
  const counts = new Map<string, Calls>();
  for (const [pid, text] of texts) {
    const [mine, forked, count] = [[] as string[], [] as string[], { all: 0, forks: 0, execs: 0, writes: 0, syncs: 0 }];
    for (const [, name = "", rest = ""] of text.matchAll(CALL)) {
      count.all++;
      const isOfFile = rest.slice(0, rest.indexOf(">")).endsWith(file);
      if (name === "execve") count.execs++;
      else if (/^(pwrite64|writev?)$/.test(name) && isOfFile) count.writes++;
      else if (/^f(data)?sync$/.test(name) && isOfFile) count.syncs++;
      if (!/^(clone3?|v?fork)$/.test(name)) continue;
      const child = CHILD.exec(rest)?.[1];
      if (child === undefined) continue;
      begun.add(child);
      if (rest.includes("CLONE_THREAD")) {
        mine.push(child);
        continue;
      }
      forked.push(child);
      count.forks++;
    }
    threads.set(pid, mine);
    children.set(pid, forked);
    counts.set(pid, count);
  }
  const root = [...texts.keys()].find((pid) => !begun.has(pid));
  if (root === undefined) throw new Error("Cannot tell which process is the first: the traces are not complete");
  const own = new Set([root]);
  for (const pid of own) threads.get(pid)?.forEach((thread) => own.add(thread));
  const sum = (pids: readonly string[]): Calls => {
    const of = (key: keyof Calls) => pids.reduce((all, pid) => all + (counts.get(pid)?.[key] ?? 0), 0);
    return { all: of("all"), forks: of("forks"), execs: of("execs"), writes: of("writes"), syncs: of("syncs") };
  };
  const next = new Set([...own].flatMap((pid) => children.get(pid) ?? []).filter((pid) => texts.has(pid)));
  const rest = [...texts.keys()].filter((pid) => !own.has(pid) && !next.has(pid));
  return { own: sum([...own]), children: sum([...next]), others: sum(rest) };
}
