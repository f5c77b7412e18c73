/**
 * What every command is given, and the beginnings that commands share.
 *
 * @module
 */

import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { experimentPath } from "../names/grammar.ts";
import { clusterRef, queueRef } from "../operations/refs.ts";
import type { StoreRef } from "../store/store.ts";
import type { Terminal } from "./io.ts";
import { pickName, unquote } from "./names.ts";
import { pathValue } from "./options.ts";
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
    .option("--experiment <dir>", "directory of the queue (default: experiment)", pathValue);
}

/** Begins a command of `cms cluster`. */
export function clusterVerb(parent: CommandUnknownOpts, verb: string, description: string): ClusterVerb {
  return parent.command(verb).description(description)
    .argument("[cluster]", "name of the cluster, also cluster=NAME (default: default)", (word: string) => unquote(word))
    .option("--cluster <name>", "name of the cluster", (word: string) => unquote(word))
    .option("--experiment <dir>", "directory of the cluster (default: experiment)", pathValue);
}

/** The queue that a command's words name. @throws {CmsError} If they name two, or one that cannot be. */
export function queueOf(context: Context, word: string | undefined, words: QueueWords): StoreRef {
  return queueRef(
    context.deps,
    fromPath(context.deps, "queue", pickName("queue", word, words.queue), words.experiment),
  );
}

/** The queue and the job of a command's words. Where `--queue` names the queue, one word alone is the job. */
export function queueAndJob(
  context: Context,
  word: string | undefined,
  job: string | undefined,
  words: QueueWords,
): { queue: StoreRef; job: string | undefined } {
  const isJob = words.queue !== undefined && job === undefined && word !== words.queue && !word?.startsWith("queue=");
  return isJob
    ? { queue: queueOf(context, undefined, words), job: word }
    : { queue: queueOf(context, word, words), job };
}

/** The cluster that a command's words name. @throws {CmsError} If they name two, or one that cannot be. */
export function clusterOf(context: Context, word: string | undefined, words: ClusterWords): StoreRef {
  const name = pickName("cluster", word, words.cluster);
  return clusterRef(context.deps, fromPath(context.deps, "cluster", name, words.experiment));
}

/** The cluster that `--hostfile` names; clusters are in the experiment of their queue. */
export function hostFileOf(context: Context, name: string, experiment: string): StoreRef {
  return clusterRef(context.deps, fromPath(context.deps, "cluster", name, experiment));
}

/** A path such as `runs/a-queue.yaml`, as a shell completes it, is the queue `a` of the experiment `runs`. */
function fromPath(
  { environment }: Deps,
  kind: "queue" | "cluster",
  given: string | undefined,
  experiment: string | undefined,
): { queue?: string | undefined; cluster?: string | undefined; experiment: string | undefined } {
  const end = given?.lastIndexOf("/") ?? -1;
  if (given === undefined || end < 0 || !given.endsWith(`-${kind}.yaml`)) return { [kind]: given, experiment };
  const here = `${environment.cwd()}/`;
  const path = given.slice(0, end) || "/";
  const directory = experimentPath(
    experiment?.startsWith("/") || !path.startsWith(here) ? path : path.slice(here.length),
  );
  // An experiment has the same path on hosts: an absolute one has to be meant, not to come from a shell's completion.
  if (directory.startsWith("/") && experiment === undefined) {
    throw new CmsError("usage", `Cannot use the path ${given}: give the ${kind}'s name, and --experiment=${directory}`);
  }
  if (experiment !== undefined && experimentPath(experiment) !== directory) {
    throw new CmsError("usage", `Cannot use ${kind} ${given}: it is not in the experiment ${experiment}`);
  }
  return { [kind]: given.slice(end + 1), experiment: directory };
}

/** The section that ends each command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
