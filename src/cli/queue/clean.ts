/**
 * `cms queue clean`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { listValue } from "../options.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";

/** Adds the command to its group. */
export function addClean(group: CommandUnknownOpts, context: Context): void {
  const about = "remove the directories of jobs that ended well from their hosts, with all results; keep their records";
  withSelection(queueVerb(group, "clean", about))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--keep <patterns>", "files that stay, such as *.csv or out/; a list", listValue)
    .option("--yes", "do not ask")
    .option("--dry-run", "remove nothing, show whose directories would go")
    .addHelpText(
      "after",
      examples(
        "cms queue clean a",
        "cms queue clean a --where='ended<2026-01-01' --yes",
        "cms queue clean a --keep='*.csv'",
      ),
    )
    .action(async (word, given, { yes, dryRun, keep: words, ...options }) => {
      const { deps, io, lines } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      const selection = await selectionOf(options, job);
      const { cleanJobs, jobsToClean } = await import("../../operations/clean_jobs.ts");
      const { jobsNamed } = await import("../../operations/select_jobs.ts");
      const { jobs, missing } = await jobsToClean(deps, { queue, selection });
      warnOfMissing(context, queue, missing);
      const keep = words?.split(",").filter((pattern) => pattern !== "") ?? [];
      const names = jobs.map(({ name }) => name);
      if (names.length === 0) return lines.info("No directory to remove.");
      if (dryRun === true) return lines.info(`Would remove the directories of ${nameList(names, NAMED)}`);
      if (yes !== true && io.errIsTerminal && io.ask !== undefined) {
        lines.info(
          `Removes the directories of ${nameList(names, NAMED)} from their hosts, with all results` +
            (keep.length === 0 ? "" : ` but ${keep.join(", ")}`),
        );
        await io.flush();
        const answer = await io.ask("Remove them? [y/N] ", { isSecret: false });
        if (answer === null || !/^y(?:es)?$/i.test(answer.trim())) {
          lines.info("Nothing was removed.");
          context.status = 1;
          return;
        }
      }
      // Those that the person has seen.
      const { cleaned, failed } = await cleanJobs(deps, { queue, selection: jobsNamed(names), keep }, {
        warn: lines.warning,
      });
      if (cleaned.length > 0) lines.info(`Removed the directories of ${nameList(cleaned, NAMED)}`);
      if (failed.length > 0) context.status = 1;
    });
}
