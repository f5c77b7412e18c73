/**
 * Jobs that are sent ahead: they wait on their host for a slot, in a *line*, so that a short job need not wait for the way to the
 * manager and back. Part of the core; pure but for the context that it changes.
 *
 * Hosts of one machine that are alike (same GPU, same environment) are a *pool*. A line belongs to a pool and holds its free slots on
 * the host; every start of the pool takes a slot of the line and gives it back at its end, so the host itself sees to it that no more
 * jobs run than there are slots. Here it is followed who has which slot; an end lets the first that waits in, as the host does at the
 * same moment. Whatever is in doubt (an end whose slot did not certainly come back, hosts that were changed) ends the line: what
 * waits there is called back by a claim that can never start, and no job starts in the pool until all answers are here.
 *
 * @module
 */

import type { LineChange } from "../link/link.ts";
import type { RunContext } from "./context.ts";
import type { Flight } from "./flights.ts";
import { type Pool, Pools } from "./pools.ts";
import type { SlotHost } from "./slots.ts";

/** What the host can tell apart: descriptors of its shell. Further pools of a machine send nothing ahead. */
const NUMBERS = [5, 6, 7, 8] as const;
/** A start that has its slot and is not confirmed for so long: something is wrong with the line. */
const CONFIRM_MS = 10_000;
/** Jobs are sent ahead while more than this wait for each slot of the run. */
const ENOUGH = 2;
/** Pause before calling back again what gave no answer. */
const AGAIN_MS = 1_000;
/** How often it is looked whether a host has a free slot and nothing to do while jobs wait on others. */
const IDLE_MS = 20;
/** So many were called back: they stand in the way of those behind them, and a new line is better. */
const RECALLS = 32;

/** One line on a host, until something is in doubt. */
export interface Line {
  readonly pool: Pool;
  readonly number: number;
  /** No job of it starts any more; it is waited for what becomes of those that were sent. */
  over: boolean;
  /** Sent ahead, in order; they have no slot. */
  readonly waiting: Set<Flight>;
  /** They have a slot, and the host has not said yet that they run. */
  readonly unconfirmed: Set<Flight>;
  /** How many were called back. */
  recalls: number;
}

/** The lines of a run. */
export class Lines {
  readonly #run: RunContext;
  /** Called when a job that was sent ahead has its slot. */
  readonly #onSlot: (flight: Flight) => void;
  readonly #pools: Pools;
  /** Pools that may have room for more, those that had none for longest first. */
  readonly #hungry = new Set<Pool>();
  readonly #lines = new Set<Line>();
  /** Nobody has to be called back before; the lines of hundreds of hosts are not gone through at every event. */
  #checkAtMs = Infinity;
  /** What the last look was told. */
  #more = true;

  constructor(run: RunContext, onSlot: (flight: Flight) => void) {
    this.#run = run;
    this.#onSlot = onSlot;
    this.#pools = new Pools(run.machines);
    this.hostsChanged();
  }

