/**
 * `deno task torture`: runs queues on real test hosts while managers, links and hosts are killed, cut, stopped and
 * filled, and checks afterwards on the real files that nothing was lost, doubled or told wrongly. `--help` has the
 * options.
 *
 * The journal of what is done when goes to stderr, the tables to stdout. `docs/reliability.md` has the last long one.
 *
 * @module
 */

import { whyNoHosts } from "../testing/hosts.ts";
import { campaign } from "./torture/campaign.ts";
import { parseOptions, type TortureOptions, USAGE } from "./torture/options.ts";
import { renderReport } from "./torture/report.ts";
import { renderSlurm, tortureSlurm } from "./torture/slurm/campaign.ts";
import { soakLarge } from "./torture/service/large.ts";
import { soakService } from "./torture/service/soak.ts";
import { runScript, say, write } from "./script.ts";

async function main(): Promise<number> {
  const options = parseOptions(Deno.args, crypto.getRandomValues(new Uint32Array(1))[0]!);
  if (options === "help") {
    write(USAGE);
    return 0;
  }
  if (options.service) return await (options.large ? soakLarge : soakService)(options.minutes);
  if (options.slurm) return await onSlurm(options);
  const reason = await whyNoHosts();
  if (reason !== null) throw new Error(`Cannot torture: ${reason}`);
  const { seed, minutes, hosts, jobs } = options;
  const command = `deno task torture --seed=${seed} --minutes=${minutes} --hosts=${hosts} --jobs=${jobs}`;
  say(command);
  const result = await campaign(options, { say, stop: stopSignal() });
  const { journal, rounds, starts } = result;
  write(`${command}\n\n${renderReport(result)}\n`);
  write(`${rounds} rounds, ${starts} starts of jobs, ${journal.findings.length} invariants broken\n`);
  for (const { invariant, text } of journal.findings) write(`BROKEN (${invariant}): ${text}\n`);
  return journal.findings.length === 0 ? 0 : 1;
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
  return stop.signal;
}

async function onSlurm({ seed, minutes, jobs }: TortureOptions): Promise<number> {
  const command = `deno task torture --engine=slurm --seed=${seed} --minutes=${minutes} --jobs=${jobs}`;
  say(command);
  const result = await tortureSlurm({ seed, minutes, jobs }, { say, stop: stopSignal() });
  write(`${command}\n\n${renderSlurm(result)}\n`);
  return result.findings.length === 0 ? 0 : 1;
}

if (import.meta.main) await runScript(main);
