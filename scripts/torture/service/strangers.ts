/**
 * The process of strangers and careless or wicked users (`strangers.ts PORT MINUTES RIGHT DIRECTORY`): all troubles at
 * once, each again and again until the time is over. It is a process of its own, as what it does must not slow down who
 * measures. It prints in JSON how often it did what.
 *
 * @module
 */

import { turnstile } from "./sending.ts";
import { PER_SECOND, TROUBLES } from "./troubles.ts";

const [port = "", minutes = "", right = "", directory = ""] = Deno.args;
const stop = AbortSignal.timeout(Number(minutes) * 60_000);
const target = { port: Number(port), right, directory, stop };
const times: Record<string, number> = {};
await Promise.all(TROUBLES.map(async ({ name, once, perSecond = PER_SECOND }) => {
  const turn = turnstile(perSecond, stop);
  const from = name.startsWith("user:") ? "127.0.0.3" : "127.0.0.2";
  for (times[name] = 0; !stop.aborted; times[name]++) await once({ ...target, from, turn });
}));
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(times)));
Deno.exit();
