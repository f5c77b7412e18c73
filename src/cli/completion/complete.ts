/**
 * What may stand at the end of a command line: commands, options, and the names of queues, clusters, jobs and hosts.
 * Reads leniently: where something cannot be read, there is nothing to offer.
 *
 * @module
 */

import type { CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Deps } from "../../deps.ts";
import { findCommand } from "../help.ts";
import { unquote } from "../names.ts";
import { splitArguments } from "../queue/argument_sources.ts";
import { serviceArgs } from "../queue/service.ts";
import { type TypedLine, valuesOf } from "./values.ts";

/** Options of which a TAB completes the part behind the last comma. */
const LISTS = /^(?:name|id|hosts|status|after|after-any|after-notok|after-corr)$/;

/**
 * What may stand in place of the last word.
 * @param words The words after the program's name, the last being completed (it may be empty).
 * @returns Whole words that begin with the last one. A word that ends in `=` wants a value after it.
 */
export async function complete(program: CommandUnknownOpts, deps: Deps, words: readonly string[]): Promise<string[]> {
  const last = words.at(-1) ?? "";
  // Nobody knows the values behind `:::`.
  if (words[0] === "queue" && words[1] === "add" && splitArguments(words).sources.length > 1) return [];
  const before = serviceArgs(words.slice(words[0] === "help" ? 1 : 0, -1));
  const { command, path, rest } = findCommand(program, before);
  const [group = "", verb = ""] = path;
  const line: TypedLine = { group, verb, given: givenValues(command, group, rest) };
  const options = command.options.filter((option) => !option.hidden);

  const open = options.find((option) => takesValue(option) && isFlag(option, rest.at(-1) ?? ""));
  if (open !== undefined) return await values(deps, line, open, "", last);
  const split = /^(--[^=]+)=(.*)$/s.exec(last);
  if (split !== null) {
    const [, flag = "", value = ""] = split;
    const option = options.find((known) => isFlag(known, flag));
    return option === undefined ? [] : await values(deps, line, option, `${flag}=`, value);
  }
  const offered = last.startsWith("-")
    ? options.map((option) => takesValue(option) ? `${option.long}=` : option.long ?? "").concat("--help")
    : [...commandNames(command), ...await argumentWords(command, deps, line, last)];
  return [...new Set(offered)].filter((word) => word.startsWith(last)).sort();
}

function commandNames(command: CommandUnknownOpts): string[] {
  return command.commands.map((sub) => sub.name()).filter((name) => !name.startsWith("_"));
}

/** Words for the first argument, a queue's name also as `queue=NAME`; for a job behind it. */
async function argumentWords(
  command: CommandUnknownOpts,
  deps: Deps,
  line: TypedLine,
  last: string,
): Promise<string[]> {
  const [argument, second] = command.registeredArguments;
  if (argument === undefined) return [];
  if (line.given.has(line.group)) {
    return second?.name() === "job" && !line.given.has("job") ? [...await valuesOf(deps, line, "name")] : [];
  }
  if (argument.argChoices !== undefined) return [...argument.argChoices];
  const prefix = last.startsWith(`${line.group}=`) ? `${line.group}=` : "";
  return (await valuesOf(deps, line, line.group)).map((name) => prefix + name);
}

/** Values of an option, each as the whole word. In a list only the part after the last comma is completed. */
async function values(deps: Deps, line: TypedLine, option: Option, flag: string, begun: string): Promise<string[]> {
  const comma = LISTS.test(option.name()) ? begun.lastIndexOf(",") + 1 : 0;
  const head = begun.slice(0, comma);
  const offered = await valuesOf(deps, line, option.name());
  return offered.filter((value) => value.startsWith(begun.slice(comma))).map((value) => flag + head + value);
}

/** What the line says already. */
function givenValues(command: CommandUnknownOpts, group: string, words: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const [, flag = "", value] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const option = command.options.find((known) => isFlag(known, flag));
    if (option !== undefined && takesValue(option)) given.set(option.name(), unquote(value ?? words[++i] ?? ""));
    else if (flag === "" && given.has(group)) given.set("job", unquote(word));
    else if (flag === "") given.set(group, unquote(word.startsWith(`${group}=`) ? word.slice(group.length + 1) : word));
  }
  return given;
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function isFlag(option: Option, word: string): boolean {
  return word !== "" && (option.long === word || option.short === word);
}
