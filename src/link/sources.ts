/**
 * What jobs send, as it stands on the manager: a file, or a directory with all below it. Contents are known by their
 * hash, so that equal ones are sent once. Links are followed.
 *
 * @module
 */

import type { Deps, FileStamp } from "../deps.ts";
import { Gate } from "./gate.ts";

/** A file that is sent, or one in a directory that is. */
export interface SourceFile {
  /** `HASH.MODE`, without rights to write: what stands for its content over there. */
  readonly key: string;
  /** Absolute, on the manager. */
  readonly source: string;
  /** Below the directory that is sent; `""` for a file. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: number;
}

/** What is sent. */
export interface Tree {
  /** A file's key; of a directory what stands for all in it. */
  readonly key: string;
  readonly isFile: boolean;
  readonly files: readonly SourceFile[];
  /** Directories below it. */
  readonly directories: readonly string[];
  readonly bytes: number;
}

/** It cannot be sent as it is. */
export class SourceError extends Error {}

const MOST_FILES = 100_000;
const DEEPEST = 64;
/** A file that was changed so shortly before may change once more without looking different. */
const SETTLED_MS = 2_100;
/**
 * No clock of a file system is taken to be so far from the manager's: what is older has settled. Of all else it is
 * waited for, by the manager's clock alone.
 */
const OLD_MS = 24 * 3_600_000;
const HASHES_AT_ONCE = 2;
const PLAIN_MODE = 0o644;

/** Reads what is sent. Make one for a process: hashes of files that did not change are kept. */
export class Sources {
  readonly #deps: Pick<Deps, "files" | "clock">;
  /** Since when a file was seen as it is, and its hash once any further change would show. */
  readonly #known = new Map<string, { readonly stamp: FileStamp; readonly seenMs: number; hash: string | null }>();
  readonly #hashing = new Gate(HASHES_AT_ONCE);
  /** The last look at each path, and the one that has not begun yet: it is good for all who ask before it begins. */
  readonly #looks = new Map<string, Promise<unknown>>();
  readonly #next = new Map<string, Promise<Tree>>();

  constructor(deps: Pick<Deps, "files" | "clock">) {
    this.#deps = deps;
  }

  /**
   * What stands at a path now, or a moment later. @param path Absolute. @throws {SourceError} If it cannot be sent,
   * with the reason.
   */
  tree(path: string): Promise<Tree> {
    const next = this.#next.get(path);
    if (next !== undefined) return next;
    const look = (async () => {
      await this.#looks.get(path)?.catch(() => {});
      this.#next.delete(path);
      return await this.#read(path);
    })();
    this.#next.set(path, look);
    this.#looks.set(path, look);
    const over = () => this.#looks.get(path) === look && this.#looks.delete(path);
    look.then(over, over);
    return look;
  }

  async #read(path: string): Promise<Tree> {
    const stamp = await this.#stamp(path);
    if (!stamp.isDirectory) {
      const file = await this.#file(path, "", stamp);
      return { key: file.key, isFile: true, files: [file], directories: [], bytes: file.bytes };
    }
    const files: SourceFile[] = [];
    const directories: string[] = [];
    await this.#walk(path, "", { files, directories }, 0);
    const lines = [...directories, ...files.map((file) => `${file.key} ${file.path}`)].join("\0");
    const key = await this.#deps.files.hash([new TextEncoder().encode(lines)]);
    return { key, isFile: false, files, directories, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  async #walk(
    root: string,
    below: string,
    found: { files: SourceFile[]; directories: string[] },
    depth: number,
  ): Promise<void> {
    const directory = below === "" ? root : `${root}/${below}`;
    if (depth > DEEPEST) throw new SourceError(`${directory} is too deep: a link may lead back`);
    const names = await this.#try(directory, () => this.#deps.files.list(directory));
    for (const name of names ?? []) {
      const path = below === "" ? name : `${below}/${name}`;
      const stamp = await this.#stamp(`${root}/${path}`);
      if (stamp.isDirectory) {
        found.directories.push(path);
        await this.#walk(root, path, found, depth + 1);
      } else found.files.push(await this.#file(`${root}/${path}`, path, stamp));
      if (found.files.length + found.directories.length > MOST_FILES) {
        throw new SourceError(`it holds more than ${MOST_FILES} files`);
      }
    }
  }

  async #file(source: string, path: string, stamp: FileStamp): Promise<SourceFile> {
    const mode = (stamp.mode ?? PLAIN_MODE) & 0o777;
    const hash = await this.#hash(source, stamp);
    return { key: `${hash}.${(mode & 0o555).toString(8)}`, source, path, mode, bytes: stamp.sizeBytes };
  }

  async #hash(path: string, stamp: FileStamp): Promise<string> {
    const { files, clock } = this.#deps;
    const nowMs = clock.now();
    let known = this.#known.get(path);
    if (known === undefined || !isSame(known.stamp, stamp)) {
      known = { stamp, seenMs: nowMs, hash: null };
      this.#known.set(path, known);
    }
    if (known.hash !== null) return known.hash;
    const isSettled = nowMs - known.seenMs > SETTLED_MS || clock.epochMs() - stamp.modifiedMs > OLD_MS;
    const hash = await this.#hashing.pass(() => this.#try(path, () => files.hash(files.pieces(path, 0))));
    if (isSettled) known.hash = hash;
    return hash;
  }

  async #stamp(path: string): Promise<FileStamp> {
    const stamp = await this.#try(path, () => this.#deps.files.stamp(path));
    if (stamp === null) throw new SourceError(`there is no ${path}`);
    if (stamp.isSpecial === true) throw new SourceError(`${path} is neither a file nor a directory`);
    return stamp;
  }

  async #try<T>(path: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw new SourceError(`cannot read ${path}: ${String((error as Error).message ?? error)}`);
    }
  }
}

function isSame(a: FileStamp, b: FileStamp): boolean {
  return a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs && a.inode === b.inode;
}
