/**
 * What holds for the options of every command: which may be given several times, which must be given, and what `~`
 * means in the path of a file of the manager.
 *
 * @module
 */

import { type CommandUnknownOpts, InvalidArgumentError, type Option } from "@commander-js/extra-typings";
import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { unquote } from "./names.ts";

/**
 * Reads the value of an option that takes a list. Given several times, the lists are joined: `--name=job{1,2}` is two
 * of them.
 */
export function listValue(value: string, before?: string): string {
  return before === undefined ? unquote(value) : `${before},${unquote(value)}`;
}

/** Reads the value of an option that may be given several times: all of them, in order. */
export function repeatedValue(value: string, before?: readonly string[]): string[] {
  return [...before ?? [], unquote(value)];
}

/** The same for paths of files of the manager. */
export function repeatedPathValue(value: string, before?: readonly string[]): string[] {
  return repeatedValue(value, before);
}

/** Reads `NAME=VALUE` of an option that may be given several times, each with a name of its own. */
export function pairValue(
  value: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const pair = unquote(value);
  const at = pair.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give NAME=VALUE.");
  const name = pair.slice(0, at);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice; give it once.`);
  return { ...before, [name]: pair.slice(at + 1) };
}

/** The same, of variables: `NAME` alone stands for the value here, which {@link withOwnValues} puts in. */
export function variableValue(
  value: string,
  before: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string | null>> {
  const pair = unquote(value);
  if (pair.includes("=")) return { ...before, ...pairValue(pair, before as Readonly<Record<string, string>>) };
  if (pair === "") throw new InvalidArgumentError("Give NAME=VALUE, or NAME.");
  if (Object.hasOwn(before, pair)) throw new InvalidArgumentError(`${pair} is given twice; give it once.`);
  return { ...before, [pair]: null };
}

/** Variables as {@link variableValue} reads them. */
export type GivenVariables = Readonly<Record<string, string | null>>;

/**
 * Takes the values that are missing out of the environment of the command. Whoever puts them into a file warns of it.
 * @param where Where they stand from then on, for the warning.
 * @throws {CmsError} `usage` if one is not set there.
 */
export function withOwnValues(
  given: GivenVariables,
  { environment, where }: { environment: Deps["environment"]; where: string },
): { values: Readonly<Record<string, string>>; warnings: string[] } {
  const own = Object.keys(given).filter((name) => given[name] === null);
  const values = Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const here = value ?? environment.get(name);
      if (here !== undefined) return [name, here];
      throw new CmsError("usage", `Cannot take ${name} from your environment: it is not set there; give ${name}=VALUE`);
    }),
  );
  const warning = `The value of ${own.join(", ")} stands in ${where} from now on, for all who may read it`;
  return { values, warnings: own.length > 0 ? [warning] : [] };
}

/** Readers of options that may be given several times. */
const REPEATABLE: ReadonlySet<unknown> = new Set<unknown>([
  listValue,
  pairValue,
  variableValue,
  repeatedValue,
  repeatedPathValue,
]);

/**
 * Reads the path of a file or directory of the manager. A shell leaves the `~` of `--experiment=~/x` to the program.
 */
export function pathValue(value: string): string {
  return unquote(value);
}

/**
 * Prepares all commands below this one. An option that takes no list is refused the second time. A missing option is
 * reported after all that is wrong with those that are there, so that a misspelt one is not taken for a missing one.
 */
export function prepareOptions(command: CommandUnknownOpts, environment: Deps["environment"]): void {
  const required = command.options.filter((option) => option.mandatory);
  for (const option of command.options) {
    if (option.parseArg !== undefined) option.parseArg = reader(option, environment);
    if (!option.mandatory) continue;
    option.mandatory = false;
    option.description += " (required)";
  }
  if (required.length > 0) {
    command.hook("preAction", () => {
      const missing = required.find((option) => command.getOptionValue(option.attributeName()) === undefined);
      if (missing !== undefined) command.error(`error: Required option '${missing.flags}' not specified`);
    });
  }
  for (const sub of command.commands) prepareOptions(sub, environment);
}

function reader(option: Option, environment: Deps["environment"]): NonNullable<Option["parseArg"]> {
  const read = option.parseArg as (value: string, before: unknown) => unknown;
  return (value: string, before: unknown): never => {
    if (before !== undefined && !REPEATABLE.has(read)) {
      throw new CmsError("usage", `Option ${option.long} is given twice; give it once`);
    }
    const given = read(value, before);
    return (read === pathValue ? withHome(String(given), environment) : given) as never;
  };
}

/** The path with the home directory in place of a `~` at its begin. */
function withHome(path: string, environment: Deps["environment"]): string {
  const home = environment.get("HOME") ?? "";
  return home !== "" && (path === "~" || path.startsWith("~/")) ? home + path.slice(1) : path;
}
