/**
 * rsync over the same ssh as all else, where both ends have it.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { renderDuration } from "../names/units.ts";
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";
import { textOf } from "./stage.ts";

/** The files cannot be sent; the connection is not the cause. */
export class PushError extends Error {
  override name = "PushError";
}

/** What is said of a machine that took no byte for too long. */
export function idleError(idleMs: number): PushError {
  return new PushError(`no byte was taken for ${renderDuration(idleMs)}`);
}

/** What rsync ends with when its `--timeout` is over. */
const IDLE = 30;
/** rsync does not know a word, or speaks another version. */
const IS_OTHER = new Set([1, 2, 4]);

/**
 * Sends files to a directory or a file there. @param options Words for rsync. @param to Below the home directory, or
 * absolute. @param idleMs So long no byte may move. @returns What it said; null where one end has no rsync that will
 * do. @throws {LinkError} If the machine
 * cannot be reached. @throws {PushError} If it cannot take the files, with the reason.
 */
export async function rsync(
  deps: Deps,
  machine: Machine,
  options: readonly string[],
  from: readonly string[],
  to: string,
  idleMs?: number,
): Promise<string | null> {
  const words = sshCommand(deps.environment, machine, "");
  const at = words.lastIndexOf("--");
  const host = words[at + 1]!;
  const ssh = words.slice(0, at);
  if (isLocal(machine) || ssh.some((word) => word.includes("'"))) return null;
  const command = [
    ...["rsync", ...options, "-s", "--no-motd"],
    ...idleMs === undefined ? [] : [`--timeout=${Math.ceil(idleMs / 1000)}`],
    ...["-e", ssh.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`).join(" ")],
    ...["--", ...from, `${host.includes(":") ? `[${host}]` : host}:${to}`],
  ];
  const child = started(deps, command);
  if (child === null) return null;
  child.stdin.close().catch(() => {});
  const [said, complained, { code }] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.ended]);
  if (code === 0) return said;
  if (code === 127 || IS_OTHER.has(code) || /rsync: (?:command )?not found|Unknown command: rsync/i.test(complained)) {
    return null;
  }
  if (code === IDLE && idleMs !== undefined) throw idleError(idleMs);
  if (isLinkLost(code, complained)) {
    const { reason, lasting } = explainSsh(machine, complained, 255);
    throw new LinkError(machineText(machine), reason, lasting);
  }
  throw new PushError(firstOf(complained) || `rsync ended with ${code}`);
}

/** 12 is also what rsync says when the far end refuses, for which that has a line of its own. */
function isLinkLost(code: number, complained: string): boolean {
  if (code !== 12) return code === 255 || code === 10 || code === 30 || code === 137;
  const own = complained.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("rsync"));
  if (/No space left|quota exceeded|Read-only file system|Permission denied/i.test(complained)) return false;
  return own.every((line) => /connection|timed out|client_loop|broken pipe|closed by/i.test(line));
}

function started(deps: Deps, command: readonly string[]): ReturnType<Deps["processes"]["spawn"]> | null {
  try {
    return deps.processes.spawn(command, { env: { LC_ALL: "C" } });
  } catch {
    return null; // There is no rsync here.
  }
}

/** What a program complained of first, in one line. */
export function firstOf(text: string): string {
  return oneLine(text.split("\n").find((line) => line.trim() !== "") ?? "");
}
