/**
 * Work whose result is the same for all who ask at the same time: it goes on once, however many wait for it.
 *
 * @module
 */

/** What goes on for a key, and what comes after it. */
interface Going<T> {
  readonly now: Promise<T>;
  next: Promise<T> | null;
}

/**
 * Shares the work of `make`, for each key apart. Who asks while it goes on gets what comes after it, as things may have
 * changed since it began.
 */
export function sharedWork<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const going = new Map<string, Going<T>>();
  const begin = (key: string): Promise<T> => {
    const now = make(key).finally(() => {
      if (going.get(key)?.next === null) going.delete(key);
    });
    going.set(key, { now, next: null });
    return now;
  };
  return (key) => {
    const one = going.get(key);
    if (one === undefined) return begin(key);
    one.next ??= one.now.then(() => {}, () => {}).then(() => begin(key));
    return one.next;
  };
}
