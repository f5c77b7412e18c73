/**
 * The service as a user starts it: `cms queue --service start`, in a fresh directory with a queue `a` and a cluster `a`
 * of two hosts on localhost. What still runs at the end is stopped, and the directory removed.
 *
 * @module
 */

import { SELF } from "../run_place.ts";
import { waitUntil } from "../wait.ts";
import { RIGHT } from "./service.ts";

/** A service that listens. */
export interface Started {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The directory that is served. */
  readonly directory: string;
  /** What it has printed so far. */
  text(): string;
}

/**
 * Calls `use` with a service. @param options Further words of the command. @param self The words that start the
 * program.
 */
export async function withStarted(
  use: (service: Started) => Promise<void>,
  options: readonly string[] = [],
  self: readonly string[] = SELF,
): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cms-started-" }));
  await Deno.writeTextFile(`${directory}/credentials`, "pi:red berry\n", { mode: 0o600 });
  const [program = "", ...words] = self;
  const child = new Deno.Command(program, {
    args: [...words, "queue", "--service", "start", "--port=0", "--credentials=credentials", ...options],
    cwd: directory,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let printed = "";
  const gather = async (from: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of from.pipeThrough(new TextDecoderStream())) printed += text;
  };
  const gathered = Promise.all([gather(child.stdout), gather(child.stderr)]);
  try {
    const listening = () => `the service to listen: ${printed}`;
    const match = await waitUntil(listening, () => /Listening on (\S+),/.exec(printed), { limitMs: 60_000 });
    const url = match![1]!;
    await ask(url, "POST /queue/?name=a");
    await ask(url, "POST /cluster/?name=a");
    await ask(url, "POST /cluster/a?id=host[1-2]&name=localhost&user=me");
    try {
      await use({ pid: child.pid, url, directory, text: () => printed });
    } finally {
      await ask(url, "PUT /queue/a/stop").catch(() => {});
    }
  } finally {
    try {
      child.kill("SIGTERM");
    } catch { /* it has ended */ }
    await child.status;
    await gathered;
    await Deno.remove(directory, { recursive: true });
  }
}

async function ask(url: string, line: string): Promise<void> {
  const [method = "", target = ""] = line.split(" ");
  const reply = await fetch(url + target, { method, headers: { authorization: RIGHT } });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${line} answered ${reply.status}: ${text}`);
}
