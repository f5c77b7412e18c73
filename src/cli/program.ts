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
import { asksList } from "./called.ts";
import { addCompletion } from "./completion/command.ts";
import { type Context, examples } from "./context.ts";
import { printError, usageText } from "./failure.ts";
import { addHelp, findCommand } from "./help.ts";
import type { Terminal } from "./io.ts";
import { addOpenapi } from "./openapi.ts";
import { prepareOptions } from "./options.ts";
import { makeLines } from "./output/lines.ts";
import { splitArguments } from "./queue/argument_sources.ts";
import { addList } from "./queue/list.ts";
import { serviceArgs } from "./queue/service.ts";
import type { Verbs } from "./verbs.ts";

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
  const program = makeProgram(context, await verbsFor(words), (text) => usageError = text);
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

/** The verbs that the words need. `queue list`, which is called most, loads no other. */
async function verbsFor(words: readonly string[]): Promise<Verbs> {
  if (asksList(words)) return { queue: [addList], cluster: [] };
  return (await import("./verbs.ts")).verbsFor(words);
}

/** The grammar. @param onUsageError Is given the text of a usage error before it is thrown. */
function makeProgram(
  context: Context,
  verbs: Verbs,
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
  for (const add of verbs.queue) add(queue, context);

  const cluster = program.command("cluster").description("clusters of hosts").helpCommand(false)
    .enablePositionalOptions()
    .addHelpText("after", examples("cms cluster create a", "cms cluster add a --id=host1 --name=red --user=pi"));
  for (const add of verbs.cluster) add(cluster, context);

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
