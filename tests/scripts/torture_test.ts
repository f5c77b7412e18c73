/**
 * A short fault campaign on real hosts, as `deno task torture` makes long ones, with the same seeds each time.
 */

import assert from "node:assert/strict";
import { campaign } from "../../scripts/torture/campaign.ts";
import { renderReport } from "../../scripts/torture/report.ts";
import { whyNoHosts } from "../../testing/hosts.ts";
import { needTest } from "../../testing/need.ts";
import { SEED } from "../../testing/property.ts";

const whyNot = await whyNoHosts();

for (const seed of [SEED, SEED + 1]) {
  const repeat = `deno task torture --seed=${seed} --minutes=0.15 --jobs=30`;
  needTest(
    `a queue while everything around it breaks: nothing lost, doubled or told wrongly (${repeat})`,
    whyNot,
    async () => {
      const lines: string[] = [];
      const options = {
        seed,
        minutes: 0.15,
        hosts: 4,
        jobs: 30,
        only: [],
        sharedHome: false,
        readers: 0,
        tries: false,
        keep: false,
        service: false,
        large: false,
        slurm: false,
      };
      const parts = { say: (line: string) => void lines.push(line), stop: new AbortController().signal };
      let result = await campaign(options, parts);
      // On a machine that is busy with other things the time may be over before much could happen.
      for (let more = 0; more < 4 && result.journal.outcomes.size < 4; more++) {
        options.minutes *= 2;
        result = await campaign(options, parts);
      }
      const story = `${repeat}\n${lines.join("\n")}\n${renderReport(result)}`;
      assert.deepEqual(result.journal.findings, [], story);
      // That it was a campaign at all: jobs ran, several kinds of things happened, and all was looked at.
      assert.ok(result.starts >= 20, story);
      assert.ok(result.journal.outcomes.size >= 4, story);
      for (const invariant of ["lost", "doubled", "state", "slots", "files"] as const) {
        assert.ok(result.looked[invariant] > 0, `${invariant} was not looked at: ${story}`);
      }
    },
  );
}
