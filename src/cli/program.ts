/**
 * The whole program as a function: arguments in, exit status out. The grammar's root; each verb has a file of its own
 * and loads what only it needs when it runs, so that a short command starts fast.
 *
 * @module
 */

import { Command, CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Deps } from "../deps.ts";
import { CmsError, STATUS_OF } from "../errors.ts";
import { VERSION } from "../version.ts";
import { addActivate } from "./cluster/activate.ts";
import { addAdd as addClusterAdd } from "./cluster/add.ts";
import { addClusterCheck } from "./cluster/check.ts";
import { addCreate as addClusterCreate } from "./cluster/create.ts";
import { addDelete as addClusterDelete } from "./cluster/delete.ts";
import { addDrain } from "./cluster/drain.ts";
import { addList as addClusterList } from "./cluster/list.ts";
import { addPush } from "./cluster/push.ts";
import { addSet } from "./cluster/set.ts";
import { addClusterStatus } from "./cluster/status.ts";
import { addCompletion } from "./completion/command.ts";
import { type Context, examples } from "./context.ts";
import { printError, usageText } from "./failure.ts";
import { addHelp, findCommand } from "./help.ts";
import type { Terminal } from "./io.ts";
import { addOpenapi } from "./openapi.ts";
import { prepareOptions } from "./options.ts";
import { makeLines } from "./output/lines.ts";
import { addAdd } from "./queue/add.ts";
import { splitArguments } from "./queue/argument_sources.ts";
import { addCheck } from "./queue/check.ts";
import { addCreate } from "./queue/create.ts";
import { addDelete } from "./queue/delete.ts";
import { addEdit } from "./queue/edit.ts";
import { addHold } from "./queue/hold.ts";
import { addHistory } from "./queue/history.ts";
import { addKill } from "./queue/kill.ts";
import { addList } from "./queue/list.ts";
import { addClean } from "./queue/clean.ts";
import { addFetch } from "./queue/fetch.ts";
import { addFollow, addLog } from "./queue/log.ts";
import { addMove } from "./queue/move.ts";
import { addPause, addResume } from "./queue/pause.ts";
import { addPlan } from "./queue/plan.ts";
import { addRefresh } from "./queue/refresh.ts";
import { addReset } from "./queue/reset.ts";
import { addRun } from "./queue/run.ts";
import { addQueueSet } from "./queue/set.ts";
import { addExplain, addShow } from "./queue/show.ts";
import { addStatus } from "./queue/status.ts";
import { addWait } from "./queue/wait.ts";
import { addStop } from "./queue/stop.ts";
import { addWatch } from "./queue/watch.ts";
import { addService, serviceArgs } from "./queue/service.ts";

/**
 * Runs one command. All it prints has gone out when the promise resolves; it never rejects.
 * @param args Arguments after the program's name.
 * @returns The exit status: 0; 1 if jobs or hosts failed, or the program itself; 2 for usage, configuration and files.
 */
export async function cms(args: readonly string[], deps: Deps, io: Terminal): Promise<number> {
  const lines = makeLines(io, deps.environment);
  const context: Context = { deps, io, lines, args, status: 0 };
  const words = wordsOf(args);
  let usageError = "";
  const program = makeProgram(context, words, (text) => usageError = text);
  try {
    refuseBrokenText(args);
    await program.parseAsync(words, { from: "user" });
    return context.status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (usageError !== "") lines.error(`${usageError}; see: ${["cms help", ...path(program, words)].join(" ")}`);
      return STATUS_OF.usage.exit;
    }
    return await printError(context, error);
  } finally {
    await io.flush();
  }
}

/**
 * The words in the order of the grammar: the document writes `queue --service start`, and a link named `queue` stands
 * before all else.
 */
function wordsOf(args: readonly string[]): string[] {
  if (args[0] === "help") return ["help", ...serviceArgs(args.slice(1))];
  if (args[1] === "__complete") return ["__complete", args[0]!, ...args.slice(2)];
  // What follows `:::` are values, whatever they look like.
  if (args[0] === "queue" && args[1] === "add") return [...splitArguments(args).words];
  return serviceArgs(args);
}

/** What is no UTF-8 arrives with U+FFFD in place of the bytes: stored, it would be another command than was given. */
function refuseBrokenText(args: readonly string[]): void {
  const broken = args.find((arg) => arg.includes("\ufffd") && args[0] !== "__complete");
  if (broken === undefined) return;
  throw new CmsError("usage", `Cannot use ${JSON.stringify(broken)}: it is not UTF-8 text (or holds U+FFFD)`);
}

type AddVerb = (group: CommandUnknownOpts, context: Context) => void;
/** The verbs of a group in the order of its help, each with the names that it is called by. */
type Verbs = readonly (readonly [names: readonly string[], add: AddVerb])[];

const QUEUE_VERBS: Verbs = [
  [["create"], addCreate],
  [["list", "info"], addList],
  [["refresh"], addRefresh],
  [["check"], addCheck],
  [["status"], addStatus],
  [["history"], addHistory],
  [["watch"], addWatch],
  [["plan"], addPlan],
  [["show"], addShow],
  [["explain"], addExplain],
  [["log"], addLog],
  [["follow"], addFollow],
  [["fetch"], addFetch],
  [["clean"], addClean],
  [["add"], addAdd],
  [["set"], addQueueSet],
  [["edit"], addEdit],
  [["move"], addMove],
  [["delete"], addDelete],
  [["run"], addRun],
  [["reset"], addReset],
  [["wait"], addWait],
  [["kill"], addKill],
  [["hold", "release"], addHold],
  [["pause"], addPause],
  [["resume"], addResume],
  [["stop"], addStop],
  [["service"], addService],
];
const CLUSTER_VERBS: Verbs = [
  [["create"], addClusterCreate],
  [["list", "info"], addClusterList],
  [["add"], addClusterAdd],
  [["delete"], addClusterDelete],
  [["activate", "deactivate"], addActivate],
  [["drain"], addDrain],
  [["set"], addSet],
  [["push"], addPush],
  [["check"], addClusterCheck],
  [["status"], addClusterStatus],
];

/**
 * Adds the verbs of a group. Where the words name a verb, all others are left out: making them takes a good part of a
 * short command's time.
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
      outputError: (text) => onUsageError(usageText(text, context.args)),
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
  prepareOptions(program, context.deps.environment);
  return program;
}

/** Names of the command that the words lead to. */
function path(program: CommandUnknownOpts, words: readonly string[]): string[] {
  return findCommand(program, words).path;
}
