/**
 * `cms help queue run fifo`: help by the words of a command, at any depth.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../errors.ts";
import { examples } from "./context.ts";

/** Adds `help` to a group; the words after it are those of a command of the group. */
export function addHelp(group: CommandUnknownOpts): void {
  group.command("help").description("print the help of a command")
    .argument("[words...]", "the command, such as: queue run fifo")
    .addHelpText("after", examples("cms help queue add", "cms help cluster"))
    .action((words) => {
      const { command, rest } = findCommand(group, words);
      const [unknown] = rest;
      if (unknown !== undefined) {
        const known = command.commands.map((sub) => sub.name()).filter((name) => !name.startsWith("_"));
        throw new CmsError("usage", `Unknown command '${unknown}'; use one of ${known.join(", ") || "none"}`);
      }
      command.outputHelp();
    });
}

/**
 * Follows words into the grammar as far as they name commands.
 * @returns The command they lead to, the names on the way, and the words that are left.
 */
export function findCommand(
  from: CommandUnknownOpts,
  words: readonly string[],
): { command: CommandUnknownOpts; path: string[]; rest: readonly string[] } {
  let command = from;
  const path: string[] = [];
  for (const [i, word] of words.entries()) {
    const next = command.commands.find((sub) => sub.name() === word || sub.aliases().includes(word));
    if (next === undefined) return { command, path, rest: words.slice(i) };
    command = next;
    path.push(next.name());
  }
  return { command, path, rest: [] };
}
