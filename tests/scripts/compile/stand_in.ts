/**
 * A stand-in for the program: shows what the launcher gives to it.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { restoreKeptEnvironment } from "../../../src/cli/restore_env.ts";

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

/** Environment as a child process sees it, which is what the launcher must not spoil. */
async function childEnvironment(): Promise<Record<string, string>> {
  const { stdout } = await new Deno.Command("/usr/bin/env", { args: ["-0"] }).output();
  const pairs = new TextDecoder().decode(stdout).split("\0").filter((pair) => pair !== "");
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** Turns of a loop that is never idle until a connection is made and taken: the most of some. */
async function turnsUntilTaken(): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  turn();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let most = 0;
  for (let i = 0; i < 8; i++) {
    const before = turns;
    using _client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    using _taken = await listener.accept();
    most = Math.max(most, turns - before);
  }
  isOver = true;
  return most;
}

restoreKeptEnvironment(Deno.env);
const [verb, ...args] = Deno.args;
if (verb === "--version") await say("cms 0.0.0");
else if (verb === "exit") Deno.exitCode = Number(args[0]);
else if (verb === "turns") await say(String(await turnsUntilTaken()));
else if (verb === "cat") await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
else if (verb === "wait") {
  await say(`waiting ${Deno.pid}`);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
} else await say(JSON.stringify({ args: Deno.args, runtime: Deno.execPath(), child: await childEnvironment() }));
