/**
 * How the executable starts Deno, whichever way it is made: the permissions that the program has, and how it is
 * compiled.
 *
 * Full `--allow-run`: sending a signal to a process or its group needs it, and with a list every start of a program
 * fails as soon as the user's environment has an `LD_*`. No foreign code (`ffi`), no imports from the network.
 *
 * @module
 */

/** Flags for `deno run` and `deno compile`. */
export const FLAGS: readonly string[] = [
  // All functions are compiled when the code cache is made, not each at its first call in every process. And memory is
  // looked through before there is three times as much garbage as use: a run of 100,000 jobs needs 100 MB less, and no
  // more time.
  "--v8-flags=--no-lazy,--max-semi-space-size=8,--heap-growing-percent=50",
  "--no-prompt",
  "--allow-run",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
];
