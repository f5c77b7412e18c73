/**
 * The arguments of `deno test` for a run of the suite, and how many files run side by side (DENO_JOBS=1 runs them one
 * by one). Most of their time is waiting for hosts: on two cores one file more than there are cores took 0.75 of the
 * time of two. So a test must not change the process's directory or environment.
 *
 * @module
 */

/** Options of `deno test` whose value may stand in the next argument and could be taken for a file. */
const valued = new Set(["--filter", "--ignore", "--reporter", "--coverage", "--retry", "--repeats", "--shard"]);

/**
 * Puts the arguments together.
 * @param given The user's arguments: options of `deno test`, files and directories. Without one of the latter all of
 * `tests/` is run.
 * @param options `junit`: where the results go; `isLocked`: whether there is a lock file to keep to.
 */
export function testArguments(given: readonly string[], options: { junit: string; isLocked: boolean }): string[] {
  const hasFiles = given.some((each, index) => !each.startsWith("-") && !valued.has(given[index - 1] ?? ""));
  return [
    ...["test", "-A", "--parallel", `--junit-path=${options.junit}`],
    ...(options.isLocked ? ["--frozen"] : []),
    ...given,
    ...(hasFiles ? [] : ["tests/"]),
  ];
}

/** `DENO_JOBS`: as many files at once as there are cores, and one. */
export function filesAtOnce(cores: number): string {
  return String(cores + 1);
}
