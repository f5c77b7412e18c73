/**
 * Variables of an environment: which a person may set, for a job or for all jobs of a host. Pure.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

/** Variables and their values. */
export type Environment = Readonly<Record<string, string>>;

/**
 * A name that a person may set. Those of the program and its agent (`CMS_`, `c_`) are not, nor are those that a shell
 * keeps for itself: it may refuse them, or make something else of the value.
 */
export const VARIABLE =
  /^(?!(?:CMS_.*|CLOUDMESH_JOB|c_.*|_|IFS|OPTIND|LINENO|RANDOM|SRANDOM|SECONDS|EPOCH.*|UID|EUID|PPID|GROUPS|DIRSTACK|FUNCNAME|HISTCMD|PIPESTATUS|PWD|OLDPWD|SHELLOPTS|BASHOPTS|BASH(?!_ENV$).*)$)[A-Za-z_][A-Za-z0-9_]{0,199}$/;

/** What {@link VARIABLE} takes, in words. */
export const VARIABLE_HINT =
  "a variable's name: letters, digits and _; not CMS_..., c_..., nor one that a shell keeps for itself, such as IFS or PWD";

/** Linux takes no longer entry of an environment: `NAME=VALUE` and a NUL. */
const LONGEST = 131_071;

/** Reads variables. @throws {InvalidError} If one cannot be set; the message does not name the field. */
export function readEnvironment(value: unknown): Environment | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(value, "give a map");
  const entries = (value instanceof Map ? [...value] : Object.entries(value)) as [unknown, unknown][];
  const kept = entries.map(([name, one]): [string, string] => {
    if (typeof name !== "string" || !VARIABLE.test(name)) return refuse(name, `use ${VARIABLE_HINT}`);
    if (typeof one === "object" && one !== null) return refuse(name, "its value is no text");
    const text = one === null || one === undefined ? "" : String(one);
    if (text.includes("\0")) return refuse(name, "its value holds a NUL character");
    const bytes = new TextEncoder().encode(`${name}=${text}`).length;
    if (bytes >= LONGEST) return refuse(name, `its value is too long; Linux takes ${LONGEST - 1} bytes with the name`);
    return [name, text];
  });
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

function refuse(value: unknown, hint: string): never {
  const shown = typeof value === "object" ? JSON.stringify(value) ?? "this" : String(value);
  throw new InvalidError([`${JSON.stringify(shown.slice(0, 200))} cannot be used: ${hint}`]);
}
