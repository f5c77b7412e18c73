/**
 * How many connections a server may take, by the files that the process may open.
 *
 * When a burst of connections finds no free file descriptor, the runtime takes none until the server listens anew
 * (`serve_watch_real.ts`). So the server must know the limit: where it cannot, it does not start.
 *
 * @module
 */

/** Most connections, however many files there may be. */
const MOST = 8_000;
/**
 * Connections that may wait to be taken: as many as come in a moment in which the process stands still. Who comes
 * beyond is not heard of for a second, when its system tries again.
 */
const MOST_WAITING = 511;
/** So many are taken before those that go for them are closed, and files that are kept for all else. */
const TAKEN_AT_ONCE = 256;
const OTHER_FILES = 128;
/** Below this there is no room for connections beside the program's own files and links to hosts. */
const FEWEST_FILES = 64;

/** Connections at once, those that may wait to be taken, and the limit that both follow from. */
export interface Room {
  readonly files: number;
  readonly connections: number;
  readonly backlog: number;
}

/**
 * The room for connections in this process.
 * @throws {Error} If the limit cannot be found out, or is too small to serve.
 */
export async function roomForConnections(): Promise<Room> {
  const files = await mostFiles();
  if (files < FEWEST_FILES) {
    throw new Error(`${files} files may be open at once, which is too few: say ulimit -n ${FEWEST_FILES} or more`);
  }
  const connections = Math.min(MOST, Math.max(8, Math.floor(files / 2) - 30));
  const isMuch = connections + TAKEN_AT_ONCE + OTHER_FILES <= files;
  const backlog = isMuch ? MOST_WAITING : Math.min(MOST_WAITING, Math.max(4, Math.floor(files / 5)));
  return { files, connections, backlog };
}

/** A child has the limits of this process. The executable may not read `/proc/self`, and some systems have none. */
async function mostFiles(): Promise<number> {
  const text = await new Deno.Command("/bin/sh", {
    args: ["-c", "ulimit -n"],
    env: { ENV: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output().then(({ stdout }) => new TextDecoder().decode(stdout).trim(), () => "");
  const files = text === "unlimited" ? Infinity : Number(text);
  if (text === "" || Number.isNaN(files)) {
    throw new Error("it cannot be found out how many files may be open (sh -c 'ulimit -n')");
  }
  return files;
}
