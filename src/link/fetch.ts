/**
 * Brings files of jobs from a machine: a list first, then those that are wanted as tar streams, over a session of its
 * own. The far end is `fetch.sh`.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { CmsError, LinkError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { ByteReader } from "./byte_reader.ts";
import fetchText from "./fetch.sh" with { type: "text" };
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";
import { FAR_END, FAR_END_HERE, lineOf } from "./stage.ts";
import { startFor } from "./started.ts";
import { readTar } from "./tar_members.ts";

const farText = lineOf(fetchText);
const SMALL_BYTES = 1024 * 1024;

/** Where files of a job may stand, and which. */
export interface Sought {
  /** Whose they are: in a directory that belongs to another queue there are none. */
  readonly owner: Pick<Job, "name" | "id">;
  /** Its directory below the experiment directory. */
  readonly directory: string;
  /** Where its patterns begin instead; `""` for its directory. */
  readonly workdir: string;
  /** Of the shell; a directory is all that is in it. */
  readonly patterns: readonly string[];
}

/** A file over there; its time is of whole seconds. */
export interface RemoteFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** What a machine has of a job. */
export interface Found {
  readonly files: readonly RemoteFile[];
  /** Links are not followed. */
  readonly links: readonly string[];
  /** Patterns that nothing fits. */
  readonly missing: readonly string[];
  /** There is no such directory. */
  readonly isGone: boolean;
}

/** What is done with what a machine has. */
export interface FetchActs {
  /** Says which paths of each are wanted. */
  choose(found: readonly Found[]): Promise<readonly (readonly string[])[]>;
  /** Takes a file of `sought[at]`. What it is may have changed since. */
  take(at: number, file: RemoteFile, pieces: AsyncIterable<Uint8Array>): Promise<void>;
}

/** Where, and how much. */
export interface FetchAt {
  readonly machine: Machine;
  /** The experiment directory there: relative to the home directory, or absolute. */
  readonly directory: string;
  /** Of the queue; null where no host knows it. */
  readonly queueId: string | null;
  /** Ends the session, as if the connection was lost. */
  readonly signal?: AbortSignal | undefined;
  /** More are refused: what is listed is kept in memory. */
  readonly mostFiles?: number | undefined;
}

/**
 * Asks a machine for files, and brings those that are chosen.
 * @throws {LinkError} If it cannot be reached, or the connection breaks: what was taken until then stays.
 */
export async function fetchFiles(
  deps: Deps,
  { machine, directory, queueId, signal, mostFiles = Infinity }: FetchAt,
  sought: readonly Sought[],
  acts: FetchActs,
): Promise<void> {
  const where = machineText(machine);
  const late = (): LinkError => new LinkError(where, "it does not answer", false);
  if (signal?.aborted) throw late();
  const token = deps.ids.hex(8);
  const child = startFor(
    deps,
    machine,
    isLocal(machine) ? ["sh", "-c", FAR_END_HERE] : sshCommand(deps.environment, machine, FAR_END),
  );
  const said = new Response(child.stderr).text().catch(() => "");
  const writer = child.stdin.getWriter();
  writer.closed.catch(() => {});
  const write = (lines: readonly string[]): void => {
    writer.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))).catch(() => {});
  };
  const reader = new ByteReader(child.stdout);
  const end = (): void => {
    child.kill("SIGKILL");
    reader.cancel();
  };
  signal?.addEventListener("abort", end, { once: true });
  try {
    const placeOf = ({ directory, owner, workdir }: Sought) => [directory, owner.name, owner.id, workdir];
    write([farText, directory, queueId ?? "-", token]);
    write([...sought.flatMap((one) => [...placeOf(one), ...one.patterns, ""]), ""]);
    const found = await readFound(reader, token, sought.length, mostFiles);
    if (found === null) throw signal?.aborted ? late() : await broken(where, machine, child.ended, said);
    const wanted = await acts.choose(found);
    const lines = wanted.flatMap((paths, at) =>
      paths.length === 0 ? [] : [
        ...[...placeOf(sought[at]!), String(at), blocksFor(found[at]!, paths)],
        ...paths.map((path) => `./${path}`),
        "",
      ]
    );
    if (lines.length === 0) return;
    write([...lines, ""]);
    await takeAll(reader, token, acts).catch(async (error) => {
      throw error instanceof RangeError ? await broken(where, machine, child.ended, said) : error;
    });
  } finally {
    writer.close().catch(() => {});
    child.kill("SIGTERM");
    await child.ended;
    signal?.removeEventListener("abort", end);
  }
}

