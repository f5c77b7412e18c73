/**
 * Where the links of a run lead to: of two names of one place only one has a link. Pure bookkeeping.
 *
 * @module
 */

/** The places of open links, and of those that are just being opened. */
export class Places {
  /** Keys of machines by place. */
  readonly #owners = new Map<string, string>();
  readonly #places = new Map<string, string>();

  /**
   * The link to a machine leads to a place, and nowhere else any more.
   * @returns The key of the machine whose link leads there: this one's, or that of another which was there before.
   */
  enter(place: string, key: string): string {
    const owner = this.#owners.get(place) ?? key;
    this.leave(key);
    if (owner === key) {
      this.#owners.set(place, key);
      this.#places.set(key, place);
    }
    return owner;
  }

  /** The link to a machine leads nowhere now. */
  leave(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#owners.delete(place);
  }
}
