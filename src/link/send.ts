/**
 * Copies of files that jobs send: a request says which contents the far end, `send.sh`, may lack, and where the files
 * of jobs go. How it gets there, see `send_line.ts`; what is sent when, see `sender.ts`.
 *
 * @module
 */

import type { Machine } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { SourceFile, Tree } from "./sources.ts";
import type { SendEnds, SendRequest } from "./transport.ts";

/** What a job sends, and where it goes. */
export interface SendJob extends Omit<SendRequest, "paths"> {
  readonly items: readonly { readonly kept: string; readonly tree: Tree }[];
}

/** Where files go. */
export interface SendPlace extends SendEnds {
  readonly machine: Machine;
  /** The experiment directory there: relative to the home directory, or absolute. */
  readonly directory: string;
  readonly queueId: string;
  /** Is told what has gone over the wire. */
  readonly onSent?: ((report: SentReport) => void) | undefined;
}

/** Contents that were sent. */
export interface SentReport {
  readonly way: "rsync" | "tar";
  readonly files: number;
  readonly bytes: number;
}

/** A file was changed while it was sent. */
export class ChangedError extends Error {}

/** So many bytes and more of one path are links to one copy, which no job can write into. */
export const SHARED_BYTES = 1024 * 1024;
/** Of a content of this size and more, the last one of its path is kept there: only changes of it are sent. */
export const LARGE_BYTES = 8 * 1024 * 1024;
/** What a request is about. */
export interface SendSession {
  /**
   * `look`: only asks what is missing. `drop`: removes what came in part. `forget`: removes all but these contents and
   * trees.
   */
  readonly way: "look" | "send" | "drop" | "forget";
  readonly contents: ReadonlyMap<string, SourceFile>;
  readonly trees: Iterable<Tree>;
  readonly jobs: readonly SendJob[];
}

/** What became of it. */
export interface SessionResult {
  /** Keys of contents that were not there. */
  readonly missing: readonly string[];
  /** Why jobs did not get their files. */
  readonly failed: ReadonlyMap<JobName, string>;
}

/** What stands for the path of a large content over there. */
async function nameOf(deps: Deps, file: SourceFile): Promise<string> {
  if (file.bytes < LARGE_BYTES) return "-";
  return (await deps.files.hash([new TextEncoder().encode(file.source)])).slice(0, 32);
}

/** A path in a line. */
function word(path: string): string {
  return path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function treeLines(tree: Tree): string[] {
  return [
    `T ${tree.key}`,
    ...tree.directories.map((path) => `D - ${word(path)}`),
    ...tree.files.map(({ key, path }) => `F ${key} ${word(path)}`),
    "E -",
  ];
}

function jobLines({ place, workdir, items }: SendJob, number: number): string[] {
  const lines = items.map(({ kept, tree: { key, isFile, files, bytes } }) => {
    const isShared = bytes >= SHARED_BYTES;
    if (!isFile) return `${isShared ? "l" : "c"} ${key} ${word(kept)}`;
    return isShared ? `L ${key} ${word(kept)}` : `C ${files[0]!.mode.toString(8)} ${key} ${word(kept)}`;
  });
  return [`J ${number}`, ...lines, workdir === null ? `P ${word(place)}` : `W ${word(workdir)}`];
}

/**
 * The lines of a request. @param token Marks the answers to it; a file of this name, which is made for it, is the last
 * of the stream.
 */
export async function requestLines(
  deps: Deps,
  { from }: SendPlace,
  { way, contents, trees, jobs }: SendSession,
  token: string,
): Promise<string[]> {
  const wanted = await Promise.all(
    [...contents.values()].map(async (file) => `${file.key} ${await nameOf(deps, file)} ${word(`.${file.source}`)}`),
  );
  const todo = [...[...trees].flatMap(treeLines), ...jobs.flatMap(jobLines)];
  return [token, word(`.${from}/${token}`), way, ...wanted, "", ...todo, ""];
}
