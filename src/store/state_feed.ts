/**
 * Follows the states of a queue's jobs without keeping the queue: whoever waits for a queue of 100,000 must not cost a
 * core, nor the memory of all its records. Writes nothing, and holds no lock.
 *
 * Each line of the journal is looked at for a job's name, id, state and exit code, and for nothing else. A checkpoint
 * ends a journal with the hash of the YAML that it makes; the next journal begins with that hash. Where this chain has
 * a gap (a person's edit, two checkpoints between two looks) the feed says so, and the reader looks at the whole queue
 * again.
 *
 * @module
 */

import type { AppendFile, Deps, FileStamp } from "../deps.ts";
import type { JournalHeader } from "./journal/journal.ts";
import { parseLine, readLine, type StateMove } from "./journal/state_line.ts";
import { sameStamp } from "./lock.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import type { StoreRef } from "./store.ts";

/** What is known of a queue when it begins to be followed. */
export interface FeedBegin {
  /** Null if there is no journal. */
  readonly header: JournalHeader | null;
  /** Of the YAML. */
  readonly stamp: FileStamp | null;
  /** What the journal says so far; null if not all of it can be read. */
  readonly moves: readonly StateMove[] | null;
}

const NEWLINE = 10;
/** The journal is read in pieces, so that a long one does not stand in memory. */
const PIECE_BYTES = 64 * 1024;

/** One queue, followed. */
export class StateFeed {
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  #file: AppendFile | null = null;
  #inode = -1;
  #bytes = 0;
  #yaml: FileStamp | null = null;
  /** The YAML that the last record `fold` names; `""` for none. */
  #folded = "";
  /** So many of the next records stood in the journal before, too. */
  #carried = 0;

  /** Touches no file. */
  constructor(deps: Deps, ref: StoreRef) {
    this.#deps = deps;
    this.#paths = storePaths(ref, "queue");
  }

  /** Begins at the present end of the journal: what the reader reads of the queue after this is at least as new. */
  async begin(): Promise<FeedBegin> {
    this.#file?.close();
    this.#file = await this.#deps.files.openAppend(this.#paths.journal, { create: false });
    this.#inode = (await this.#file?.stamp())?.inode ?? -1;
    this.#bytes = 0;
    this.#folded = "";
    this.#carried = 0;
    const header = await this.#header() as JournalHeader | null;
    const stamp = this.#yaml = await this.#deps.files.stamp(this.#paths.file);
    return { header, stamp, moves: await this.#read() };
  }

  /** What happened since the last look, in order; null if the reader has to look at the queue itself. */
  async look(): Promise<StateMove[] | null> {
    const { files } = this.#deps;
    const [journal, yaml] = [await files.stamp(this.#paths.journal), await files.stamp(this.#paths.file)];
    const isSame = (journal?.inode ?? -1) === this.#inode;
    if (isSame && (journal?.sizeBytes ?? 0) === this.#bytes && sameStamp(yaml, this.#yaml)) return [];
    const moves = await this.#read();
    if (moves === null) return null;
    if (isSame) {
      // In the middle of a checkpoint the YAML is new and the journal is not.
      if (!sameStamp(yaml, this.#yaml) && this.#folded === "") return null;
      this.#yaml = yaml;
      return moves;
    }
    const before = this.#folded;
    this.#file?.close();
    this.#file = await files.openAppend(this.#paths.journal, { create: false });
    this.#inode = (await this.#file?.stamp())?.inode ?? -1;
    this.#bytes = 0;
    this.#folded = "";
    const header = await this.#header();
    if (before === "" || header?.yaml !== before) return null;
    this.#carried = Number(header.carried ?? 0);
    const more = await this.#read();
    this.#yaml = await files.stamp(this.#paths.file);
    return more === null ? null : [...moves, ...more];
  }

  /** Closes the journal. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** The first line of the journal that is open. Moves past it. */
  async #header(): Promise<Record<string, unknown> | null> {
    const bytes = await this.#file?.readFrom(0, PIECE_BYTES) ?? new Uint8Array();
    const end = bytes.indexOf(NEWLINE);
    const first = end < 0 ? null : parseLine(bytes.subarray(0, end));
    if (first !== null) this.#bytes = end + 1;
    return first;
  }

  /** Reads whole commits from where the last reading ended; null if a line is no record. */
  async #read(): Promise<StateMove[] | null> {
    const moves: StateMove[] = [];
    for (let most = PIECE_BYTES; this.#file !== null;) {
      const at = this.#bytes;
      const bytes = await this.#file.readFrom(at, most);
      const isAll = bytes.length < most;
      const isRead = this.#take(bytes, moves);
      if (isRead && isAll) break;
      if (!isRead && isAll) return null;
      // A commit that is longer than the piece.
      if (this.#bytes === at) most *= 2;
    }
    return moves;
  }

  /** Takes in the whole commits of a piece of the journal; false if a line in it is no record. */
  #take(bytes: Uint8Array, moves: StateMove[]): boolean {
    const at = this.#bytes;
    let open: StateMove[] = [];
    let [from, carried] = [0, this.#carried];
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const line = readLine(bytes.subarray(from, end));
      from = end + 1;
      // A torn end is that of a writer who was killed; the next one cuts it off.
      if (line === null) return end + 1 === bytes.length;
      if (carried > 0) carried--;
      else if (line.move !== null) open.push(line.move);
      if (line.fold !== null) this.#folded = line.fold;
      if (line.isOpen) continue;
      for (const one of open) moves.push(one);
      open = [];
      this.#carried = carried;
      this.#bytes = at + end + 1;
    }
    return true;
  }
}
