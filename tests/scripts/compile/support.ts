/**
 * For the tests of the executable: makes it once per test process from the stand-in, and starts it in surroundings that
 * a test chooses whole (nothing of this process's environment gets through).
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { makeExecutable } from "../../../scripts/compile/make.ts";

/** What a start of the executable left. */
export interface Launched {
  /** Exit status; 128 and more after a signal. */
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
  /** All it wrote there. */
  readonly stdout: string;
  /** All it wrote there. */
  readonly stderr: string;
}

/** Surroundings of a start. */
export interface LaunchOptions {
  /** The whole environment; PATH is /usr/bin:/bin unless given. */
  readonly env?: Record<string, string>;
  /** Working directory, `/` unless given. */
  readonly cwd?: string;
  /** Starts it as this user; needs root. */
  readonly uid?: number;
  /** Programs to start it with, such as `["bash"]`. */
  readonly with?: readonly string[];
}

/** What the stand-in prints. */
export interface Report {
  /** Arguments that reached the program. */
  readonly args: string[];
  /** The Deno that runs it. */
  readonly runtime: string;
  /** Environment of a process that it starts. */
  readonly child: Record<string, string>;
}

/** Why tests cannot take another user's place here, or null. */
export const NOT_ROOT = Deno.uid() === 0 ? null : "only root can start programs as another user";

let made: Promise<string> | undefined;

/**
 * The executable of the stand-in, made once per process; the system's temporary directory keeps it until the process
 * ends.
 */
export function standIn(): Promise<string> {
  made ??= (async () => {
    const directory = new TestDirectory();
    globalThis.addEventListener("unload", () => directory[Symbol.dispose]());
    await makeStandIn(`${directory.path}/cms`);
    return `${directory.path}/cms`;
  })();
  return made;
}

const WORK = fileURLToPath(new URL("../../../.deno/compile", import.meta.url));
const STAND_IN = fileURLToPath(new URL("./stand_in.ts", import.meta.url));
const STAND_IN_PARTS = ["main.mjs", "more.mjs"].map((name) => ({ name, entry: STAND_IN, without: [] }));

/** Makes the executable of the stand-in at `output`. */
export async function makeStandIn(output: string): Promise<void> {
  const options = { target: Deno.build.target, output, way: "self-extracting" } as const;
  await makeExecutable(options, { parts: STAND_IN_PARTS, work: WORK }, () => {});
}

/** A directory that is removed by `using`; open to every user, with a blank in its path. */
export class TestDirectory {
  /** Absolute path. */
  readonly path: string;

  constructor() {
    this.path = Deno.makeTempDirSync({ prefix: "cms compile " });
    Deno.chmodSync(this.path, 0o755);
  }

  /** A directory inside, made if missing and given to a user. */
  make(name: string, uid?: number): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path, { recursive: true });
    if (uid !== undefined) Deno.chownSync(path, uid, uid);
    return path;
  }

  /** Removes it with all in it. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Starts the executable without waiting for it. */
export function start(file: string, args: readonly string[], options: LaunchOptions = {}): Deno.ChildProcess {
  const { uid } = options;
  const user = uid === undefined ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  // `env -i` comes last, so that the helpers before it are found although the program's PATH may be empty.
  const given = Object.entries({ PATH: "/usr/bin:/bin", ...options.env }).map(([name, value]) => `${name}=${value}`);
  const command = [...user, "/usr/bin/env", "-i", ...given, ...(options.with ?? []), file, ...args];
  return new Deno.Command(command[0]!, {
    args: command.slice(1),
    cwd: options.cwd ?? "/",
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Starts the executable and waits for its end. */
export async function launch(file: string, args: readonly string[], options: LaunchOptions = {}): Promise<Launched> {
  return await ended(start(file, args, options));
}

/** Waits for the end of what `start` gave. */
export async function ended(child: Deno.ChildProcess): Promise<Launched> {
  const { code, signal, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, signal, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** The stand-in's report, or an error that shows what came instead. */
export async function report(file: string, args: readonly string[], options: LaunchOptions = {}): Promise<Report> {
  const result = await launch(file, args, options);
  if (result.code !== 0 || result.stderr !== "") throw new Error(`not a clean start: ${JSON.stringify(result)}`);
  return JSON.parse(result.stdout) as Report;
}

/** Paths below a directory, relative, sorted; without what Deno keeps in `state`. */
export function filesBelow(directory: string): string[] {
  const found: string[] = [];
  const walk = (path: string, prefix: string) => {
    for (const entry of Deno.readDirSync(path)) {
      if (entry.name === "state") continue;
      if (entry.isDirectory) walk(`${path}/${entry.name}`, `${prefix}${entry.name}/`);
      else found.push(prefix + entry.name);
    }
  };
  walk(directory, "");
  return found.sort();
}
