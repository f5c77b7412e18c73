/**
 * What the grammar library needs of `node:process`: see `../bundle.ts`. Terminal, arguments and exit are given to it by
 * the program.
 *
 * @module
 */

const nothing = { isTTY: false, write: () => false };

/** As `node:process` exports it. */
export default {
  argv: [],
  execArgv: [],
  versions: {},
  platform: Deno.build.os,
  stdout: nothing,
  stderr: nothing,
  get env(): Record<string, string> {
    return Deno.env.toObject();
  },
  exit: (code: number): never => Deno.exit(code),
};
