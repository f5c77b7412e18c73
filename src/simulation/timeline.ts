/**
 * Virtual time: what will happen, in order of time and then of being planned.
 *
 * @module
 */

/** Something planned; {@link Planned.cancel} takes it back. */
export class Planned {
  readonly atMs: number;
  readonly order: number;
  act: (() => void) | null;

  constructor(atMs: number, order: number, act: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.act = act;
  }

  cancel(): void {
    this.act = null;
  }
}

/** A heap of what is planned. */
export class Timeline {
  /** Epoch ms, with fractions. */
  nowMs: number;
  /** How many things happened. */
  happened = 0;
  readonly #heap: Planned[] = [];
  #order = 0;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** Plans `act` for a time; one that has passed is now. */
  at(atMs: number, act: () => void): Planned {
    const planned = new Planned(Math.max(atMs, this.nowMs), this.#order++, act);
    const heap = this.#heap;
    let i = heap.length;
    heap.push(planned);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(planned, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = planned;
    return planned;
  }

  after(ms: number, act: () => void): Planned {
    return this.at(this.nowMs + ms, act);
  }

  /** Lets the next thing happen. @returns False if nothing is planned. */
  next(): boolean {
    while (this.#heap.length > 0) {
      const planned = this.#pop();
      if (planned.act === null) continue;
      this.nowMs = planned.atMs;
      this.happened++;
      const { act } = planned;
      planned.act = null;
      act();
      return true;
    }
    return false;
  }

  #pop(): Planned {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return first;
    let i = 0;
    while (true) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
