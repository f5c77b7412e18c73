/**
 * The YAML file of an open queue: what was read of it or written to it last. When it is written is the business of
 * `journaled_queue.ts`.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import type { Deps, FileStamp } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import { VERSION } from "../../version.ts";
import { SMALL_YAML_BYTES } from "../large/checkpoint_due.ts";
import { summaryRecord } from "../large/summary_text.ts";
import type { WrittenStamp } from "../journal/journal.ts";
import { sameStamp } from "../lock.ts";
import { MOST_YAML_BYTES, notFound, storeError, tooLarge } from "../file_errors.ts";
import type { StorePaths } from "../paths.ts";
import { KeptText, type RenderedText, type TextTaker } from "../large/kept_text.ts";

/** A change this long after a stamp has another time, also by the coarse clock that file systems have. */
const STAMP_MS = 20;
/** The same where file times are whole seconds, or every other one. */
const COARSE_STAMP_MS = 2_100;

/**
 * True if the file system may give times of whole seconds: then two texts of one size and one second have one stamp.
 */
export function isCoarse(stamp: FileStamp): boolean {
  return stamp.modifiedMs % 1000 === 0;
}

/** The text of a queue's YAML file and its hash, or why there is none that can be read. */
export async function readYaml(deps: Deps, paths: StorePaths): Promise<{ text: string; hash: string } | CmsError> {
  try {
    const bytes = await deps.files.readBytes(paths.file);
    if (bytes === null) return notFound("queue", paths.shown);
    if (bytes.length > MOST_YAML_BYTES) return tooLarge(paths.shown, "it is");
    const text = decoded(bytes);
    if (text === null) throw Object.assign(new Error("not UTF-8"), { code: "EILSEQ" });
    return { text, hash: await deps.files.hash([bytes]) };
  } catch (cause) {
    const error = storeError(paths.shown, "read", cause);
    if (error instanceof CmsError) return error;
    throw error;
  }
}

/**
 * null if the bytes are no UTF-8: taking them anyway would put U+FFFD there, and the next write would make that
 * lasting.
 */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * One YAML file. Only {@link YamlFile.render} and the first part of {@link YamlFile.write} may go on without the
 * queue's lock.
 */
export class YamlFile {
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  readonly #text = new KeptText();
  #stamp: FileStamp | null = null;
  /** Until then the file can be changed and have the same stamp; 0 where it cannot. By the monotonic clock. */
  #doubtUntilMs = 0;
  /** Hash of the text that the jobs in memory came from. */
  hash = "";
  #written: WrittenStamp | null = null;

  /** Touches no file. */
  constructor(deps: Deps, paths: StorePaths) {
    this.#deps = deps;
    this.#paths = paths;
  }

  /** What is known of the file as it was when {@link YamlFile.hash} was taken; null if that is not known. */
  get stamp(): FileStamp | null {
    return this.#stamp;
  }

  /** Notes the stamp of the text that is known. */
  known(stamp: FileStamp | null): void {
    const isNew = !sameStamp(stamp, this.#stamp);
    this.#stamp = stamp;
    if (stamp === null || !isCoarse(stamp)) this.#doubtUntilMs = 0;
    else if (isNew) this.#doubtUntilMs = this.#deps.clock.now() + COARSE_STAMP_MS;
    else if (this.#doubtUntilMs <= this.#deps.clock.now()) this.#doubtUntilMs = 0;
  }

  /** True if the text is to be read although the stamp is the same: once, when no further change can have it. */
  isInDoubt(): boolean {
    return this.#doubtUntilMs > 0 && this.#doubtUntilMs <= this.#deps.clock.now();
  }

  /** True if the file is what it was, by its text where the stamp cannot say so. */
  async isStill(): Promise<boolean> {
    if (!sameStamp(await this.#deps.files.stamp(this.#paths.file), this.#stamp)) return false;
    if (this.#doubtUntilMs === 0) return true;
    const read = await this.read();
    const isSame = !(read instanceof CmsError) && read.hash === this.hash;
    if (!isSame) this.#doubtUntilMs = this.#deps.clock.now();
    return isSame;
  }

  /**
   * The stamp, if the file is large, and was written by us and by nobody since. A later look can then spare itself
   * reading it.
   */
  get written(): WrittenStamp | null {
    return this.#written !== null && sameStamp(this.#written, this.#stamp) ? this.#written : null;
  }

  /** The file as it is now; changes nothing here. */
  read(): Promise<{ text: string; hash: string } | CmsError> {
    return readYaml(this.#deps, this.#paths);
  }

  /** Takes what is read of the file: what would be written again is kept. */
  taker(): TextTaker {
    return this.#text.taker();
  }

  /** Its text for these jobs, and what they come to. */
  render(jobs: Iterable<Job>): Promise<RenderedText> {
    return this.#text.render(jobs, this.#deps.clock);
  }

  /**
   * Replaces the file, unless somebody saved it meanwhile: the check comes last, as writing a large one takes a while.
   * @param announce Called when the temporary file is complete; false leaves the file as it is.
   * @returns False if it was not replaced. @throws {StoreError}
   */
  async write(
    { pieces, summary }: RenderedText,
    hash: string,
    announce: () => Promise<boolean>,
  ): Promise<boolean> {
    const { files, clock } = this.#deps;
    const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    // The journal has all of it, and can still be read with the file as it is.
    if (sizeBytes > MOST_YAML_BYTES) throw tooLarge(this.#paths.shown, "it would become");
    try {
      const isLarge = sizeBytes >= SMALL_YAML_BYTES;
      const mayReplace = async (): Promise<boolean> => {
        // What a person writes into the new file has another time than ours.
        if (isLarge) await clock.sleepUntil(clock.now() + STAMP_MS);
        return await announce() && await this.isStill();
      };
      if (!await files.replace(this.#paths.file, pieces, mayReplace)) return false;
      const stamp = await files.stamp(this.#paths.file);
      // Another size means that a person saved in this very moment: no stamp, so that the next look reads the file.
      this.known(stamp?.sizeBytes === sizeBytes ? stamp : null);
      this.#written = null;
      if (isLarge && this.#stamp !== null && !isCoarse(this.#stamp)) {
        const { modifiedMs, inode } = this.#stamp;
        this.#written = { by: VERSION, sizeBytes, modifiedMs, inode, summary: summaryRecord(summary) };
      }
    } catch (error) {
      throw storeError(this.#paths.shown, "write", error);
    }
    this.hash = hash;
    return true;
  }
}
