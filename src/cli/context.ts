/**
 * What every command is given, and the beginnings that commands share.
 *
 * @module
 */

import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import type { Deps } from "../deps.ts";
import { clusterRef, queueRef } from "../operations/refs.ts";
import type { StoreRef } from "../store/store.ts";
import type { Terminal } from "./io.ts";
import { pickName, unquote } from "./names.ts";
import type { Lines } from "./output/lines.ts";

/** What a command works with. It sets `status` where it is not 0; errors are thrown. */
export interface Context {
  readonly deps: Deps;
  readonly io: Terminal;
  readonly lines: Lines;
  /** All arguments of the program. */
  readonly args: readonly string[];
  /** Exit status of the program. */
  status: number;
}

/** Words of every queue command. */
export type QueueWords = { queue?: string; experiment?: string };

/** Words of every cluster command. */
export type ClusterWords = { cluster?: string; experiment?: string };

/** A queue command with its name in all forms; options and the action are added to it. */
export type QueueVerb = Command<[string | undefined], QueueWords, OptionValues>;
/** A cluster command with its name in all forms. */
export type ClusterVerb = Command<[string | undefined], ClusterWords, OptionValues>;

/** Begins a command of `cms queue`. */
export function queueVerb(parent: CommandUnknownOpts, verb: string, description: string): QueueVerb {
  return parent.command(verb).description(description)
    .argument("[queue]", "name of the queue, also queue=NAME (default: default)", (word: string) => unquote(word))
    .option("--queue <name>", "name of the queue", (word: string) => unquote(word))
    .option("--experiment <dir>", "directory of the queue (default: experiment)", (word: string) => unquote(word));
}

/** Begins a command of `cms cluster`. */
export function clusterVerb(parent: CommandUnknownOpts, verb: string, description: string): ClusterVerb {
  return parent.command(verb).description(description)
    .argument("[cluster]", "name of the cluster, also cluster=NAME (default: default)", (word: string) => unquote(word))
    .option("--cluster <name>", "name of the cluster", (word: string) => unquote(word))
    .option("--experiment <dir>", "directory of the cluster (default: experiment)", (word: string) => unquote(word));
}

/** The queue that a command's words name. @throws {CmsError} If they name two, or one that cannot be. */
export function queueOf(context: Context, word: string | undefined, words: QueueWords): StoreRef {
  return queueRef(context.deps, { queue: pickName("queue", word, words.queue), experiment: words.experiment });
}

/** The cluster that a command's words name. @throws {CmsError} If they name two, or one that cannot be. */
export function clusterOf(context: Context, word: string | undefined, words: ClusterWords): StoreRef {
  return clusterRef(context.deps, {
    cluster: pickName("cluster", word, words.cluster),
    experiment: words.experiment,
  });
}

/** The section that ends each command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
