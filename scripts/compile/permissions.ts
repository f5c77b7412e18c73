/**
 * The permissions that the executable has, whichever way it is made.
 *
 * Full `--allow-run`: sending a signal to a process or its group needs it, and with a list every start of a program fails
 * as soon as the user's environment has an `LD_*`. No foreign code (`ffi`), no imports from the network.
 *
 * @module
 */

/** Flags for `deno run` and `deno compile`. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-run",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
];
