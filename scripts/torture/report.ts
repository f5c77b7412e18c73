/**
 * What a campaign found, as two tables in the form of Markdown, so that they can stand in a document.
 *
 * @module
 */

import type { CampaignResult } from "./campaign.ts";
import { INVARIANTS } from "./deeds.ts";
import { FAULTS } from "./faults/all.ts";

/** The tables. */
export function renderReport({ journal, looked }: CampaignResult): string {
  const faults = [...FAULTS.map(({ name }) => name), "(runs)"].map((name) => {
    const outcomes = [...journal.outcomes.get(name) ?? []].sort(([, a], [, b]) => b - a);
    const times = name === "(runs)" ? "" : String(outcomes.reduce((sum, [, count]) => sum + count, 0));
    return [name, times, outcomes.map(([outcome, count]) => `${outcome}: ${count}`).join(", ")];
  });
  const invariants = Object.entries(INVARIANTS).map(([name, text]) => {
    const broken = journal.findings.filter(({ invariant }) => invariant === name).length;
    const count = looked[name as keyof typeof INVARIANTS];
    return [text, count === 0 ? "" : String(count), String(broken)];
  });
  return `${table(["what was done", "times", "what was seen"], faults)}\n\n${
    table(["invariant", "looked at", "broken"], invariants)
  }\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
