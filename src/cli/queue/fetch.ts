/**
 * `cms queue fetch`: files of jobs from their hosts.
 *
 * @module
 */

import { type CommandUnknownOpts, InvalidArgumentError } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import type { FetchRequest } from "../../operations/fetch_jobs.ts";
import type { Layout } from "../../operations/fetch_target.ts";
import { parseSize, renderBytes } from "../../names/units.ts";
import { durationText, StatusLine } from "../output/progress.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { pathValue } from "../options.ts";
import { selectionOf, withSelection } from "./selection.ts";

/** Adds the command to its group. */
export function addFetch(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "fetch", "bring files of jobs from their hosts; only what changed"))
    .argument("[patterns...]", "which files, such as '*.csv' or out (default: what queue add --fetch says, else all)")
    .option("--to <dir>", "where they go, as DIR/JOB/FILE (default: the experiment directory)", pathValue)
    .option("--flat", "all in one directory, as JOB-FILE")
    .option("--by <what>", "a directory for each host, or for each value of the parameters: host, params", byValue)
    .option("--max <size>", "leave larger files there, with a warning, such as 500M", sizeValue)
    .option("--force", "replace files that are newer here, too")
    .option("--dry-run", "bring nothing, show which files would come")
    .addHelpText(
      "after",
      examples("cms queue fetch a", "cms queue fetch a --status=end '*.csv' --to=results --by=params"),
    )
    .action(async (word, given, words) => {
      const { to, queue: name, experiment } = words;
      // Where `--queue` names the queue, all words are patterns.
      const isPattern = name !== undefined && word !== undefined;
      const patterns = isPattern ? [word, ...given] : given;
      const queue = queueOf(context, isPattern ? undefined : word, {
        ...(name !== undefined && { queue: name }),
        ...(experiment !== undefined && { experiment }),
      });
      await bring(context, {
        ...{ queue, selection: await selectionOf(words), patterns: patterns.map((pattern) => unquote(pattern)) },
        to: to === undefined ? null : to.startsWith("/") ? to : `${context.deps.environment.cwd()}/${to}`,
        layout: layoutOf(words),
        ...{ maxBytes: words.max ?? null, force: words.force === true, isDry: words.dryRun === true },
      }, to ?? queue.experiment);
    });
}

function layoutOf({ flat, by }: { flat?: true; by?: "host" | "params" }): Layout {
  if (flat === true && by !== undefined) throw new CmsError("usage", "Cannot use --flat with --by: give one");
  return flat === true ? "flat" : by ?? "job";
}

async function bring(context: Context, request: FetchRequest, shown: string): Promise<void> {
  const { deps, io, lines } = context;
  const { fetchJobs } = await import("../../operations/fetch_jobs.ts");
  const status = io.outIsTerminal ? new StatusLine(io, deps.clock) : null;
  const sinceMs = deps.clock.now();
  const progress = (bytes: number, of: number) =>
    status?.show(() => progressLine(bytes, of, deps.clock.now() - sinceMs));
  const result = await fetchJobs(deps, request, { warn: (text) => lines.warning(text), progress })
    .finally(() => status?.close());
  const { files, unchanged, isIncomplete } = result;
  if (request.isDry) { for (const file of files) io.out(`${file.path}\t${renderBytes(file.sizeBytes)}\n`); }
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const count = `${files.length} ${files.length === 1 ? "file" : "files"} (${renderBytes(bytes)})`;
  const rest = unchanged === 0 ? "" : `; ${unchanged} unchanged`;
  lines.info(`${request.isDry ? "Would fetch" : "Fetched"} ${count} to ${shown}${rest}`);
  if (isIncomplete) context.status = 1;
}

function progressLine(bytes: number, of: number, elapsedMs: number): string {
  const left = bytes === 0 ? "" : `, ${durationText((of - bytes) * elapsedMs / bytes / 1000)} left`;
  return `${renderBytes(bytes)} of ${renderBytes(of)}${left}`;
}

function byValue(value: string): "host" | "params" {
  const by = unquote(value);
  if (by === "host" || by === "params") return by;
  throw new InvalidArgumentError("Use host or params.");
}

function sizeValue(value: string): number {
  try {
    return parseSize(unquote(value));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
