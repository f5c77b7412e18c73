/**
 * A journal as a file: read from where we are, appended to, begun anew. Its text is the business of `journal.ts`.
 *
 * The file stays open between reads: that keeps its inode number from being used again, so that an equal number in a
 * stamp is the same journal.
 *
 * @module
 */

import { CmsError, StoreError } from "../../errors.ts";
import type { JobName } from "../../names/grammar.ts";
import type { AppendFile, Files, FileStamp } from "../../deps.ts";
import {
  encodeHeader,
  encodePieces,
  type JournalHeader,
  type JournalPart,
  type JournalRecord,
  parseJournal,
} from "./journal.ts";
import { parseJournalOf } from "./journal_of.ts";
import { parseInPieces } from "./journal_pieces.ts";
import { type CarriedRecords, type JournalMark, NOTHING_CARRIED, startOfLine } from "./journal_place.ts";
import type { Rests } from "../rests.ts";
import { roomForJobs, storeError, tooLarge } from "../file_errors.ts";

/** The journal of one queue. What writes is called under the queue's lock. */
export class JournalFile {
  readonly #files: Files;
  readonly #path: string;
  readonly #shown: string;
  readonly #shownYaml: string;
  readonly #isLenient: boolean;
  /** Experiment of the queue. */
  readonly experiment: string;
  #file: AppendFile | null = null;
  #header: JournalHeader | null = null;
  #stamp: FileStamp | null = null;
  /** Of the file that is open here; it stays where the stamp is given up. */
  #inode: number | undefined = undefined;
  /** The directory has been synced: a power cut leaves the file. Its maker may have been killed before that. */
  #stays = false;
  /** The disk did not take what stands there: nobody knows what is left of it after a power cut. */
  #isUncertain = false;
  #bytes = 0;
  #lines = 0;
  #records = 0;
  #problem: CmsError | null = null;
  #tornBytes = 0;

  /**
   * Touches no file. `isLenient`: {@link JournalFile.readAll} takes what is before a damaged line, and keeps the
   * problem.
   */
  constructor(
    files: Files,
    paths: { journal: string; shownJournal: string; shown: string },
    experiment: string,
    { isLenient = false }: { isLenient?: boolean } = {},
  ) {
    this.#isLenient = isLenient;
    this.#files = files;
    this.#path = paths.journal;
    this.#shown = paths.shownJournal;
    this.#shownYaml = paths.shown;
    this.experiment = experiment;
  }

  /** null if there is no journal, or none with a whole first line. */
  get header(): JournalHeader | null {
    return this.#header;
  }

  /** The file's stamp when it was last read or written; null if there was none. */
  get stamp(): FileStamp | null {
    return this.#stamp;
  }

  /** True while it takes a file of the process. */
  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** Bytes of whole commits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why not all of it could be read; null if it could. */
  get problem(): CmsError | null {
    return this.#problem;
  }

  /** Bytes at the end that belonged to no whole commit when it was read. */
  get tornBytes(): number {
    return this.#tornBytes;
  }

  /** Records read and written so far. */
  get records(): number {
    return this.#records;
  }

  /** True if `stamp` is of the journal that is open here, perhaps grown. */
  isSame(stamp: FileStamp | null): boolean {
    return this.#stamp?.inode === this.#inode && this.isKnown(stamp);
  }

