/**
 * The arguments of `deno test` for a run of the suite. Files run side by side (DENO_JOBS=1 runs them one by one): most of their time is
 * waiting for hosts, and on two cores it took 0.6 of the time. So a test must not change the process's directory or environment.
 *
 * @module
 */

/** Options of `deno test` whose value may stand in the next argument and could be taken for a file. */
const valued = new Set(["--filter", "--ignore", "--reporter", "--coverage", "--retry", "--repeats", "--shard"]);

/**
 * Puts the arguments together.
 * @param given The user's arguments: options of `deno test`, files and directories. Without one of the latter all of `tests/` is
 * run.
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
