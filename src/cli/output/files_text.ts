/**
 * Files that were sent, for people.
 *
 * @module
 */

import { renderBytes } from "../../names/units.ts";

/** How many they are, and their size; of a tar stream nobody may have counted them. */
export function filesText({ files, bytes }: { readonly files: number | null; readonly bytes: number | null }): string {
  if (files === null) return "all";
  return `${files} ${files === 1 ? "file" : "files"} (${renderBytes(bytes ?? 0)})`;
}