  /**
   * The same, also after a failed write; false after a failed {@link JournalFile.sync}, which
   * {@link JournalFile.rename} mends, unless it is `doubted`.
   */
  isKnown(stamp: FileStamp | null, doubted = false): boolean {
    return (doubted || !this.#isUncertain) && stamp?.inode === this.#inode && (stamp?.sizeBytes ?? 0) >= this.#bytes;
  }

  /** What is known now, for {@link JournalFile.continues}. */
  get mark(): JournalMark {
    return { inode: this.#inode, bytes: this.#bytes, records: this.#records };
  }

  /** True if the journal that is open here is the one of `mark`, perhaps grown. */
  continues(mark: JournalMark): boolean {
    return this.#inode === mark.inode && this.#bytes >= mark.bytes;
  }

  /**
   * Opens the journal that stands there now and reads all of it. What is read in `between`, after the opening and
   * before the reading, is not newer than the records: the file that is open here stays complete, whatever takes its
   * place meanwhile. `rests`: are taken while a long one is read.
   */
  async readAll(between?: () => Promise<void>, rests?: Rests): Promise<readonly JournalRecord[]> {
    this.#problem = null;
    const file = await this.#files.openAppend(this.#path, { create: false }).catch((error) => this.#bear(error, null));
    let part: JournalPart;
    let stamp: FileStamp | null;
    try {
      stamp = await file?.stamp() ?? null;
      await between?.();
      const bytes = await file?.readFrom(0).catch((error) => this.#bear(error, null)) ?? new Uint8Array();
      part = await this.#parseAll(bytes, rests);
      this.#tornBytes = this.#problem === null ? bytes.length - part.goodBytes : 0;
    } catch (error) {
      file?.close();
      throw error;
    }
    this.#file?.close();
    this.#file = file;
    this.#stamp = stamp;
    if (stamp?.inode !== this.#inode) this.#stays = false;
    this.#isUncertain = false;
    this.#inode = stamp?.inode;
    this.#header = part.header;
    this.#bytes = part.goodBytes;
    this.#lines = part.goodLines;
    this.#records = part.records.length;
    return part.records;
  }

  /** What stands at the journal's path now, as far as it can be read; what is known here stays. */
  async find(): Promise<Pick<JournalPart, "header" | "records">> {
    const file = await this.#files.openAppend(this.#path, { create: false });
    try {
      return this.#parse(await file?.readFrom(0) ?? new Uint8Array(), 0);
    } catch (error) {
      if (error instanceof StoreError) return { header: null, records: [] };
      throw error;
    } finally {
      file?.close();
    }
  }

  /**
   * Opens the journal that stands there now and reads only the records that name these jobs; null if there is none, or
   * if all of it has to be read to know what it says. Afterwards it can be appended to.
   */
  async readOf(names: readonly JobName[]): Promise<readonly JournalRecord[] | null> {
    this.#file?.close();
    this.#file = await this.#files.openAppend(this.#path, { create: false });
    const bytes = await this.#file?.readFrom(0) ?? new Uint8Array();
    const part = parseJournalOf(bytes, names, { shown: this.#shown, experiment: this.experiment });
    this.#header = part?.header ?? null;
    this.#bytes = bytes.length;
    return part?.records ?? null;
  }

  /** Reads what was appended since. */
  async readMore(stamp: FileStamp | null): Promise<readonly JournalRecord[]> {
    if (this.#file === null) return [];
    const part = this.#parse(await this.#file.readFrom(this.#bytes), this.#lines);
    this.#bytes += part.goodBytes;
    this.#lines += part.goodLines;
    this.#records += part.records.length;
    this.#stamp = stamp;
    return part.records;
  }

  /**
   * Appends one commit. On failure nothing of it remains, as far as the disk lets us.
   * @param options `yamlBytes`: size of the YAML to which all that is put will come. @throws {StoreError}
   */
  async append(
    records: readonly JournalRecord[],
    { durable, yamlBytes = 0 }: { durable: boolean; yamlBytes?: number },
  ): Promise<void> {
    const most = records.some(({ type }) => type === "put") ? roomForJobs(yamlBytes) - this.#bytes : Infinity;
    const file = this.#file;
    if (file === null) throw new RangeError("Cannot append to a journal that has not been begun");
    let appended = 0;
    try {
      if (await file.size() > this.#bytes) await file.truncate(this.#bytes);
      for (const piece of encodePieces(records)) {
        if ((appended += piece.length) > most) throw tooLarge(this.#shownYaml, "the queue would become");
        await file.append(piece);
      }
      if (durable) await this.#sync(file);
    } catch (error) {
      await file.truncate(this.#bytes).catch(() => {});
      // What stands there now is uncertain: the next look reads all of it.
      this.#stamp = null;
      throw storeError(this.#shown, "write", error);
    }
    this.#bytes += appended;
    this.#lines += records.length;
    this.#records += records.length;
    this.#stamp = await this.#files.stamp(this.#path);
  }

  /** Makes durable what stands there, whoever wrote it. Needs no lock. @throws {StoreError} */
  async sync(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    try {
      await this.#sync(file);
    } catch (error) {
      // The journal that took its place meanwhile is durable, and has all of it.
      if (this.#file !== file) return;
      this.#isUncertain = true;
      throw storeError(this.#shown, "write", error);
    }
  }

  async #sync(file: AppendFile): Promise<void> {
    await file.sync();
    if (this.#stays) return;
    await this.#files.syncDirectory(this.#path.slice(0, this.#path.lastIndexOf("/")));
    this.#stays = true;
  }

  /** What was appended after `mark`, which is of this journal. @throws {StoreError} */
  async since(mark: JournalMark): Promise<CarriedRecords> {
    const records = this.#records - mark.records;
    if (this.#file === null || records === 0) return NOTHING_CARRIED;
    const bytes = await this.#file.readFrom(mark.bytes).catch((error) => {
      throw storeError(this.#shown, "read", error);
    });
    return { bytes: bytes.subarray(0, this.#bytes - mark.bytes), records };
  }

  /**
   * Puts a new journal in place of the old one, durably.
   * @param carried Commits of the old one that come after `records`, as they are. @throws {StoreError}
   */
  async begin(
    header: JournalHeader,
    records: readonly JournalRecord[],
    carried: CarriedRecords = NOTHING_CARRIED,
  ): Promise<void> {
    const count = records.length + carried.records;
    if (carried.records > 0) header = { ...header, carried: count };
    await this.#replace(header, [...encodePieces(records), carried.bytes], count);
  }

  /** Keeps the records that were read in a new file, durably, under this header. @throws {StoreError} */
  async rename(header: JournalHeader | null = this.#header): Promise<void> {
    if (header === null) return;
    const bytes = (await this.#file?.readFrom(0) ?? new Uint8Array()).subarray(0, this.#bytes);
    await this.#replace(header, [bytes.subarray(bytes.indexOf(10) + 1)], this.#records);
  }

  /** `lines`: so many records, whole. They are not looked at: there may be many, and everybody waits. */
  async #replace(header: JournalHeader, lines: readonly Uint8Array[], records: number): Promise<void> {
    const pieces = [new TextEncoder().encode(encodeHeader(header)), ...lines];
    try {
      await this.#files.replace(this.#path, pieces);
      const file = await this.#files.openAppend(this.#path, { create: false });
      this.#stamp = await this.#files.stamp(this.#path);
      this.#inode = this.#stamp?.inode;
      this.#stays = true;
      this.#isUncertain = false;
      this.#file?.close();
      this.#file = file;
    } catch (error) {
      throw storeError(this.#shown, "write", error);
    }
    this.#header = header;
    this.#bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    this.#lines = 1 + records;
    this.#records = records;
  }

  #parse(bytes: Uint8Array, lines: number): JournalPart {
    return parseJournal(bytes, { shown: this.#shown, lines, experiment: this.experiment });
  }

  async #parseAll(bytes: Uint8Array, rests: Rests | undefined): Promise<JournalPart> {
    try {
      if (rests === undefined) return this.#parse(bytes, 0);
      return await parseInPieces(bytes, { shown: this.#shown, experiment: this.experiment }, rests);
    } catch (error) {
      const line = error instanceof StoreError ? error.line : 0;
      this.#bear(error, null);
      return this.#parse(bytes.subarray(0, startOfLine(bytes, line)), 0);
    }
  }

  /** Keeps a problem, where that is wanted, and goes on with `instead`. */
  #bear<T>(error: unknown, instead: T): T {
    const problem = storeError(this.#shown, "read", error);
    if (!this.#isLenient || !(problem instanceof CmsError)) throw error;
    this.#problem = problem;
    return instead;
  }

  /** Closes the file. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }
}
