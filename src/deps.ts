/**
 * All that the program touches outside itself, as interfaces. Everything below takes them by argument, so that a test
 * or the simulation can give its own. The real ones are in `deps_real.ts`; only the files
 * `src/*_real.ts` and `main.ts` name `Deno.*` effects.
 *
 * Conventions: times are milliseconds of {@link Clock.now} unless a name says otherwise; paths are absolute. The clock
 * of a file system or of a host is only compared with itself.
 *
 * @module
 */

/** Time. Decisions take `nowMs`; loops wait with {@link Clock.sleepUntil}. */
export interface Clock {
  /**
   * Time for all that waits: it never steps, whoever sets the machine's clock. It is near the epoch's milliseconds, for
   * people's eyes only.
   */
  now(): number;
  /** Wall clock, epoch milliseconds: for what is written down or shown. It may step in both directions. */
  epochMs(): number;
  /** Resolves at `atMs` (at once if it has passed) or when `signal` aborts; never rejects. */
  sleepUntil(atMs: number, signal?: AbortSignal): Promise<void>;
}

/** What is known of a file without reading it. A changed file differs in at least one member. */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly isDirectory: boolean;
  /** Neither a file nor a directory: a pipe, a device. */
  readonly isSpecial?: boolean;
  /** Permission bits, where the system has them. */
  readonly mode?: number;
}

/** A file opened for appending and for reading at a position. */
export interface AppendFile {
  /** Present size in bytes. */
  size(): Promise<number>;
  /** What is known of this very file, whatever stands at its path now. */
  stamp(): Promise<FileStamp>;
  /** Reads from `offset` to the end of the file, `most` bytes at most. */
  readFrom(offset: number, most?: number): Promise<Uint8Array>;
  /** Appends all of `bytes` at the end. */
  append(bytes: Uint8Array): Promise<void>;
  /** Cuts the file to `sizeBytes`. */
  truncate(sizeBytes: number): Promise<void>;
  /** Returns when all that was appended is on the disk (fdatasync). */
  sync(): Promise<void>;
  close(): void;
}

/** A held lock; released by {@link FileLock.release} or by the end of the process. */
export interface FileLock {
  /** Replaces the lock file's text, which says who holds it. */
  describe(text: string): Promise<void>;
  release(): void;
}

/**
 * The file system of the manager. Methods throw `Deno.errors.*`-like errors with a `code` (ENOENT ...) as they come.
 */
export interface Files {
  /** The file's text, or null if there is no such file. */
  readText(path: string): Promise<string | null>;
  /** The file's bytes, or null if there is no such file. */
  readBytes(path: string): Promise<Uint8Array | null>;
  /**
   * Reads the file in pieces from `offset` on. A piece is good until the next is asked for.
   * @throws {Error} With `code` ENOENT if there is no such file.
   */
  pieces(path: string, offset: number): AsyncIterable<Uint8Array>;
  /** SHA-256 of what would stand in a file of these pieces, as lower-case hex. */
  hash(pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>): Promise<string>;
  /** What is known of the file, or null if there is none. Follows links. */
  stamp(path: string): Promise<FileStamp | null>;
  /**
   * Replaces the file in one step: temp file in the same directory, fsync, rename, fsync of the directory.
   * @param mayReplace Asked when all is written, right before the rename: false leaves the file as it is. @returns Its
   * answer.
   */
  replace(
    path: string,
    content: string | readonly Uint8Array[],
    mayReplace?: () => Promise<boolean>,
  ): Promise<boolean>;
  /** Makes durable which files stand in a directory: who put one there may have been killed before it did. */
  syncDirectory(path: string): Promise<void>;
  /** Opens (and makes, if `create`) a file for appending; null if absent and not `create`. */
  openAppend(path: string, options: { create: boolean }): Promise<AppendFile | null>;
  /**
   * Takes the lock of a lock file, which is made if missing and never removed.
   * @param options `mode`: shared or exclusive; `wait`: false gives null at once when somebody else holds it.
   */
  lock(path: string, options: { mode: "shared" | "exclusive"; wait: boolean }): Promise<FileLock | null>;
  /** Makes the directory and its parents; no error if it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted; null if there is no such directory. */
  list(path: string): Promise<string[] | null>;
  /** Removes a file, durably; false if there was none. A directory is left alone: EISDIR. */
  remove(path: string): Promise<boolean>;
  /** The path with links resolved. */
  realPath(path: string): Promise<string>;
  /**
   * Writes a file as it comes, beside and then in its place, with this time of change. A link in its place is replaced,
   * not followed. What breaks off leaves nothing. Missing where nothing is fetched.
   */
  receive?(path: string, pieces: AsyncIterable<Uint8Array>, modifiedMs: number): Promise<void>;
  /** Yields the base names of what changes in a directory, until `signal` aborts. Several changes may come as one. */
  watch(directory: string, signal: AbortSignal): AsyncIterable<string>;
}

