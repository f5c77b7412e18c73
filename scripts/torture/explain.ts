/**
 * All that is known of one job, for the reader of a finding.
 *
 * @module
 */

import { readText } from "../../testing/harness_faults.ts";
import { blocksOf } from "./queue_text.ts";
import type { World } from "./world.ts";

/** Tells the record, the claims and the log of a job on each host, its part of the file, and what was done to it. */
export function explain(world: World, name: string): void {
  const { hosts, journal, manager, round } = world;
  const lines: string[] = [];
  for (const host of hosts) {
    const directories = directoriesOf(`${host.home}/experiment`, name);
    const files = [
      `${host.home}/${round.records}/${host.name}/${name}`,
      ...directories.flatMap((directory) => [`${directory}/${name}.log`, ...claimsOf(directory, name)]),
    ];
    for (const file of files) {
      const text = readText(file).trim().replaceAll(/\n(B .*\n)+/g, "\n...\n");
      if (text !== "") {
        lines.push(
          `${host.name}:${file.slice(host.home.length)}`,
          ...text.split("\n").map((line) => `  ${line}`),
        );
      }
    }
  }
  const block = blocksOf(readText(manager.path(`${round.queue}-queue.yaml`))).get(name)?.text ?? "";
  lines.push(
    ...block.split("\n").filter((line) =>
      /^ {2}(id|status|host|attempt|exit_code|started|ended|boot|slot|note):/.test(line)
    ),
  );
  for (const deed of journal.deeds) {
    if (!deed.names.includes(name)) continue;
    lines.push(`${deed.type} ${deed.done ? "done" : "not done"} ${deed.fromMs / 1000}-${deed.toMs / 1000}`);
  }
  for (const [i, text] of round.keeper.texts.entries()) {
    const said = text.split("\n").filter((line) => line.includes(name) && !line.startsWith("INFO: Running Jobs"));
    for (const line of said) lines.push(`run ${i + 1}: ${line.slice(0, 200)}`);
  }
  for (const { type, host, atMs } of journal.troubles) lines.push(`${type} ${host} ${atMs / 1000}`);
  journal.tell(`all about ${name}\n${lines.map((line) => `          ${line}`).join("\n")}`);
}

/** Those of all queues. */
function directoriesOf(experiment: string, name: string): string[] {
  return [...Deno.readDirSync(experiment)].map((entry) => entry.name)
    .filter((entry) => entry === name || entry.startsWith(`${name}.`)).map((entry) => `${experiment}/${entry}`);
}

function claimsOf(directory: string, name: string): string[] {
  try {
    return [...Deno.readDirSync(directory)]
      .filter((entry) => entry.name.startsWith(`${name}.run`))
      .map((entry) => `${directory}/${entry.name}`).sort();
  } catch {
    return [];
  }
}
