/**
 * `cms queue set`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { pairValue } from "../options.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";

/** Adds the command to its group. */
export function addQueueSet(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "set", "set fields of jobs, as an edit of the queue file does"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--key <field>", "the field, such as priority", unquote)
    .option("--value <value>", "its value; an empty one gives it its default", unquote)
    .option("--set <field=value>", "the same in one word; repeatable", pairValue)
    .option("--dry-run", "change nothing, show which jobs would be changed")
    .addHelpText(
      "after",
      examples(
        "cms queue set a --name=job[3-5] --key=priority --value=5",
        "cms queue set a --failed --set retries=2 --set time_limit=1h",
      ),
    )
    .action(async (word, given, { key, value, set = {}, dryRun, ...options }) => {
      const { deps, lines } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      const fields = fieldsOf(key, value, set);
      const selection = await selectionOf(options, job);
      const { setJobs } = await import("../../operations/set_jobs.ts");
      const request = { queue, selection, fields, isDry: dryRun };
      const { changed, same, failed, missing } = await setJobs(deps, request, { warn: lines.warning });
      const what = Object.keys(fields).join(", ");
      const count = `${changed.length} ${changed.length === 1 ? "job" : "jobs"}`;
      const doing = dryRun ? `Would set ${what} of` : `Setting ${what} of`;
      if (changed.length > 0) lines.info(`${doing} ${count}: ${nameList(changed, NAMED)}`);
      else lines.info("No job to set.");
      if (same.length > 0) lines.info(`They have it already: ${nameList(same, NAMED)}`);
      warnOfMissing(context, queue, missing);
      if (failed.length > 0) {
        lines.warning(`They run and stay as they are, ${what} cannot be set then: ${nameList(failed, NAMED)}`);
      }
      if (failed.length > 0) context.status = 1;
    });
}

function fieldsOf(
  key: string | undefined,
  value: string | undefined,
  set: Readonly<Record<string, string>>,
): Record<string, string> {
  if ((key === undefined) !== (value === undefined)) {
    throw new CmsError("usage", "Options --key and --value belong together: give both; see: cms help queue set");
  }
  if (key === undefined && Object.keys(set).length === 0) {
    throw new CmsError("usage", "Missing --key and --value, or --set FIELD=VALUE; see: cms help queue set");
  }
  if (key !== undefined && Object.hasOwn(set, key)) {
    throw new CmsError("usage", `Field ${key} is given twice; give it once`);
  }
  return key === undefined ? { ...set } : { [key]: value!, ...set };
}