/** Blocks of a record: few files go in small ones, as the zeros that fill up the last would be most of what goes. */
function blocksFor({ files }: Found, paths: readonly string[]): string {
  const wanted = new Set(paths);
  const bytes = files.reduce((sum, { path, sizeBytes }) => wanted.has(path) ? sum + sizeBytes : sum, 0);
  return bytes < SMALL_BYTES ? "1" : "20";
}

async function broken(
  where: string,
  machine: Machine,
  ended: Promise<{ code: number; signal: string | null }>,
  said: Promise<string>,
): Promise<LinkError> {
  const { code, signal } = await ended;
  if (signal !== null || code === 0) return new LinkError(where, "the connection was lost", false);
  if (code !== 255) return new LinkError(where, oneLine(await said) || `its shell ended with ${code}`, true);
  const { reason, lasting } = explainSsh(machine, await said, code);
  return new LinkError(where, reason, lasting);
}

/** What it lists; null if it ends before. */
async function readFound(
  reader: ByteReader,
  token: string,
  count: number,
  mostFiles: number,
): Promise<Found[] | null> {
  const found: { files: RemoteFile[]; links: string[]; missing: string[]; isGone: boolean }[] = [];
  let isBegun = false;
  let lines = 0;
  for (;;) {
    const line = await reader.line();
    if (line === null) return null;
    if (!isBegun) isBegun = line === `begin ${token}`;
    else if (line === `end ${token}`) return found.length === count ? found : null;
    else if (line === "J") found.push({ files: [], links: [], missing: [], isGone: false });
    else if (line === "N") found.at(-1)!.isGone = true;
    else if (++lines > mostFiles) throw new CmsError("invalid", `There are more than ${mostFiles} files`);
    else readLine(line, found.at(-1));
  }
}

function readLine(line: string, of: { files: RemoteFile[]; links: string[]; missing: string[] } | undefined): void {
  const [, size, time, file] = /^F ([0-9]{1,15}) (-?[0-9]{1,12})(?:\.[0-9]*)? (.*)$/s.exec(line) ?? [];
  // Another line is a part of a name that holds a line end; such a file is not brought.
  if (file !== undefined) {
    of?.files.push({ path: plainPath(file), sizeBytes: Number(size), modifiedMs: Number(time) * 1000 });
  } else if (line.startsWith("L ")) of?.links.push(plainPath(line.slice(2)));
  else if (line.startsWith("M ")) of?.missing.push(line.slice(2));
}

/** Without `./` at its begin and within. */
function plainPath(path: string): string {
  return path.split("/").filter((part) => part !== "." && part !== "").join("/");
}

async function takeAll(reader: ByteReader, token: string, acts: FetchActs): Promise<void> {
  let at = -1;
  const mark = (text: string): string | null =>
    new RegExp(`^cms-(?:end ${token}|job ${token} ([0-9]+))$`).exec(text)?.[0] ?? null;
  await readTar(reader, (text) => mark(text) !== null, async (member, pieces) => {
    if (member.type === "file") {
      if (at >= 0) await acts.take(at, { ...member, path: plainPath(member.path) }, pieces);
      return "on";
    }
    if (member.text.startsWith("cms-end")) return "end";
    at = Number(member.text.split(" ")[2]);
    return "on";
  });
}
