/**
 * Reads what a run has collected of a job's files, here on the manager.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import { attemptId } from "../../job/attempt.ts";
import type { Job } from "../../job/job.ts";
import type { FilePart } from "../../link/link.ts";
import { joined } from "../../bytes.ts";
import type { JobName } from "../../names/grammar.ts";
import type { Collected } from "../../store/collected.ts";
import type { JobFile } from "../output_files.ts";

/** The name that a file of a job has on the manager, whatever its name on the host: no later run takes it for input. */
export function collectedName(job: JobName, file: JobFile): string {
  switch (file) {
    case "log":
      return `${job}.log`;
    case "output":
      return `${job}.out`;
    case "error":
      return `${job}-nohup.log`;
    default:
      return file satisfies never;
  }
}

/** A part of a file that was collected of a job's last attempt; null if it does not stand here. */
export async function readCollected(
  deps: Deps,
  collected: Collected,
  { job, file, part }: { job: Job; file: JobFile; part: FilePart },
): Promise<Uint8Array | null> {
  const found = await collected.find(job.name, attemptId(job), collectedName(job.name, file));
  if (found === null) return null;
  const from = part.from ?? Math.max(0, found.sizeBytes - part.maxBytes);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of deps.files.pieces(found.path, from)) {
    const room = part.maxBytes - size;
    parts.push(piece.slice(0, room));
    size += Math.min(room, piece.length);
    if (size >= part.maxBytes) break;
  }
  return joined(parts);
}
