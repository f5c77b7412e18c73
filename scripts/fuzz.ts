/**
 * `deno task fuzz [--requests=20000] [--seed=N]`: requests made from the OpenAPI document against the executable. Fails
 * if one is answered with 500 or not at all, or takes longer than docs/service.md says.
 *
 * @module
 */

import { fuzzService } from "../testing/service/fuzzing.ts";

/** On a machine that does nothing else, one after the other: who waits for others takes their time. */
const PER_MB_MS = 1_000;

const said = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
if (Deno.args.some((arg) => !/^--(requests|seed)=[0-9]+$/.test(arg))) {
  said("Usage: deno task fuzz [--requests=20000] [--seed=N]");
  Deno.exit(Deno.args.includes("--help") ? 0 : 2);
}
const option = (name: string, fallback: number): number =>
  Number(Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.split("=")[1] ?? fallback);
const count = option("requests", 20_000);
const seed = option("seed", 1);
const startMs = performance.now();
const { statuses, faults: found, slowest, slowestPerMb } = await fuzzService({
  count,
  seed,
  atOnce: 1,
  tell: (sent) => sent % 1000 === 0 && Deno.stderr.writeSync(new TextEncoder().encode(`${sent} sent\n`)),
});
const faults = [...found];
said(`${count} requests, seed ${seed}, ${Math.round((performance.now() - startMs) / 1000)} s`);
said(`replies: ${[...statuses].sort(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`).join(", ")}`);
said(`slowest: ${Math.round(slowest.ms)} ms, ${slowest.request}`);
said(`slowest for each MB: ${Math.round(slowestPerMb.ms)} ms, ${slowestPerMb.request}`);
if (slowestPerMb.ms > PER_MB_MS) faults.push(`more than ${PER_MB_MS} ms for a MB`);
for (const fault of faults.slice(0, 20)) said(`FAULT ${fault}`);
if (faults.length > 0) Deno.exit(1);
