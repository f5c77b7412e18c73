/**
 * Whether `deno compile` can get the base binary (denort) that it builds upon. It looks where Deno looks, in its order:
 * `DENORT_BIN`, the cache, the download. Asking first costs seconds at most; `deno compile` itself tries for half a
 * minute where there is no way out.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where the base binary comes from, or why there is none. */
export type Base =
  | { readonly kind: "named" | "cached" | "download" }
  | { readonly kind: "absent"; readonly reason: string };

/** What the search depends on. */
export interface BaseSearch {
  /** Platform, as `deno compile` names it. */
  readonly target: string;
  /** Version of Deno, such as `2.9.6`. */
  readonly version: string;
  /** Deno's cache directory. */
  readonly denoDirectory: string;
  /** Value of `DENORT_BIN`. */
  readonly denortBin: string | undefined;
  /** Tells why the address cannot be fetched, or null if it can. */
  readonly probe: (url: string) => Promise<string | null>;
}

/**
 * Finds the base binary.
 * @throws {Error} If `DENORT_BIN` names something that must not be used.
 */
export async function findBase(search: BaseSearch): Promise<Base> {
  if (search.denortBin !== undefined && search.denortBin !== "") {
    await refuseBadBase(search.denortBin);
    return { kind: "named" };
  }
  const release = `release/v${search.version}/denort-${search.target}.zip`;
  const cached = await stat(join(search.denoDirectory, "dl", release)).catch(() => null);
  if (cached !== null) return { kind: "cached" };
  const reason = await search.probe(`https://dl.deno.land/${release}`);
  return reason === null ? { kind: "download" } : { kind: "absent", reason };
}

/**
 * Refuses a `DENORT_BIN` that is missing or is the whole `deno`: `deno compile` takes that without a word, and the file
 * it makes treats its first argument as a script. The text looked for is of a command that only the whole has, so this
 * works for executables of other platforms too.
 */
async function refuseBadBase(path: string): Promise<void> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new Error(`Cannot use DENORT_BIN "${path}": ${error.message}`, { cause: error });
  });
  if (bytes.includes("Compile the script into a self contained executable")) {
    throw new Error(
      `Cannot use DENORT_BIN "${path}": it is a whole deno, not denort; what it makes would run its first argument as a script`,
    );
  }
}

/** Asks for the head of the file at `url`, no longer than `limitMs`. */
export async function probeUrl(url: string, limitMs = 5000): Promise<string | null> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(limitMs) });
    await response.body?.cancel();
    return response.ok ? null : `${new URL(url).host} answers ${response.status}`;
  } catch (error) {
    const { name, cause, message } = error as Error;
    if (name === "TimeoutError") return `${new URL(url).host} does not answer within ${limitMs / 1000} s`;
    // fetch wraps: "error sending request for url (...)" says less than its cause.
    const why = cause instanceof Error ? cause.message : message;
    return `${new URL(url).host}: ${why.replace(/^error sending request for url \(.*?\): /, "")}`;
  }
}
