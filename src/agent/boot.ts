/**
 * Which machine it is, and since when it runs: `MACHINE/BOOT`, as the agent's hello says it. MACHINE is the host name,
 * with a part of the machine-id where there is one (`red+3d1219c7`); it stays over a boot. BOOT is another each time.
 * Pure.
 *
 * @module
 */

/** The machine of a `MACHINE/BOOT`; null if it names none. */
export function machineOfBoot(boot: string): string | null {
  const end = boot.indexOf("/");
  return end < 0 ? null : boot.slice(0, end);
}

const OVER = "/slurm-over.";

/**
 * How the allocation ended whose node this boot stands for, in Slurm's word: nothing of it is left, but its files are
 * there. null if it is none that is over.
 */
export function endOfAllocation(boot: string | null): string | null {
  const at = boot?.indexOf(OVER) ?? -1;
  // A blank would end a word of the hello.
  return at < 0 ? null : boot!.slice(at + OVER.length).replaceAll("+", " ");
}

/** True if claims that were made in the boot `recorded` are still there in the boot `present`. */
export function keepsClaims(recorded: string | null, present: string | null): boolean {
  return recorded === present ||
    (recorded !== null && endOfAllocation(present) !== null && machineOfBoot(recorded) === machineOfBoot(present!));
}

/** A machine's name for people: without the part of the machine-id. */
export function hostOfMachine(machine: string): string {
  return machine.replace(/\+[0-9a-f]{8}$/, "");
}

/**
 * True if what was started under `recorded` is on another machine than the one that says `present`: a boot explains no
 * difference.
 */
export function isElsewhere(recorded: string | null, present: string | null): boolean {
  if (recorded === null || present === null || recorded === present) return false;
  const there = machineOfBoot(recorded);
  if (there === null) return false;
  // Its host name may be another by now; a boot is one machine's alone.
  if (recorded.slice(there.length) === present.slice(present.indexOf("/"))) return false;
  const here = machineOfBoot(present);
  return here !== null && here !== there;
}