  /** Takes in the hosts of the run. A pool that is another now gets a new line. */
  hostsChanged(): void {
    const { slots } = this.#run;
    for (const { line } of this.#pools.setHosts(slots.hosts)) if (line !== null) this.#end(line);
    for (const pool of this.#pools.all()) {
      for (const { id } of pool.hosts) slots.close(id, pool.line?.over === true);
      this.#feed(pool);
    }
  }

  /**
   * A host for a job that is to be sent ahead; null where nobody takes more. No slot is free when this is asked.
   * @param waiting How many jobs wait for a start. Near the end of a queue nothing is sent ahead: its last jobs go where a slot is free first,
   * and a queue that is short starts in the order of the file to the letter.
   */
  next(waiting: number): SlotHost | null {
    if (waiting <= ENOUGH * this.#run.slots.capacity()) return null;
    for (const pool of this.#hungry) {
      this.#hungry.delete(pool);
      const there = pool.line?.waiting.size ?? 0;
      const isReady = this.#run.machines.isUp(pool.machine) && pool.line?.over !== true;
      if (!isReady || there >= this.#pools.depth(pool) || (pool.line === null && this.#number(pool) === null)) {
        continue;
      }
      this.#hungry.add(pool); // Behind the others.
      return pool.hosts[0] ?? null;
    }
    return null;
  }

  /** The line that a start on this host joins; null for none. One that is sent ahead opens it. */
  join(host: string, ahead: boolean): Line | null {
    const pool = this.#pools.of(host);
    if (pool === undefined) return null;
    if (pool.line !== null) return pool.line.over ? null : pool.line;
    const number = ahead ? this.#number(pool) : null;
    if (number === null) return null;
    const line = { pool, number, over: false, waiting: new Set<Flight>(), unconfirmed: new Set<Flight>(), recalls: 0 };
    pool.line = line;
    this.#lines.add(line);
    const slots = pool.hosts.reduce((sum, one) => sum + this.#run.slots.room(one), 0);
    this.#tell(line, { type: "open", slots: Math.max(0, slots) });
    return line;
  }

  /** A start was decided; `flight.line` is what {@link Lines.join} gave. */
  sent(flight: Flight): void {
    if (flight.line === null) return;
    if (flight.ahead) flight.line.waiting.add(flight);
    else flight.line.unconfirmed.add(flight);
    this.#look(flight.ahead ? this.#limitMs(flight.line, true) : CONFIRM_MS);
  }

  /** The host says that it runs. */
  started(flight: Flight): void {
    const { line } = flight;
    if (line === null) return;
    if (flight.ahead) this.#letIn(line, flight);
    line.unconfirmed.delete(flight);
    this.#settle(line);
  }

  /**
   * The attempt is over, or was called back. @param host That has its slot back; null if it had none.
   * @param gaveBack The slot is certainly back in the line too. @param tookMs What it took; null if unknown.
   */
  left(flight: Flight, host: string | null, { gaveBack, tookMs }: { gaveBack: boolean; tookMs: number | null }): void {
    const own = flight.line;
    own?.waiting.delete(flight);
    own?.unconfirmed.delete(flight);
    this.#run.flights.setAhead(flight, false);
    if (own !== null && !gaveBack) this.#end(own);
    if (own !== null) this.#settle(own);
    const pool = host === null ? own?.pool : this.#pools.of(host);
    if (pool === undefined) return;
    if (host !== null && pool.line !== null && !pool.line.over) {
      // What was started before the line, or by an earlier run, gives nothing back there.
      if (own !== pool.line) this.#tell(pool.line, { type: "more", slots: 1 });
      this.#promote(pool.line, host);
    }
    if (tookMs !== null && this.#pools.learn(pool, tookMs)) { for (const one of this.#pools.all()) this.#feed(one); }
    this.#feed(pool);
  }

  /** The link is gone and its lines with it: the host lets nobody in any more once it has noticed. */
  linkDown(machine: string): void {
    for (const line of this.#lines) {
      if (line.pool.machine !== machine) continue;
      line.over = true;
      this.#look(0);
      this.#close(line);
      this.#settle(line);
    }
    for (const flight of this.#run.flights.on(machine)) flight.recalled = false; // No answer comes any more.
  }

  /** Something about a machine is another now. */
  machineChanged(machine: string): void {
    this.#look(0);
    for (const pool of this.#pools.all()) if (pool.machine === machine) this.#feed(pool);
  }

  /** True if more jobs wait in a line there than half of what may, when as many as `ended` have had their turn. */
  hasStock(machine: string, ended: number): boolean {
    for (const { pool, waiting, over } of this.#lines) {
      if (pool.machine === machine) return !over && waiting.size - ended > this.#pools.depth(pool) / 2;
    }
    return false;
  }

  /** A job has turned up there that no line knows of. */
  doubt(machine: string): void {
    for (const line of this.#lines) if (line.pool.machine === machine) this.#end(line);
  }

  /** The host cannot have a line. */
  unable(machine: string, number: number): void {
    for (const line of this.#lines) {
      if (line.pool.machine !== machine || line.number !== number) continue;
      line.pool.unable = true;
      this.#end(line);
    }
  }

  /** Calls back whoever waits for too long. `more`: other jobs wait for a start. */
  tick(more: boolean): void {
    const { nowMs } = this.#run;
    if (nowMs < this.#checkAtMs && more === this.#more) return;
    this.#more = more;
    for (const line of this.#lines) {
      const due = this.#due(line, more);
      const late = due.flights.filter((flight) => flight.sinceMs + due.limitMs <= nowMs);
      if (late.length > 0) {
        const { pool } = line;
        const waitedMs = nowMs - late[0]!.sinceMs;
        // Jobs take longer than it was thought: fewer are sent ahead until one has ended.
        if (waitedMs >= this.#pools.patienceMs(pool)) pool.jobMs = Math.max(pool.jobMs ?? 0, waitedMs);
        this.recall(late);
      }
      const [first] = line.unconfirmed;
      if (line.recalls > RECALLS || (first !== undefined && first.sinceMs + CONFIRM_MS <= nowMs)) this.#end(line);
    }
    this.#checkAtMs = this.#nextAtMs(more);
  }

  /** When {@link Lines.tick} has something to do; Infinity for never. */
  get wakeAtMs(): number {
    return this.#checkAtMs;
  }

  #nextAtMs(more: boolean): number {
    // Whether another host is idle changes with every start and end; it is looked at now and then.
    let at = !more && this.#run.flights.ahead > 0 ? this.#run.nowMs + IDLE_MS : Infinity;
    for (const line of this.#lines) {
      const { flights, limitMs } = this.#due(line, more);
      for (const { sinceMs } of flights) at = Math.min(at, sinceMs + limitMs);
      const [first] = line.unconfirmed;
      if (first !== undefined && !line.over) at = Math.min(at, first.sinceMs + CONFIRM_MS);
    }
    return at;
  }

  /** Who may have to be called back, and after how long. */
  #due(line: Line, more: boolean): { flights: Flight[]; limitMs: number } {
    // Without a link they are asked about when it is back.
    const state = this.#run.machines.get(line.pool.machine);
    const isUp = state?.openedAtMs !== null;
    const flights = !isUp ? [] : line.over ? [...line.waiting, ...line.unconfirmed] : [...line.waiting];
    return {
      flights: flights.filter((flight) => !flight.recalled && flight.boot === state?.boot),
      limitMs: this.#limitMs(line, more),
    };
  }

  /** No job starts any more: all that wait are called back. */
  recallAll(): void {
    const isDue = ({ recalled, asked, sinceMs }: Flight): boolean =>
      !recalled && (asked === 0 || this.#run.nowMs - sinceMs >= AGAIN_MS);
    for (const line of this.#lines) this.recall([...line.waiting].filter(isDue));
  }

  /** Calls jobs of one machine back, in a line or not: they are claimed so that they never start, or prove to run. */
  recall(all: readonly Flight[]): void {
    // After a boot their claims may be lost: they are asked about, and never called back.
    const flights = all.filter((flight) => flight.boot === this.#run.machines.get(flight.machine)?.boot);
    const [first] = flights;
    // Without a link they are asked about when it is back.
    if (first === undefined || this.#run.machines.get(first.machine)?.openedAtMs === null) return;
    for (const flight of flights) {
      flight.recalled = true;
      if (flight.line !== null && ++flight.line.recalls > RECALLS) this.#look(0);
    }
    const attempts = flights.map(({ job, attempt }) => ({ job, attempt }));
    this.#run.effects.push({ type: "recall", machine: first.machine, attempts });
  }

  /** The answer to that was none, for one of a line: it is tried again in a while. */
  notRecalled(flight: Flight): void {
    flight.recalled = false;
    flight.sinceMs = this.#run.nowMs;
    this.#look(AGAIN_MS);
    const { line } = flight;
    if (line?.waiting.delete(flight)) line.waiting.add(flight); // In order of `sinceMs`.
  }

  /** The host let one in before the first of those that wait: they change places. */
  #letIn(line: Line, flight: Flight): void {
    const { slots, flights } = this.#run;
    line.waiting.delete(flight);
    const other = [...line.unconfirmed].at(-1);
    const host = other === undefined ? null : slots.giveBack(other.job);
    if (other !== undefined && host !== null) {
      line.unconfirmed.delete(other);
      flights.setAhead(other, true);
      const behind = [...line.waiting];
      line.waiting.clear();
      for (const one of [other, ...behind]) line.waiting.add(one);
    }
    flights.setAhead(flight, false);
    if (host === null) slots.adopt(flight.job, flight.machine, line.pool.hosts[0]?.id ?? null);
    else slots.take(flight.job, host);
    this.#onSlot(flight);
  }

  /** A slot came back to the line: the first that waits has it now, also one that is being called back: the host knows nothing of that. */
  #promote(line: Line, host: string): void {
    const [flight] = line.waiting;
    if (flight === undefined) return;
    line.waiting.delete(flight);
    this.#run.flights.setAhead(flight, false);
    this.#run.slots.take(flight.job, host);
    flight.sinceMs = this.#run.nowMs;
    line.unconfirmed.add(flight);
    this.#look(CONFIRM_MS);
    // One that is called back is told of when it proves to run.
    if (!flight.recalled) this.#onSlot(flight);
  }

  /** There is something to look at in so long. */
  #look(inMs: number): void {
    this.#checkAtMs = Math.min(this.#checkAtMs, this.#run.nowMs + inMs);
  }

  #end(line: Line): void {
    if (line.over) return;
    line.over = true;
    this.#look(0);
    this.#tell(line, { type: "over" });
    this.#close(line);
    this.recall([...line.waiting, ...line.unconfirmed].filter((flight) => !flight.recalled));
    this.#settle(line);
  }

  #close(line: Line): void {
    for (const { id } of line.pool.hosts) this.#run.slots.close(id, true);
  }

  /** A line that is over is gone when it is known what became of all that were sent into it. */
  #settle(line: Line): void {
    if (!line.over || line.waiting.size + line.unconfirmed.size > 0 || !this.#lines.delete(line)) return;
    const { pool } = line;
    pool.line = null;
    for (const { id } of pool.hosts) this.#run.slots.close(id, false);
    this.#feed(pool);
  }

  #tell(line: Line, change: LineChange): void {
    this.#run.effects.push({ type: "line", machine: line.pool.machine, line: line.number, change });
  }

  #number({ machine }: Pool): number | null {
    const used = [...this.#lines].filter((line) => line.pool.machine === machine).map((line) => line.number);
    return NUMBERS.find((number) => !used.includes(number)) ?? null;
  }

  /** Has jobs sent ahead to a pool if no more than half of what it may have waits there. */
  #feed(pool: Pool): void {
    const depth = this.#pools.depth(pool);
    if (depth > 0 && (pool.line?.waiting.size ?? 0) <= depth / 2) this.#hungry.add(pool);
  }

  /** How long a job may wait in a line: not long where another host has a slot and nothing else to do. */
  #limitMs({ pool, over }: Line, more: boolean): number {
    if (over) return AGAIN_MS;
    const isIdle = !more && this.#run.slots.free((key) => this.#run.machines.isUp(key)) !== null;
    return isIdle ? Math.min(this.#pools.patienceMs(pool), 4 * this.#pools.gapMs(pool)) : this.#pools.patienceMs(pool);
  }
}
