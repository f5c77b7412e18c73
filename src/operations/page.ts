/**
 * One page of a listing. A cursor says where the next one begins; it stays useful when records come and go meanwhile.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

/** Which part of a listing. */
export interface PageRequest<T> {
  readonly limit?: number | undefined;
  /** The {@link Page.next} of the page before. */
  readonly cursor?: string | undefined;
  /** Which records count. */
  readonly keep?: ((record: T) => boolean) | undefined;
}

/** A part of a listing, and where the next begins: null after the last. */
export interface Page<T> {
  readonly records: T[];
  readonly next: string | null;
}

/**
 * Takes a page of records in their order.
 * @throws {InvalidError} If the cursor was not made by this program.
 */
export function pageOf<T>(all: ReadonlyMap<string, T>, request: PageRequest<T>): Page<T> {
  const { limit = Infinity, cursor, keep = () => true } = request;
  const from = cursor === undefined ? 0 : positionAfter([...all.keys()], cursor);
  const records: T[] = [];
  let at = 0;
  let last = "";
  for (const [name, record] of all) {
    if (at++ < from || !keep(record)) continue;
    if (records.length >= limit) return { records, next: last };
    records.push(record);
    last = `${at}:${name}`;
  }
  return { records, next: null };
}

/** After the record that the cursor names; if that is gone, where it was. */
function positionAfter(names: readonly string[], cursor: string): number {
  const match = /^([0-9]{1,9}):(.+)$/.exec(cursor);
  if (match === null) {
    throw new InvalidError([`Cannot go on at ${JSON.stringify(cursor)}: it is no cursor of a listing`]);
  }
  const at = names[Number(match[1]) - 1] === match[2] ? Number(match[1]) - 1 : names.indexOf(match[2]!);
  return at < 0 ? Number(match[1]) - 1 : at + 1;
}
