/**
 * Why a run that was started in the background did not begin, as data: its process writes it into a file beside the
 * queue, whoever started it reads and removes that.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError, type ErrorCode, STATUS_OF } from "../errors.ts";

/** Does `begin`; what it refuses is written into the file as well. `path` undefined: nobody asks. */
export async function withRefusal(deps: Deps, path: string | undefined, begin: () => Promise<void>): Promise<void> {
  try {
    await begin();
  } catch (error) {
    if (error instanceof CmsError) await writeRefusal(deps, path, error);
    throw error;
  }
}

/** Writes why the run does not begin. Without room for it, whoever started the run learns less. */
export async function writeRefusal(
  deps: Deps,
  path: string | undefined,
  { code, message }: Pick<CmsError, "code" | "message">,
): Promise<void> {
  if (path === undefined) return;
  await deps.files.replace(path, JSON.stringify({ code, message }) + "\n").catch(() => {});
}

/** What the process refused; null if it wrote nothing. */
export async function readRefusal(deps: Deps, path: string): Promise<CmsError | null> {
  try {
    const { code, message } = JSON.parse(await deps.files.readText(path) ?? "null") ?? {};
    return typeof message === "string" && isErrorCode(code) ? new CmsError(code, message) : null;
  } catch {
    return null; // A process that was killed while it wrote.
  }
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(STATUS_OF, code);
}
