/**
 * The options of `deno task compile`.
 *
 * @module
 */

import { parseArgs } from "node:util";

/**
 * `auto`: `deno compile`, and a self-extracting file where its base binary cannot be had; the others: only that way.
 */
export type Transport = "auto" | "deno-compile" | "self-extracting";

/** What to make. */
export interface CompileOptions {
  /** As `deno compile` names it, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** Path of the file to make. */
  readonly output: string;
  /** Which way may be taken. */
  readonly way: Transport;
}

/** One text for `--help`. */
export const USAGE =
  `Usage: deno task compile [--target=TARGET] [--output=dist/cms] [--way=auto|deno-compile|self-extracting]

Makes one file that runs where neither Node nor Deno is installed.
  --target  x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu, x86_64-apple-darwin or aarch64-apple-darwin (default: this one)
  --way     deno-compile: fail where its base binary cannot be had; self-extracting: do not even ask for it (default: auto)
DENORT_BIN names a base binary (denort) for \`deno compile\` that is already here.
`;

const WAYS: readonly string[] = ["auto", "deno-compile", "self-extracting"] satisfies Transport[];

/**
 * Reads the arguments.
 * @param thisTarget The platform that runs this.
 * @returns The options, or `"help"`.
 * @throws {RangeError} If they are wrong; the message is one line.
 */
export function parseOptions(args: readonly string[], thisTarget: string): CompileOptions | "help" {
  const options = { target: { type: "string" }, output: { type: "string" }, way: { type: "string" } } as const;
  const { values } = (() => {
    try {
      return parseArgs({ args: [...args], options: { ...options, help: { type: "boolean", short: "h" } } });
    } catch (error) {
      throw new RangeError((error as Error).message, { cause: error });
    }
  })();
  if (values.help) return "help";
  const way = values.way ?? "auto";
  if (!WAYS.includes(way)) throw new RangeError(`--way is one of ${WAYS.join(", ")}, not "${way}"`);
  if (values.target === "" || values.output === "") throw new RangeError("--target and --output need a value");
  return { target: values.target ?? thisTarget, output: values.output ?? "dist/cms", way: way as Transport };
}
