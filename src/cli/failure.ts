/**
 * What is printed of a command that failed: one line that says what, where, and what to do next.
 *
 * @module
 */

import { CmsError, NotFoundError, STATUS_OF } from "../errors.ts";
import { experimentDirectory } from "../operations/refs.ts";
import { listNames } from "../store/paths.ts";
import type { Context } from "./context.ts";

/** Most queues or clusters that are named where one does not exist. */
const MOST_NAMES = 10;

/**
 * A person's mistake is one line; anything else is a fault of the program, and its stack is for whoever mends it.
 * @returns The exit status.
 */
export async function printError(context: Context, error: unknown): Promise<number> {
  const { lines, io, deps } = context;
  const debug = (deps.environment.get("CMS_DEBUG") ?? "") !== "";
  if (debug && error instanceof Error) io.err(`${error.stack ?? error.message}\n`);
  if (error instanceof CmsError) {
    lines.error(error.message + await hintOf(context, error));
    return STATUS_OF[error.code].exit;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  lines.error(`Fault in the program: ${text}${debug ? "" : " (CMS_DEBUG=1 shows the stack)"}`);
  return 1;
}

/**
 * One line of what commander says in two, and a hint at quotes where a command's second word is what it complains of.
 */
export function usageText(text: string, args: readonly string[]): string {
  const line = text.replace(/^error: /, "").trim().split("\n").map((one) => one.trim()).join(" ").replace(/\.$/, "");
  const blamed = /^unknown option '(.*?)'/i.exec(line)?.[1] ?? /^too many arguments.*, ([^,]*)$/i.exec(line)?.[1];
  return line.charAt(0).toUpperCase() + line.slice(1) + (blamed === undefined ? "" : quotesHint(args, blamed));
}

/**
 * A command with blanks that lacks quotes reaches the program as several words: the first is the value, the second is
 * taken for the queue, for one word too many or for an option.
 */
function quotesHint(args: readonly string[], blamed: string): string {
  const at = args.indexOf(blamed);
  const begun = args[at - 1]?.startsWith("--command=") ? at - 1 : args[at - 2] === "--command" ? at - 2 : -1;
  if (begun < 0) return "";
  const words = args.slice(begun, at).join("=").slice("--command=".length);
  return `; a command with blanks needs quotes: --command='${words} ${blamed}'`;
}

/** What follows the message where a queue or cluster does not exist. */
async function hintOf({ deps, args }: Context, error: CmsError): Promise<string> {
  if (!(error instanceof NotFoundError) || (error.what !== "queue" && error.what !== "cluster")) return "";
  const { what, missing: path } = error;
  const name = path.slice(path.lastIndexOf("/") + 1, -`-${what}.yaml`.length);
  const quotes = quotesHint(args, name);
  if (quotes !== "") return quotes;
  const experiment = path.slice(0, path.lastIndexOf("/")).replace(/^\.\//, "");
  if (what === "queue" && await hasJournal(deps, experimentDirectory(deps, experiment), name)) {
    return `; its journal is still there: get the file back from a back-up (cms queue check ${name}${
      optionOf(experiment)
    })`;
  }
  const names = await listNames(deps, experimentDirectory(deps, experiment), what).catch(() => []);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const there = names.length === 0
    ? `there is no ${what} in ${experiment}`
    : `there ${names.length === 1 ? "is" : "are"} ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
  return `; ${there}; to make it: cms ${what} create ${name}${optionOf(experiment)}`;
}

function optionOf(experiment: string): string {
  return experiment === "experiment" ? "" : ` --experiment=${experiment}`;
}

/** True if the file was removed, and not all of the queue: `create` would drop what the journal has. */
async function hasJournal(deps: Context["deps"], directory: string, name: string): Promise<boolean> {
  return await deps.files.stamp(`${directory}/.${name}-queue.journal`).catch(() => null) !== null;
}
