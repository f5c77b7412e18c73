/**
 * The list of the queues or clusters of a directory, as bytes that all who ask at the same time share: of thousands of
 * files their text is as much work as to find them, and as much memory for each who takes it slowly.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { listFiles } from "../operations/list_files.ts";

/** The names of the files as JSON; null if there is no such directory. */
export async function namesBody(
  deps: Deps,
  request: { readonly directory: string; readonly kind: "queue" | "cluster" },
): Promise<Uint8Array<ArrayBuffer> | null> {
  const { kind } = request;
  const names = await listFiles(deps, request);
  if (names === null) return null;
  const text = JSON.stringify({ [`${kind}s`]: names.map((name) => `${name}-${kind}.yaml`) });
  return new TextEncoder().encode(text);
}
