/**
 * The options of a job that a person may give: one line for each makes the word of `queue add`, its completion, the
 * field of the REST operations, and the text of both. What can be given, and how it is read, says `options.ts`. Data
 * only.
 *
 * @module
 */

import type { OptionName } from "./options.ts";

/**
 * What a word takes. `text`: one value. `list`: a list; given several times, the lists are joined. `map`: `NAME=VALUE`,
 * any number of times. `paths`: texts, one each time. `flag`: nothing; it is set or not. `variables`: a map; a command
 * takes `NAME` alone, too.
 */
export type WordKind = "text" | "list" | "map" | "paths" | "flag" | "variables";

/** One option as a person gives it. */
export interface OptionWord {
  readonly field: OptionName;
  /** As the help has it: `--retries <number>`. */
  readonly flag: string;
  readonly kind: WordKind;
  readonly help: string;
  /** A value as a request has it. */
  readonly example: string | number | boolean | readonly string[] | Readonly<Record<string, string>>;
}

/** All that can be given, in the order of the help. */
export const OPTION_WORDS: readonly OptionWord[] = [
  {
    field: "time_limit",
    flag: "--time-limit <duration>",
    kind: "text",
    help: "how long it may run, kept by its host; then it is killed",
    example: "30m",
  },
  {
    field: "grace",
    flag: "--grace <duration>",
    kind: "text",
    help: "pause between TERM and KILL at its time limit (default: 10s)",
    example: "10s",
  },
  {
    field: "retries",
    flag: "--retries <number>",
    kind: "text",
    help: "further tries of a job that failed",
    example: 3,
  },
  {
    field: "retry_delay",
    flag: "--retry-delay <duration>",
    kind: "text",
    help: "pause before the first of them; doubles each time, up to 30m (default: 10s)",
    example: "10s",
  },
  {
    field: "retry_on",
    flag: "--retry-on <causes>",
    kind: "list",
    help: "what is tried again: exit, crash, start, time_limit, lost, and exit codes (default: exit,crash,start)",
    example: ["exit", "crash"],
  },
  {
    field: "after",
    flag: "--after <names>",
    kind: "list",
    help: "jobs that must have ended well before it starts, such as prep[1-3]",
    example: ["prep1"],
  },
  {
    field: "after_any",
    flag: "--after-any <names>",
    kind: "list",
    help: "jobs that must be over before it starts, however they ended",
    example: ["prep1"],
  },
  {
    field: "after_notok",
    flag: "--after-notok <names>",
    kind: "list",
    help: "jobs that must be over and failed before it starts",
    example: ["prep1"],
  },
  {
    field: "priority",
    flag: "--priority <number>",
    kind: "text",
    help: "higher starts first (default: 0)",
    example: 5,
  },
  { field: "hold", flag: "--hold", kind: "flag", help: "do not start it until queue release", example: true },
  {
    field: "env",
    flag: "--env <name=value>",
    kind: "variables",
    help: "a variable of its environment; NAME alone takes its value here; repeatable",
    example: { MODE: "fast" },
  },
  {
    field: "workdir",
    flag: "--workdir <dir>",
    kind: "text",
    help: "directory on the host in which it starts, made if missing; a relative one is below the home directory",
    example: "project",
  },
  {
    field: "send",
    flag: "--send <path>",
    kind: "paths",
    help:
      "a file or directory here that is in its directory or workdir when it starts; of DIR/./a/b as a/b; repeatable",
    example: ["data/table.csv"],
  },
  {
    field: "fetch",
    flag: "--fetch <patterns>",
    kind: "list",
    help: "files that queue fetch brings, such as *.csv or out/, below its directory or workdir",
    example: ["*.csv"],
  },
  {
    field: "gpus",
    flag: "--gpus <number>",
    kind: "text",
    help: "GPUs that it needs and is given, or a part of one such as 0.5",
    example: 1,
  },
  { field: "cpus", flag: "--cpus <number>", kind: "text", help: "CPUs that it needs", example: 4 },
  { field: "memory", flag: "--memory <size>", kind: "text", help: "memory that it needs, such as 8G", example: "8G" },
  { field: "slots", flag: "--slots <number>", kind: "text", help: "slots that it takes (default: 1)", example: 2 },
  {
    field: "tags",
    flag: "--tags <name=value>",
    kind: "map",
    help: "a tag, by which jobs are chosen (--where=tag.NAME=VALUE); repeatable",
    example: { night: "3" },
  },
];

/** True if a word takes names with values. */
export function isMapKind(kind: WordKind): boolean {
  return kind === "map" || kind === "variables";
}

/** The fields that can be given. */
export const OPTION_FIELDS: readonly OptionName[] = OPTION_WORDS.map(({ field }) => field);

/** What a person gives: the value of each field as it came, to be read by `readOption`. Undefined: not given. */
export type GivenOptions = { readonly [N in OptionName]?: unknown };

/** The flag of a word without its value: `--retries`. */
export function flagOf({ flag }: OptionWord): string {
  return flag.split(" ")[0]!;
}
