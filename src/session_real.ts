/**
 * Programs in sessions of their own, at a price that does not grow with this process.
 *
 * The runtime makes a session by a fork (`detached`): the system then copies the tables of all memory of this process,
 * 8 ms with 200 MB on a slow machine, and nothing else is done here until then. A child that shares this session needs
 * no copy: 0.7 ms with any memory. So where the system has `setsid`, that is started; it makes the session and becomes
 * the program, with the same pid. The C library's own signals, 32 and 33, are ignored there then, as in all that it
 * starts without a fork; who needs them sets them.
 *
 * @module
 */

/** Of the system; one elsewhere on PATH is nobody's that is known. */
const PLACES = ["/usr/bin/setsid", "/bin/setsid"];
const ANY_MAY_EXECUTE = 0o111;

let setsid: string | null | undefined;

/**
 * The command with which a program is started in a session of its own; null where only the runtime can make one, or
 * knows best why the program cannot be started.
 * @param path The PATH of the program.
 */
export function sessionCommand(
  [program = "", ...args]: readonly string[],
  path: string = Deno.env.get("PATH") ?? "",
): readonly [string, ...string[]] | null {
  if (setsid === undefined) setsid = PLACES.find(isProgram) ?? null;
  if (setsid === null) return null;
  const places = program.includes("/") ? [program] : path.split(":").map((directory) => `${directory}/${program}`);
  // A relative one depends on where it is started.
  const isThere = places.some((place) => place.startsWith("/") && isProgram(place));
  return isThere ? [setsid, program, ...args] : null;
}

function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & ANY_MAY_EXECUTE) !== 0;
  } catch {
    return false;
  }
}
