/**
 * Sends files of the manager to a machine: by rsync over the same ssh where both ends have it, which sends only what
 * changed and goes on where it was cut off; else as a tar stream.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { quote } from "../names/quote.ts";
import pushText from "./push.sh" with { type: "text" };
import { explainSsh, oneLine, sshCommand } from "./ssh.ts";
import { FAR_END, FAR_END_HERE, lineOf } from "./stage.ts";

/** A file or directory of the manager, and what of its path is kept over there. */
export interface Pushed {
  /** Absolute. */
  readonly base: string;
  /** Below it. */
  readonly kept: string;
}

/** What was sent. Of a tar stream nobody counts the files. */
export interface PushReport {
  readonly way: "rsync" | "tar";
  readonly files: number | null;
  readonly bytes: number | null;
}

const TRIES = 3;
const PAUSE_MS = 1_000;
const farText = lineOf(pushText);

/** The files cannot be sent; the connection is not the cause. */
export class PushError extends Error {
  override name = "PushError";
}

/**
 * Sends files. @param directory Over there: below the home directory, or absolute. @throws {LinkError} If the machine
 * cannot be reached. @throws {PushError} If it cannot take them, with the reason.
 */
export async function pushFiles(
  deps: Deps,
  machine: Machine,
  paths: readonly Pushed[],
  directory: string,
): Promise<PushReport> {
  for (let tries = 1;; tries++) {
    try {
      return await byRsync(deps, machine, paths, directory) ?? await byTar(deps, machine, paths, directory);
    } catch (error) {
      if (!(error instanceof LinkError) || error.lasting || tries >= TRIES) throw error;
    }
    await deps.clock.sleepUntil(deps.clock.now() + PAUSE_MS);
  }
}

/** As rsync has it; null where one end has no rsync, or it cannot be told the way. */
async function byRsync(
  deps: Deps,
  machine: Machine,
  paths: readonly Pushed[],
  directory: string,
): Promise<PushReport | null> {
  const words = sshCommand(deps.environment, machine, "");
  const at = words.lastIndexOf("--");
  const host = words[at + 1]!;
  const ssh = words.slice(0, at);
  if (isLocal(machine) || ssh.some((word) => word.includes("'"))) return null;
  const there = directory.startsWith("~/") ? directory.slice(2) : directory;
  const command = [
    ...["rsync", "-r", "-l", "-p", "-t", "-D", "-R", "-s", "--partial", "--stats", "--no-motd"],
    ...["-e", ssh.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`).join(" ")],
    `--rsync-path=mkdir -p ${quote(there)} && rsync`,
    ...["--", ...paths.map(({ base, kept }) => `${base}/./${kept}`)],
    `${host.includes(":") ? `[${host}]` : host}:${there}/`,
  ];
  const child = started(deps, command);
  if (child === null) return null;
  child.stdin.close().catch(() => {});
  const [said, complained, { code }] = await Promise.all([textOf(child.stdout), textOf(child.stderr), child.ended]);
  if (code !== 0) {
    if (code === 127 || /rsync: (?:command )?not found|Unknown command: rsync/i.test(complained)) return null;
    if (isLinkLost(code, complained)) {
      const { reason, lasting } = explainSsh(machine, complained, 255);
      throw new LinkError(machineText(machine), reason, lasting);
    }
    throw new PushError(firstOf(complained) || `rsync ended with ${code}`);
  }
  return {
    way: "rsync",
    files: numberIn(said, /^Number of (?:regular )?files transferred: ([0-9,]+)/m),
    bytes: numberIn(said, /^Total transferred file size: ([0-9,]+)/m),
  };
}

/** 12 is also what rsync says when the far end refuses, for which that has a line of its own. */
function isLinkLost(code: number, complained: string): boolean {
  if (code !== 12) return code === 255 || code === 10 || code === 30;
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

async function byTar(
  deps: Deps,
  machine: Machine,
  paths: readonly Pushed[],
  directory: string,
): Promise<PushReport> {
  const where = machineText(machine);
  const far = deps.processes.spawn(
    isLocal(machine) ? ["sh", "-c", FAR_END_HERE] : sshCommand(deps.environment, machine, FAR_END),
  );
  const complained = textOf(far.stderr);
  const told = textOf(far.stdout);
  const writer = far.stdin.getWriter();
  writer.closed.catch(() => {});
  writer.write(new TextEncoder().encode(`${farText}\n${directory}\n`)).catch(() => {});
  const words = paths.flatMap(({ base, kept }) => ["-C", base, `./${kept}`]);
  const tar = deps.processes.spawn(["tar", "-cf", "-", ...words], { env: { COPYFILE_DISABLE: "1" } });
  tar.stdin.close().catch(() => {});
  const [packing, { code: packed }] = await Promise.all([textOf(tar.stderr), tar.ended, pipe(tar, writer)]);
  const { code, signal } = await far.ended;
  await told;
  if (signal !== null) throw new LinkError(where, "the connection was lost", false);
  if (code === 255) {
    const { reason, lasting } = explainSsh(machine, await complained, code);
    throw new LinkError(where, reason, lasting);
  }
  if (code !== 0) throw new PushError(firstOf(await complained) || `its shell ended with ${code}`);
  if (packed > 1 && packed < 128) throw new PushError(firstOf(packing) || `tar ended with ${packed}`);
  return { way: "tar", files: null, bytes: null };
}

async function pipe(
  from: { readonly stdout: ReadableStream<Uint8Array>; kill(signal: "SIGKILL"): void },
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for await (const chunk of from.stdout) await writer.write(chunk);
    await writer.close();
  } catch {
    from.kill("SIGKILL");
    writer.abort().catch(() => {});
  }
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text().catch(() => "");
}

/** What a program complained of first, in one line. */
function firstOf(text: string): string {
  return oneLine(text.split("\n").find((line) => line.trim() !== "") ?? "");
}

function numberIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found.replaceAll(",", ""));
}
