/**
 * Servers for benches.
 *
 * @module
 */

/** Starts a server, which is ended with the bench. @returns Its process, and its port, as its first line tells. */
export async function startServer(
  [command = "", ...args]: readonly string[],
  cwd: string,
  stack: AsyncDisposableStack,
  env: Readonly<Record<string, string>> = {},
): Promise<{ pid: number; port: number }> {
  const child = new Deno.Command(command, { args, cwd, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  stack.defer(async () => {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await child.status;
  });
  const noise = new Response(child.stderr).text();
  let said = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    const port = /Listening on \S+:(\d+),/.exec(said)?.[1];
    if (port !== undefined) return { pid: child.pid, port: Number(port) };
  }
  throw new Error(`Cannot start ${command}: it ended: ${said}${(await noise).trim().slice(-500)}`);
}
