/**
 * Transcripts: commands as a person types them after `$ `, each followed by what it prints. Typed one after the other,
 * each has to print exactly that.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Manager, StartOptions } from "../../testing/harness.ts";

/** One command and the lines it prints, stdout before stderr. */
export interface Step {
  readonly command: string;
  readonly lines: readonly string[];
}

/** Reads a transcript. Indentation common to all lines goes; blank lines around an output do not count. */
export function parseTranscript(text: string): Step[] {
  const lines = text.split("\n");
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  const steps: { command: string; lines: string[] }[] = [];
  for (const line of lines.map((line) => line.slice(indent))) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), lines: [] });
    else if (steps.length > 0) steps.at(-1)!.lines.push(line);
    else if (line.trim() !== "") throw new Error(`A transcript begins with a command, not with "${line}"`);
  }
  return steps.map(({ command, lines }) => ({ command, lines: trimBlank(lines) }));
}

/** Types a transcript; every command has to print what stands there, and to end with status 0 unless it says ERROR. */
export async function follow(manager: Manager, text: string, options: StartOptions = {}): Promise<void> {
  for (const { command, lines } of parseTranscript(text)) {
    const { code, stdout, stderr } = await manager.type(command, options);
    assert.deepEqual(printedLines(stdout + stderr), lines, `$ ${command}`);
    const fails = lines.some((line) => line.startsWith("ERROR: "));
    assert.equal(code, fails ? 2 : 0, `exit status of: ${command}`);
  }
}

/** The lines of an output without blank ones around it. */
export function printedLines(text: string): string[] {
  return trimBlank(text.split("\n"));
}

function trimBlank(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line !== "");
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex((line) => line !== "") + 1);
}
