/**
 * `cms queue move`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import type { Place } from "../../operations/move_jobs.ts";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";

/** Adds the command to its group. */
export function addMove(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "move", "move jobs in the order of the queue"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--before <job>", "right before this job", unquote)
    .option("--after <job>", "right after this job", unquote)
    .option("--first", "to the beginning")
    .option("--last", "to the end")
    .option("--dry-run", "move none, show which jobs would be")
    .addHelpText(
      "after",
      examples("cms queue move a job7 --first", "cms queue move a --name=job[3-5] --after=job9"),
    )
    .action(async (word, given, { before, after, first, last, dryRun: isDry, ...options }) => {
      const { deps, lines } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      const to = placeOf({ before, after, first, last });
      const selection = await selectionOf(options, job);
      const { moveSelected } = await import("../../operations/move_jobs.ts");
      const { moved, missing } = await moveSelected(deps, { queue, selection, to, isDry }, { warn: lines.warning });
      if (moved.length > 0) lines.info(`${isDry ? "Would move" : "Moving"} jobs: ${nameList(moved, NAMED)}`);
      else lines.info("No job to move.");
      warnOfMissing(context, queue, missing);
    });
}

function placeOf({ before, after, first, last }: {
  before: string | undefined;
  after: string | undefined;
  first: true | undefined;
  last: true | undefined;
}): Place {
  const places: Place[] = [];
  if (before !== undefined) places.push({ type: "before", job: before });
  if (after !== undefined) places.push({ type: "after", job: after });
  if (first) places.push({ type: "first" });
  if (last) places.push({ type: "last" });
  const [place] = places;
  if (place !== undefined && places.length === 1) return place;
  throw new CmsError("usage", "Give one of --before, --after, --first and --last; see: cms help queue move");
}
