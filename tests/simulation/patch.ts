/**
 * Breaks the program from outside, for variants that are broken on purpose.
 *
 * @module
 */

/** Puts another method in place of one; gives what puts the old one back. */
export function patch<T extends object, K extends keyof T>(target: T, key: K, make: (old: T[K]) => T[K]): () => void {
  const old = target[key];
  target[key] = make(old);
  return () => void (target[key] = old);
}
