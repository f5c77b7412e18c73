/**
 * Work whose result is the same for all who ask at the same time: it goes on once, however many wait for it.
 *
 * @module
 */

/**
 * Shares the work of `make`. Who asks while it goes on gets what comes after it, as things may have changed since it
 * began.
 */
export function sharedWork<T>(make: () => Promise<T>): () => Promise<T> {
  let now: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    const made = make().finally(() => now = null);
    now = made;
    return made;
  };
  return () => {
    if (now === null) return begin();
    next ??= now.then(() => {}, () => {}).then(() => {
      next = null;
      return begin();
    });
    return next;
  };
}
