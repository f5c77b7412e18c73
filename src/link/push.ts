/**
 * Sends files of the manager to a machine: by rsync over the same ssh where both ends have it, which sends only what
 * changed and goes on where it was cut off; else as a tar stream.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Clock, Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { quote } from "../names/quote.ts";
import pushText from "./push.sh" with { type: "text" };
import putText from "./put.sh" with { type: "text" };
import { firstOf, idleError, PushError, rsync } from "./rsync.ts";
import type { SentPath } from "./sent_path.ts";
import { explainSsh, sshCommand } from "./ssh.ts";
import { startFor } from "./started.ts";
import { FAR_END, FAR_END_HERE, lineOf, pipe, textOf } from "./stage.ts";

/** What was sent. Of a tar stream nobody counts the files. */
export interface PushReport {
  readonly way: "rsync" | "tar";
  readonly files: number | null;
  readonly bytes: number | null;
}

const TRIES = 3;
const PAUSE_MS = 1_000;
/** A machine that takes no byte for so long is given up: its disk may hang, or a program on it. */
const IDLE_MS = 5 * 60_000;
const farText = lineOf(`${putText}\n${pushText}`);

/**
 * Sends files. @param directory Over there: below the home directory, or absolute. @throws {LinkError} If the machine
 * cannot be reached. @throws {PushError} If it cannot take them, with the reason.
 */
export async function pushFiles(
  deps: Deps,
  machine: Machine,
  paths: readonly SentPath[],
  directory: string,
  idleMs: number = IDLE_MS,
): Promise<PushReport> {
  for (let tries = 1;; tries++) {
    try {
      return await byRsync(deps, machine, paths, directory, idleMs) ??
        await byTar(deps, machine, paths, directory, idleMs);
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
  paths: readonly SentPath[],
  directory: string,
  idleMs: number,
): Promise<PushReport | null> {
  const there = directory.startsWith("~/") ? directory.slice(2) : directory;
  const options = [
    ...["-r", "-l", "-p", "-t", "-D", "-R", "--stats", "--partial-dir=.cms-partial"],
    `--rsync-path=cd && mkdir -p ${quote(there)} && rsync`,
  ];
  const from = paths.map(({ base, kept }) => `${base}/./${kept}`);
  const said = await rsync(deps, machine, options, from, `${there}/`, idleMs);
  return said === null ? null : {
    way: "rsync",
    files: numberIn(said, /^Number of (?:regular )?files transferred: ([0-9,]+)/m),
    bytes: numberIn(said, /^Total transferred file size: ([0-9,]+)/m),
  };
}

async function byTar(
  deps: Deps,
  machine: Machine,
  paths: readonly SentPath[],
  directory: string,
  idleMs: number,
): Promise<PushReport> {
  const where = machineText(machine);
  const far = startFor(
    deps,
    machine,
    isLocal(machine) ? ["sh", "-c", FAR_END_HERE] : sshCommand(deps.environment, machine, FAR_END),
  );
  const complained = textOf(far.stderr);
  const told = textOf(far.stdout);
  const writer = far.stdin.getWriter();
  writer.closed.catch(() => {});
  writer.write(new TextEncoder().encode(`${farText}\n${directory}\n`)).catch(() => {});
  const words = paths.flatMap(({ base, kept }) => ["-C", base, `./${kept}`]);
  const tar = startFor(deps, machine, ["tar", "-cf", "-", ...words], { env: { COPYFILE_DISABLE: "1" } });
  tar.stdin.close().catch(() => {});
  const idle = whenIdle(deps.clock, idleMs, () => far.kill("SIGKILL"));
  const [packing, { code: packed }] = await Promise.all([textOf(tar.stderr), tar.ended, pipe(tar, writer, idle.moved)]);
  const { code, signal } = await far.ended;
  await told;
  if (await idle.end()) throw idleError(idleMs);
  if (signal !== null) throw new LinkError(where, "the connection was lost", false);
  if (code === 255) {
    const { reason, lasting } = explainSsh(machine, await complained, code);
    throw new LinkError(where, reason, lasting);
  }
  if (code !== 0) throw new PushError(firstOf(await complained) || `its shell ended with ${code}`);
  if (packed > 1 && packed < 128) throw new PushError(firstOf(packing) || `tar ended with ${packed}`);
  return { way: "tar", files: null, bytes: null };
}

/** Calls `act` when nothing has moved for so long. `end` says whether it did, and ends the watch. */
function whenIdle(
  clock: Clock,
  idleMs: number,
  act: () => void,
): { moved: () => void; end: () => Promise<boolean> } {
  const over = new AbortController();
  let movedMs = clock.now();
  const watch = async (): Promise<boolean> => {
    while (!over.signal.aborted) {
      if (clock.now() >= movedMs + idleMs) {
        act();
        return true;
      }
      await clock.sleepUntil(movedMs + idleMs, over.signal);
    }
    return false;
  };
  const hasActed = watch();
  return {
    moved: () => void (movedMs = clock.now()),
    end: () => {
      over.abort();
      return hasActed;
    },
  };
}

function numberIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found.replaceAll(",", ""));
}
