/**
 * The whole program as a function: arguments in, exit status out. The grammar's root; each verb has a file of its own and
 * loads what only it needs when it runs, so that a short command starts fast.
 *
 * @module
 */

import { Command, CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Deps } from "../deps.ts";
import { CmsError, STATUS_OF } from "../errors.ts";
import { VERSION } from "../version.ts";
import { addActivate } from "./cluster/activate.ts";
import { addAdd as addClusterAdd } from "./cluster/add.ts";
import { addCreate as addClusterCreate } from "./cluster/create.ts";
import { addDelete as addClusterDelete } from "./cluster/delete.ts";
import { addList as addClusterList } from "./cluster/list.ts";
import { addSet } from "./cluster/set.ts";
import { addCompletion } from "./completion/command.ts";
import { type Context, examples } from "./context.ts";
import { addHelp, findCommand } from "./help.ts";
import type { Terminal } from "./io.ts";
import { addOpenapi } from "./openapi.ts";
import { makeLines } from "./output/lines.ts";
import { addAdd } from "./queue/add.ts";
import { addCheck } from "./queue/check.ts";
import { addCreate } from "./queue/create.ts";
import { addDelete } from "./queue/delete.ts";
import { addList } from "./queue/list.ts";
import { addRefresh } from "./queue/refresh.ts";
import { addReset } from "./queue/reset.ts";
import { addRun } from "./queue/run.ts";
import { addService, serviceArgs } from "./queue/service.ts";

/**
 * Runs one command. All it prints has gone out when the promise resolves; it never rejects.
 * @param args Arguments after the program's name.
 * @returns The exit status: 0; 1 if jobs or hosts failed, or the program itself; 2 for usage, configuration and files.
 */
export async function cms(args: readonly string[], deps: Deps, io: Terminal): Promise<number> {
  const lines = makeLines(io, deps.environment);
  const context: Context = { deps, io, lines, args, status: 0 };
  const words = serviceArgs(args);
  let usageError = "";
  const program = makeProgram(context, words, (text) => usageError = text);
  try {
    await program.parseAsync(words, { from: "user" });
    return context.status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (usageError !== "") lines.error(`${usageError}; see: ${["cms help", ...path(program, words)].join(" ")}`);
      return STATUS_OF.usage.exit;
    }
    return printError(context, error);
  } finally {
    await io.flush();
  }
}

type AddVerb = (group: CommandUnknownOpts, context: Context) => void;
/** The verbs of a group in the order of its help, each with the names that it is called by. */
type Verbs = readonly (readonly [names: readonly string[], add: AddVerb])[];

const QUEUE_VERBS: Verbs = [
  [["create"], addCreate],
  [["list", "info"], addList],
  [["refresh"], addRefresh],
  [["check"], addCheck],
  [["add"], addAdd],
  [["delete"], addDelete],
  [["run"], addRun],
  [["reset"], addReset],
  [["service"], addService],
];
const CLUSTER_VERBS: Verbs = [
  [["create"], addClusterCreate],
  [["list", "info"], addClusterList],
  [["add"], addClusterAdd],
  [["delete"], addClusterDelete],
  [["activate", "deactivate"], addActivate],
  [["set"], addSet],
];

/**
 * Adds the verbs of a group. Where the words name a verb, all others are left out: making them takes a good part of a short
 * command's time.
 */
function addVerbs(group: CommandUnknownOpts, verbs: Verbs, words: readonly string[], context: Context): void {
  const [inGroup, name = ""] = words;
  const all = inGroup === "queue" ? QUEUE_VERBS : inGroup === "cluster" ? CLUSTER_VERBS : [];
  const called = all.find(([names]) => names.includes(name));
  for (const verb of verbs) if (called === undefined || verb === called) verb[1](group, context);
}

/** The grammar. @param onUsageError Is given the text of a usage error before it is thrown. */
function makeProgram(
  context: Context,
  words: readonly string[],
  onUsageError: (text: string) => void,
): CommandUnknownOpts {
  const { io } = context;
  const program = new Command("cms")
    .description("A job queue over plain ssh")
    .version(`cms ${VERSION}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => io.columns(),
      getErrHelpWidth: () => io.columns(),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text) => onUsageError(usageText(text)),
    })
    .addHelpText("after", examples("cms queue create a", "cms help queue add"));

  const queue = program.command("queue").description("queues of jobs").helpCommand(false)
    .enablePositionalOptions()
    .addHelpText("after", examples("cms queue create a", "cms queue add a --name=job[1-10] --command='sleep 10'"));
  addVerbs(queue, QUEUE_VERBS, words, context);

  const cluster = program.command("cluster").description("clusters of hosts").helpCommand(false)
    .enablePositionalOptions()
    .addHelpText("after", examples("cms cluster create a", "cms cluster add a --id=host1 --name=red --user=pi"));
  addVerbs(cluster, CLUSTER_VERBS, words, context);

  for (const group of [program, queue, cluster]) addHelp(group);
  addOpenapi(program, context);
  addCompletion(program, context);
  return program;
}

/** One line of what commander says in two. */
function usageText(text: string): string {
  const line = text.replace(/^error: /, "").trim().split("\n").map((one) => one.trim()).join(" ").replace(/\.$/, "");
  return line.charAt(0).toUpperCase() + line.slice(1);
}

/** Names of the command that the words lead to. */
function path(program: CommandUnknownOpts, words: readonly string[]): string[] {
  return findCommand(program, words).path;
}

/** A person's mistake is one line; anything else is a fault of the program, and its stack is for whoever mends it. */
function printError({ lines, io, deps }: Context, error: unknown): number {
  const debug = (deps.environment.get("CMS_DEBUG") ?? "") !== "";
  if (debug && error instanceof Error) io.err(`${error.stack ?? error.message}\n`);
  if (error instanceof CmsError) {
    lines.error(error.message);
    return STATUS_OF[error.code].exit;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  lines.error(`Fault in the program: ${text}${debug ? "" : " (CMS_DEBUG=1 shows the stack)"}`);
  return 1;
}
