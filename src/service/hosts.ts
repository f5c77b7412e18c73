/**
 * Links to hosts, as far as requests may hold them: so many to one machine, so many in all. A machine that is silent
 * keeps only those waiting who ask for it.
 *
 * @module
 */

import { type Machine, machineKey, machineText } from "../cluster/machine.ts";
import { LinkError } from "../errors.ts";
import { Gate } from "../link/gate.ts";
import type { Connect, Link } from "../link/link.ts";

/** Links to one machine that may be open at once, and requests that may wait for one beside them. */
const OPEN = 8;
const WAITING = 8;
/** Links in all; each takes some files. */
const MOST_IN_ALL = 64;
const FEWEST_IN_ALL = 4;
const FILES_EACH = 8;
/** Files that are kept for all else. */
const OTHER_FILES = 64;
/**
 * Reads of this size are kept in memory while they come, so they are few: of one machine one, and so many in all. They
 * are not sent on as they come: a client that takes its reply slowly would hold one of the few links meanwhile.
 */
const LARGE_BYTES = 1024 * 1024;
const LARGE_READS = 4;

interface OfMachine {
  readonly open: Gate;
  readonly largeReads: Gate;
  /** Links that are open, and who waits for one. */
  count: number;
}

/** Does work that takes a session to a machine, when there is a place. @throws {LinkError} If too many wait. */
export type Visit = <T>(machine: Machine, work: () => Promise<T>) => Promise<T>;

/**
 * A {@link Connect} with bounds, and the same bounds for sessions of other kinds.
 * @param files So many files the process may have open.
 */
export function boundedHosts(connect: Connect, files: number): { readonly connect: Connect; readonly visit: Visit } {
  const all = new Gate(Math.max(FEWEST_IN_ALL, Math.min(MOST_IN_ALL, Math.floor((files - OTHER_FILES) / FILES_EACH))));
  const largeReads = new Gate(LARGE_READS);
  const machines = new Map<string, OfMachine>();

  const enter = (machine: Machine): OfMachine => {
    const key = machineKey(machine);
    const mine = machines.get(key) ?? { open: new Gate(OPEN), largeReads: new Gate(1), count: 0 };
    if (mine.count >= OPEN + WAITING) {
      throw new LinkError(machineText(machine), "too many requests wait for it; try again", false);
    }
    machines.set(key, mine);
    mine.count++;
    return mine;
  };
  // The machine's place first: who waits for a silent one takes none of the places in all.
  const hold = <T>(machine: Machine, mine: OfMachine, work: () => Promise<T>): Promise<T> =>
    mine.open.pass(() => all.pass(work)).finally(() => {
      if (--mine.count === 0) machines.delete(machineKey(machine));
    });

  return {
    visit: async (machine, work) => await hold(machine, enter(machine), work),
    connect: async (machine, options) => {
      const mine = enter(machine);
      const closed = Promise.withResolvers<void>();
      const opened = Promise.withResolvers<Link>();
      hold(machine, mine, async () => {
        opened.resolve(await connect(machine, options));
        await closed.promise;
      }).catch(opened.reject);
      const link = await opened.promise;
      const { close, read } = link;
      return Object.assign(link, {
        close: () => close.call(link).finally(() => closed.resolve()),
        read: ((attempt, file, how) => {
          const one = () => read.call(link, attempt, file, how);
          return how.maxBytes <= LARGE_BYTES ? one() : mine.largeReads.pass(() => largeReads.pass(one));
        }) satisfies Link["read"],
      });
    },
  };
}
