/**
 * Links to hosts, as far as requests may hold them: so many to one machine, so many in all. A machine that is silent
 * keeps only those waiting who ask for it.
 *
 * @module
 */

import { machineKey, machineText } from "../cluster/machine.ts";
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

/**
 * A {@link Connect} with bounds.
 * @param files So many files the process may have open.
 */
export function boundedConnect(connect: Connect, files: number): Connect {
  const all = new Gate(Math.max(FEWEST_IN_ALL, Math.min(MOST_IN_ALL, Math.floor((files - OTHER_FILES) / FILES_EACH))));
  const largeReads = new Gate(LARGE_READS);
  const machines = new Map<string, OfMachine>();

  return async (machine, options) => {
    const key = machineKey(machine);
    const mine = machines.get(key) ?? { open: new Gate(OPEN), largeReads: new Gate(1), count: 0 };
    if (mine.count >= OPEN + WAITING) {
      throw new LinkError(machineText(machine), "too many requests wait for it; try again", false);
    }
    machines.set(key, mine);
    mine.count++;
    const closed = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<Link>();
    const hold = async () => {
      opened.resolve(await connect(machine, options));
      await closed.promise;
    };
    // The machine's place first: who waits for a silent one takes none of the places in all.
    mine.open.pass(() => all.pass(hold)).catch(opened.reject).finally(() => {
      if (--mine.count === 0) machines.delete(key);
    });
    const link = await opened.promise;
    const { close, read } = link;
    return Object.assign(link, {
      close: () => close.call(link).finally(() => closed.resolve()),
      read: ((attempt, file, how) => {
        const one = () => read.call(link, attempt, file, how);
        return how.maxBytes <= LARGE_BYTES ? one() : mine.largeReads.pass(() => largeReads.pass(one));
      }) satisfies Link["read"],
    });
  };
}
