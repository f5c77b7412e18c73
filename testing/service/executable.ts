/**
 * The service in the executable that is shipped, with its flags: a process to send raw requests to and to look at.
 *
 * @module
 */

import { compiledCms } from "../compiled.ts";
import { waitUntil } from "../wait.ts";
import { RIGHT } from "./service.ts";

/** How long a reply may take. */
export const LIMIT_MS = 30_000;

/** How a request differs from a plain one. */
export interface Asking {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** How long its reply may take. */
  readonly limitMs?: number;
}

/** A service that listens. */
export interface Executable {
  readonly pid: number;
  readonly port: number;
  readonly directory: string;
  /** What it has printed so far. */
  text(): string;
  /** Sends a request on a connection of its own; the right credentials go along. */
  ask(line: string, options?: Asking): Promise<Response>;
  /** A connection on which this has been sent. */
  send(text: string | Uint8Array): Promise<Deno.TcpConn>;
  /** Resident memory, in MB. */
  memory(): number;
  /** Open files. */
  files(): number;
}

/**
 * Calls `use` with a service of a fresh directory, which is removed at the end.
 * @param options `before`: what a shell does before it becomes `cms`; `words`: further words of the command.
 */
export async function withExecutable(
  use: (service: Executable) => Promise<void>,
  options: { readonly before?: string; readonly words?: readonly string[] } = {},
): Promise<void> {
  const { before = ":", words = [] } = options;
  const program = await compiledCms();
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cms-executable-" }));
  await Deno.writeTextFile(`${directory}/credentials`, "pi:red berry\n", { mode: 0o600 });
  const start = ["queue", "--service", "start", "--port=0", "--credentials=credentials", "--log=none", ...words];
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `${before}; exec "$@"`, "sh", program, ...start],
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
  const open: Deno.Conn[] = [];
  try {
    const listening = () => `the service to listen: ${printed}`;
    const port = Number(
      (await waitUntil(listening, () => /Listening on \S+:(\d+),/.exec(printed), { limitMs: 60_000 }))![1],
    );
    await use({
      pid: child.pid,
      port,
      directory,
      text: () => printed,
      async ask(line, { headers = {}, body, limitMs = LIMIT_MS } = {}) {
        const [method = "", target = ""] = line.split(" ");
        const reply = await fetch(`http://127.0.0.1:${port}${target}`, {
          method,
          headers: { authorization: RIGHT, connection: "close", ...headers },
          ...(body === undefined ? {} : { body }),
          signal: AbortSignal.timeout(limitMs),
        });
        return new Response(await reply.arrayBuffer(), { status: reply.status, headers: reply.headers });
      },
      async send(text) {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        open.push(connection);
        const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
        return connection;
      },
      memory: () => Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${child.pid}/status`))![1]) / 1024,
      files: () => [...Deno.readDirSync(`/proc/${child.pid}/fd`)].length,
    });
  } finally {
    for (const connection of open) close(connection);
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await child.status;
    await gathered;
    await Deno.remove(directory, { recursive: true });
  }
}

/** Closes a connection that may be closed. */
export function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch { /* it is */ }
}

/** All that comes on a connection up to its end, or up to what `enough` accepts. */
export async function receive(
  connection: Deno.Conn,
  enough: (text: string) => boolean = () => false,
  limitMs: number = LIMIT_MS,
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  const limit = setTimeout(() => close(connection), limitMs);
  try {
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
      if (enough(text)) break;
    }
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) throw new Error(`No end of the answer; so far: ${text}`);
    // Cut off, which is an end too.
  } finally {
    clearTimeout(limit);
  }
  return text;
}
