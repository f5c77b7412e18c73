/**
 * The options of `cms cluster add` for entries of Slurm.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { SLURM_WORDS } from "../../cluster/slurm_words.ts";
import { unquote } from "../names.ts";

/** Adds the options to a command. */
export function addSlurmOptions(command: CommandUnknownOpts): void {
  for (const { key, value, text } of SLURM_WORDS) {
    command.option(`--${key.replaceAll("_", "-")} <${value}>`, text, (given: string) => unquote(given));
  }
}

/** What was given for them; undefined where nothing was. */
export function slurmFieldsOf(options: Readonly<Record<string, unknown>>): Record<string, string> | undefined {
  const fields = SLURM_WORDS.flatMap(({ key }) => {
    const value = options[key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof value === "string" ? [[key, value] as const] : [];
  });
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
