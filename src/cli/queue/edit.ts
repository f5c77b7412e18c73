/**
 * `cms queue edit`: jobs as YAML in the person's editor.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import type { EditResult } from "../../operations/edit_jobs.ts";
import type { Jobs } from "../../store/changes.ts";
import { storePaths } from "../../store/paths.ts";
import type { StoreRef } from "../../store/store.ts";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";

/** Adds the command to its group. */
export function addEdit(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "edit", "edit jobs as YAML in $VISUAL or $EDITOR (default: all jobs)"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .addHelpText("after", examples("cms queue edit a job3", "EDITOR=nano cms queue edit a --status=ready"))
    .action(async (word, given, options) => {
      const { deps, lines, io } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      const editor = editorOf(context);
      const selection = await selectionOf(options, job);
      const { editLine, editText } = await import("../../operations/edit_jobs.ts");
      const { text, base, missing } = await editText(deps, { queue, selection });
      warnOfMissing(context, queue, missing);
      if (base.size === 0 && (missing.length > 0 || selection.names !== null)) return;
      const name = `.${queue.name}-queue.edit.${deps.ids.hex(4)}.yaml`;
      const file = { path: `${queue.directory}/${name}`, shown: `${shownDirectory(queue)}/${name}` };
      await deps.files.replace(file.path, text);
      await io.flush();
      const result = await editUntilRead(context, { queue, base, file, editor, text });
      await deps.files.remove(file.path);
      for (const line of result?.refused ?? []) lines.warning(line);
      if ((result?.refused.length ?? 0) > 0) context.status = 1;
      const line = result === null ? null : editLine(result);
      lines.info(line === null ? "Nothing was changed." : `Edit of queue ${queue.name}: ${line}`);
    });
}

function shownDirectory(queue: StoreRef): string {
  const { shown } = storePaths(queue, "queue");
  return shown.slice(0, shown.lastIndexOf("/"));
}

/** The editor's command. @throws {CmsError} If there is none, and no terminal for the usual one. */
function editorOf({ deps, io }: Context): string {
  const { environment } = deps;
  const named = [environment.get("VISUAL"), environment.get("EDITOR")].find((one) => one !== undefined && one !== "");
  if (named !== undefined) return named;
  if (io.outIsTerminal && io.edit !== undefined) return "vi";
  throw new CmsError("usage", "Cannot edit: there is no terminal; name a program that edits a file in EDITOR");
}

interface Edit {
  readonly queue: StoreRef;
  readonly base: Jobs;
  readonly file: { readonly path: string; readonly shown: string };
  readonly editor: string;
  readonly text: string;
}

/**
 * Lets the person edit until the text can be taken.
 * @returns null if the text is as it was. @throws {CmsError} If it cannot be read and the person gives up: it stays.
 */
async function editUntilRead(context: Context, edit: Edit): Promise<EditResult | null> {
  const { deps, io, lines } = context;
  const { queue, base, file, editor } = edit;
  const { takeEdit } = await import("../../operations/edit_jobs.ts");
  for (;;) {
    const code = await io.edit?.(editor, file.path) ?? 127;
    const text = await deps.files.readText(file.path).catch(() => null);
    if (code !== 0) {
      if (text === edit.text) await deps.files.remove(file.path);
      const kept = text === null || text === edit.text ? "" : `; the text is kept in ${file.shown}`;
      throw new CmsError(
        "usage",
        `Nothing was changed: ${JSON.stringify(editor)} ended with exit status ${code}${kept}`,
      );
    }
    if (text === edit.text) return null;
    try {
      if (text === null) throw new CmsError("usage", `${file.shown} cannot be read as text`);
      return await takeEdit(deps, { queue, base, text, shown: file.shown }, { warn: lines.warning });
    } catch (error) {
      if (!(error instanceof CmsError)) throw error;
      lines.error(error.message);
      const answer = io.outIsTerminal ? await io.ask?.("Edit it again? [Y/n] ", { isSecret: false }) ?? "n" : "n";
      if (!/^n/i.test(answer)) continue;
      throw new CmsError(error.code, `Nothing was changed; the text is kept in ${file.shown}`);
    }
  }
}
