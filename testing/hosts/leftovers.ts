/**
 * Where rigs live, whom they belong to, and how those of dead owners go away.
 *
 * A rig's directory is `/tmp/cms-rig-PID-START-ID`: its owner's pid and start time (clock ticks since boot) and six hex
 * digits, which also name its network devices. The owner stands in the name because a name is there in one step.
 *
 * @module
 */

import { outcomeOf } from "./shell.ts";

const place = "/tmp";
const takeDownScript = new URL("./take_down.sh", import.meta.url).pathname;
const rigName = /^cms-rig-(\d+)-(\d+)-[0-9a-f]{6}$/;

/** Start time of a process in clock ticks since boot; null if there is no such process. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name in brackets may hold anything, so count from the last bracket: state is the first field after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** Makes the directory of a new rig of this process. */
export function makeRigDirectory(): { path: string; id: string } {
  while (true) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, "0"));
    const path = `${place}/cms-rig-${Deno.pid}-${startTimeOf(Deno.pid)}-${id.join("")}`;
    try {
      Deno.mkdirSync(path, { mode: 0o755 });
      return { path, id: id.join("") };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** Directories of all rigs of this machine, or only of those whose owner is dead. */
export function findRigs(which: "all" | "orphaned"): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync(place)) {
    const [, pid, start] = rigName.exec(name) ?? [];
    if (pid === undefined) continue;
    if (which === "all" || startTimeOf(Number(pid)) !== start) found.push(`${place}/${name}`);
  }
  return found;
}

/** The command that takes rigs down, all that is left of them. */
export function takeDownCommand(rigs: readonly string[]): string[] {
  return ["sh", takeDownScript, ...rigs];
}

/** Takes down the rigs of processes that died before they could. */
export async function sweepLeftovers(): Promise<void> {
  const rigs = findRigs("orphaned");
  if (rigs.length > 0) await outcomeOf(takeDownCommand(rigs));
}
