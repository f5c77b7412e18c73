/**
 * What the words of a call say before there is a grammar: a command that it answers needs nothing else to be loaded.
 *
 * @module
 */

/** Arguments of a program that may be called by a group's name: `queue list` is `cms queue list`. */
export function withCalledName(calledAs: string, args: readonly string[]): string[] {
  return calledAs === "queue" || calledAs === "cluster" ? [calledAs, ...args] : [...args];
}

/** True if nothing but the version is asked for. */
export function asksVersion(words: readonly string[]): boolean {
  return words.length === 1 && (words[0] === "--version" || words[0] === "-V");
}

/** True if the jobs of a queue are to be listed: the grammar of that verb is enough. */
export function asksList([group, verb]: readonly string[]): boolean {
  return group === "queue" && (verb === "list" || verb === "info");
}
