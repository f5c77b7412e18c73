/**
 * The words of `queue add` for the options of a job, from their table.
 *
 * @module
 */

import type { Command, OptionValues } from "@commander-js/extra-typings";
import { flagOf, type GivenOptions, OPTION_WORDS, type WordKind } from "../../job/option_words.ts";
import { unquote } from "../names.ts";
import { listValue, pairValue, repeatedPathValue, variableValue } from "../options.ts";

const READERS: Readonly<Record<Exclude<WordKind, "flag">, (value: string, before: never) => unknown>> = {
  text: (value) => unquote(value),
  list: listValue,
  map: pairValue,
  paths: repeatedPathValue,
  variables: variableValue,
};

/** Adds all words. */
export function withOptionWords<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
): Command<A, O, G> {
  let all: Command<A, OptionValues, OptionValues> = command as never;
  for (const { flag, kind, help } of OPTION_WORDS) {
    all = (kind === "flag" ? all.option(flag, help) : all.option(flag, help, READERS[kind] as never)) as never;
  }
  return all as never;
}

/** Takes the options out of what the grammar gave. @returns Them, by field, and the rest. */
export function splitOptions<T extends object>(words: T): { options: GivenOptions; rest: T } {
  const rest = { ...words } as Record<string, unknown>;
  const options: Record<string, unknown> = {};
  for (const word of OPTION_WORDS) {
    const name = flagOf(word).slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (rest[name] !== undefined) options[word.field] = rest[name];
    delete rest[name];
  }
  return { options, rest: rest as T };
}
