/**
 * The real {@link Deps}, for Linux and macOS: with `files_real.ts`, `serve_real.ts` and `main.ts` the only place that
 * names `Deno.*` effects. Making them starts nothing: no timer, no file, no process.
 *
 * @module
 */

import type { Child, Clock, Deps, Environment, Post, Processes, Serve } from "./deps.ts";
import { codeOf, plainReason } from "./system_errors.ts";
import { files, randomHex } from "./files_real.ts";
import { sessionCommand } from "./session_real.ts";

// setTimeout takes 31 bits; a longer wait is made of several.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

// The system sets its clock by steps, after a start or a sleep; a wait must not become an hour longer by that.
const BEGAN_MS = Date.now() - performance.now();
const now = (): number => BEGAN_MS + performance.now();

const clock: Clock = {
  now,
  epochMs: () => Date.now(),
  sleepUntil(atMs, signal) {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const wait = () => {
        const leftMs = atMs - now();
        if (leftMs <= 0 || signal?.aborted) done();
        else timer = setTimeout(wait, Math.min(leftMs, LONGEST_TIMER_MS));
      };
      signal?.addEventListener("abort", done, { once: true });
      wait();
    });
  },
};

/** Its three pipes and what waits for its end. */
const FILES_OF_CHILD = 4;

/** @throws {Error} If this process may not open so many more files. */
function tryFiles(count: number): void {
  const opened: Deno.FsFile[] = [];
  try {
    for (let i = 0; i < count; i++) opened.push(Deno.openSync("."));
  } catch (error) {
    if (["EMFILE", "ENFILE"].includes(codeOf(error))) throw error;
  } finally {
    for (const file of opened) file.close();
  }
}

const processes: Processes = {
  spawn(command, { spare = 0, ...options } = {}): Child {
    const [program] = command;
    if (program === undefined) throw new RangeError("Cannot start a program: its name is missing");
    try {
      if (spare > 0) tryFiles(spare + FILES_OF_CHILD);
      const inSession = sessionCommand(command, options.env?.["PATH"]);
      const [first = program, ...args] = inSession ?? command;
      const child = new Deno.Command(first, {
        args,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        detached: inSession === null,
        ...options,
      }).spawn();
      return {
        pid: child.pid,
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        ended: child.status.then(({ code, signal }) => ({ code, signal })),
        kill(signal) {
          try {
            child.kill(signal);
          } catch { /* it has ended */ }
        },
        unref: () => child.unref(),
      };
    } catch (cause) {
      const why = codeOf(cause) === "ENOENT"
        ? "no such program"
        : cause instanceof Error
        ? plainReason(cause)
        : String(cause);
      throw Object.assign(new Error(`Cannot start ${program}: ${why}`, { cause }), { code: codeOf(cause) });
    }
  },
};

const environment: Environment = {
  get: (name) => Deno.env.get(name),
  cwd: () => Deno.cwd(),
  user: () => Deno.env.get("USER") || Deno.env.get("LOGNAME") || nameOfUid(),
  hostname: () => Deno.hostname(),
  pid: Deno.pid,
  get self() {
    return selfCommand();
  },
};

/** The name of the user by the system's list; `""` where that cannot be read, or has none. cron sets no USER. */
function nameOfUid(): string {
  try {
    const uid = String(Deno.uid());
    const users = Deno.readTextFileSync("/etc/passwd").split("\n").map((line) => line.split(":"));
    return users.find((fields) => fields[2] === uid)?.[0] ?? "";
  } catch {
    return "";
  }
}

/**
 * A file made by `deno compile` is the program; the launcher of the other kind names itself; else it is run from
 * source.
 */
function selfCommand(): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const launcher = Deno.env.get("CMS_SELF") ?? "";
  // A program run from source below another cms inherits that one's name.
  if (launcher !== "" && Deno.mainModule.endsWith("/main.mjs")) return [launcher];
  return [Deno.execPath(), "run", "-A", "--no-prompt", Deno.mainModule];
}

const serve: Serve = async (options, handler) => await (await import("./serve_real.ts")).serve(options, handler);

const post: Post = async (...args) => await (await import("./post_real.ts")).post(...args);

const servedFiles = async (root: string) => await (await import("./served_files_real.ts")).servedFiles(root);

/** The priority of a process that only looks, as `nice` counts it: three who look take as much as one who works. */
const LOOKING = 5;

const giveWay = async (): Promise<void> => {
  try {
    const { getPriority, setPriority } = await import("node:os");
    if (getPriority() < LOOKING) setPriority(LOOKING);
  } catch { /* Not everywhere: it looks all the same. */ }
};

/** The deps of the program itself. Tests and the simulation make their own. */
export function realDeps(): Deps {
  return { clock, files, ids: { hex: randomHex }, processes, environment, serve, post, servedFiles, giveWay };
}
