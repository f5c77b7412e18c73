/**
 * Finds the queues below a directory.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { fileName } from "../names/grammar.ts";
import { listNames } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";

/** Directories of jobs of localhost lie beside their queue, thousands of them at times: the search is bounded. */
const MOST_DIRECTORIES = 5_000;
const DEEPEST = 5;

/**
 * The queues below `root`, the uppermost first. Hidden directories are passed over; a link is followed if it leads to a
 * place below `root`. Looks at 5,000 directories at most.
 */
export async function findQueues(deps: Deps, root: string): Promise<StoreRef[]> {
  const found: StoreRef[] = [];
  for (const { path, experiment } of await findDirectories(deps, root)) {
    for (const name of await listNames(deps, path, "queue")) {
      if (isName(name)) found.push({ experiment, directory: path, name });
    }
  }
  return found;
}

/** The directories below `root` that hold a queue, as experiments: relative paths, `.` for the root itself. */
export async function findDirectories(deps: Deps, root: string): Promise<{ path: string; experiment: string }[]> {
  const found: { path: string; experiment: string }[] = [];
  const seen = new Set<string>();
  const pending = [{ path: root, experiment: ".", depth: 0 }];
  for (let at = 0; at < pending.length && at < MOST_DIRECTORIES; at++) {
    const { path, experiment, depth } = pending[at]!;
    const real = await deps.files.realPath(path).catch(() => null);
    if (real === null || seen.has(real) || !isBelow(real, root)) continue;
    seen.add(real);
    const names = await deps.files.list(path).catch(() => null) ?? [];
    if (names.some((name) => name.endsWith("-queue.yaml"))) found.push({ path, experiment });
    if (depth === DEEPEST) continue;
    for (const name of names) {
      if (/^[.~-]/.test(name) || pending.length >= MOST_DIRECTORIES) continue;
      const child = path === "/" ? `/${name}` : `${path}/${name}`;
      const stamp = await deps.files.stamp(child).catch(() => null);
      if (stamp?.isDirectory !== true) continue;
      pending.push({ path: child, experiment: experiment === "." ? name : `${experiment}/${name}`, depth: depth + 1 });
    }
  }
  return found;
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root === "/" ? root : `${root}/`);
}

function isName(name: string): boolean {
  try {
    return fileName(name, "queue") === name;
  } catch {
    return false;
  }
}