/** Names that nobody else makes. */
export interface Ids {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

/** A started process. Streams are bytes as they come. */
export interface Child {
  readonly pid: number;
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  /** Resolves when the process has ended; `code` is 128+n after a signal. Never rejects. */
  readonly ended: Promise<{ code: number; signal: string | null }>;
  /** Sends a signal; nothing happens if it has ended. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** This process need not stay for it and for who holds its pipes. Missing where no process could. */
  unref?(): void;
}

/** Starts programs of the manager: ssh, sh, tar. */
export interface Processes {
  /**
   * Starts `command[0]`, found on PATH, in a session of its own (a Ctrl-C of the terminal does not reach it).
   * @param options `spare`: so many further files must be left to open then, for what else this process does.
   * @throws {Error} If the program cannot be started; the message names it.
   */
  spawn(
    command: readonly string[],
    options?: { cwd?: string; env?: Record<string, string>; spare?: number },
  ): Child;
}

/** Where a server listens. `port` 0: any that is free. With `cert` and `key` (PEM texts) clients come by TLS. */
export interface ServeOptions {
  readonly hostname: string;
  readonly port: number;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Where they differ from the usual ones. */
  readonly limits?: Partial<ServeLimits>;
  /** Told of what went wrong where no request could be told. The server goes on. */
  readonly onFault?: (fault: unknown) => void;
}

/** What a client may take before it is cut off. */
export interface ServeLimits {
  /**
   * Time for the line and the headers of a request, counted from the connection or the request's first byte; for TLS
   * too.
   */
  readonly headMs: number;
  /** How long a connection may be open between two requests. */
  readonly idleMs: number;
  /** Time to take a reply, beside what its length allows. */
  readonly replyMs: number;
  readonly replyBytesPerSecond: number;
  /** Bytes of all replies that may wait to be taken; beyond, those that have waited longest are cut off. */
  readonly replyBytes: number;
  /** Connections at once; more are closed unheard. */
  readonly connections: number;
}

/** A server that listens. */
export interface Server {
  readonly port: number;
  /** So many files the process may have open, connections among them. */
  readonly files: number;
  /** Resident memory of the process, in bytes. */
  memory(): number;
  /** Takes no new requests; resolves when those that were begun are answered. */
  shutdown(): Promise<void>;
  /** Comes after {@link Server.shutdown}: the process ends a moment after all else, whatever connections are left. */
  abandon(): void;
}

/**
 * Answers a request. `remote` is the client's address. Nothing of the body is taken before the stream that `body`
 * makes is read; it is to be read instead of the request's own. A connection whose body was not read to its end is
 * closed after the reply. `trust` says that the client has shown the right password: when there are too many
 * connections, those of strangers go first.
 */
export type Handler = (
  request: Request,
  remote: string,
  body: () => ReadableStream<Uint8Array<ArrayBuffer>>,
  trust: () => void,
) => Response | Promise<Response>;

/**
 * Serves HTTP. Clients that are slow to ask, or to take what they asked for, are cut off.
 * @throws {Error} With `code` EADDRINUSE, EACCES ... if it cannot listen there.
 */
export type Serve = (options: ServeOptions, handler: Handler) => Promise<Server>;

/**
 * Posts a text of JSON to an address. @returns The status of the answer. @throws {Error} If there is none.
 */
export type Post = (url: string, body: string, signal: AbortSignal) => Promise<number>;

/** The process's surroundings. */
export interface Environment {
  get(name: string): string | undefined;
  /** Working directory. */
  cwd(): string;
  /** Name of the user who runs the program; `""` if unknown. */
  user(): string;
  hostname(): string;
  readonly pid: number;
  /** The words that start this program once more; arguments come after them. Missing where nothing may be started. */
  readonly self?: readonly string[];
}

/** The whole of it. */
export interface Deps {
  readonly clock: Clock;
  readonly files: Files;
  readonly ids: Ids;
  readonly processes: Processes;
  readonly environment: Environment;
  /** Missing where nothing may listen. */
  readonly serve?: Serve;
  /** Missing where nothing may be sent anywhere. */
  readonly post?: Post;
  /**
   * The files below a directory (an absolute path without links) whose contents are not trusted. Missing where {@link
   * Deps.files} will do.
   */
  readonly servedFiles?: (root: string) => Promise<Files>;
  /** Lets other processes go first from now on: this one only looks. Missing where that makes no difference. */
  readonly giveWay?: () => Promise<void>;
}
