/**
 * Prefetch: jobs are sent before a slot is free and wait on their host in a *backlog*, so that a short job need not
 * wait for the way to the manager and back. Part of the core; pure but for the context that it changes.
 * `docs/prefetch.md` explains it.
 *
 * A backlog belongs to a slot pool and holds the pool's free slots on the host: every start of the pool takes a slot
 * there and gives it back at its end. So the host itself sees to it that no more jobs run than there are slots. This
 * class follows who has which slot. An end lets in the first that waits, as the host does at the same moment.
 *
 * A doubt (an end whose slot did not certainly come back, hosts that were changed) ends the backlog. What waits there
 * is recalled by a claim that can never start, and no job starts in the pool until all answers are here.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { BacklogChange } from "../link/link.ts";
import { reportStart, type RunContext } from "./context.ts";
import { type Backlog, backlogOf, type InFlight, isRecalled, type SlotPool } from "./in_flight.ts";
import { SlotPools } from "./slot_pools.ts";
import type { SlotHost } from "./slots.ts";

/** What the host can tell apart: descriptors of its shell. Further pools of a machine prefetch nothing. */
const NUMBERS = [5, 6, 7, 8] as const;
/** A start that has its slot and is not confirmed for so long: something is wrong with the backlog. */
const CONFIRM_MS = 10_000;
/** Jobs are prefetched while more than this wait for each slot of the run. */
const ENOUGH = 2;
/** Pause before recalling again what gave no answer. */
const AGAIN_MS = 1_000;
/** How often the core looks whether a host has a free slot and nothing to do while jobs wait on others. */
const IDLE_MS = 20;
/** After so many recalls a new backlog is better: what was recalled stands in the way of those behind. */
const RECALLS = 32;

/** The backlogs of a run. */
export class Backlogs {
  readonly #run: RunContext;
  readonly #pools: SlotPools;
  /** Pools that may have room for more, those that had none for longest first. */
  readonly #hungry = new Set<SlotPool>();
  readonly #backlogs = new Set<Backlog>();
  /** No attempt is due for a recall before: the backlogs of hundreds of hosts are not gone through at every event. */
  #checkAtMs = Infinity;
  /** What the last `tick` was given. */
  #hasMore = true;
  /** No prefetched job that can be recalled has a lower priority than this. */
  #lowest = Infinity;

  constructor(run: RunContext) {
    this.#run = run;
    this.#pools = new SlotPools(run.machines);
    this.hostsChanged();
  }

  /** Takes in the hosts of the run. A pool whose hosts are others now gets a new backlog. */
  hostsChanged(): void {
    const { slots } = this.#run;
    for (const { backlog } of this.#pools.setHosts(slots.hosts)) if (backlog !== null) this.#end(backlog);
    for (const pool of this.#pools.all()) {
      for (const { id } of pool.hosts) slots.close(id, pool.backlog?.isOver === true);
      this.#feed(pool);
    }
  }

  /**
   * A host to prefetch a job on; null where no pool takes more. No slot is free when this is asked.
   * @param waiting How many jobs wait for a start. Near the end of a queue nothing is prefetched: its last jobs go
   * where a slot is free first, and a short queue starts exactly in the order of the file.
   */
  next(waiting: number): SlotHost | null {
    if (waiting <= ENOUGH * this.#run.slots.capacity()) return null;
    for (const pool of this.#hungry) {
      this.#hungry.delete(pool);
      const { backlog } = pool;
      const isReady = this.#run.machines.isUp(pool.machine) && backlog?.isOver !== true;
      if (!isReady || (backlog?.waiting.size ?? 0) >= this.#pools.depth(pool)) continue;
      if (backlog === null && this.#freeNumber(pool) === null) continue;
      this.#hungry.add(pool); // Behind the others.
      return pool.hosts[0] ?? null;
    }
    return null;
  }

  /** The backlog that a start on this host joins; null for none. A prefetched one opens it. */
  join(host: string, isPrefetch: boolean): Backlog | null {
    const pool = this.#pools.of(host);
    if (pool === undefined) return null;
    if (pool.backlog !== null) return pool.backlog.isOver ? null : pool.backlog;
    const number = isPrefetch ? this.#freeNumber(pool) : null;
    if (number === null) return null;
    const backlog: Backlog = { pool, number, isOver: false, waiting: new Set(), unconfirmed: new Set(), recalls: 0 };
    pool.backlog = backlog;
    this.#backlogs.add(backlog);
    const slots = pool.hosts.reduce((sum, one) => sum + this.#run.slots.room(one), 0);
    this.#tell(backlog, { type: "open", slots: Math.max(0, slots) });
    return backlog;
  }

  /** A start was decided and is in its stage. */
  sent(one: InFlight): void {
    const { stage } = one;
    if (stage.at === "backlog") {
      this.#lowest = Math.min(this.#lowest, this.#priority(one));
      this.#look(this.#limitMs(stage.backlog, true));
    }
    if (stage.at === "sent" && stage.backlog !== null) this.#look(CONFIRM_MS);
  }

  /** Fields of jobs are others now. One that is held now is recalled. */
  jobsChanged(names: readonly JobName[]): void {
    for (const name of names) {
      const one = this.#run.inFlight.get(name);
      if (one?.stage.at !== "backlog") continue;
      this.#lowest = Math.min(this.#lowest, this.#priority(one));
      if (this.#run.jobs.get(name)?.hold === true && !isRecalled(one)) this.recall([one]);
    }
  }

  /**
   * A job of this priority waits for a start: what was prefetched with a lower one is recalled, and is behind it then.
   */
  letPass(priority: number): void {
    if (priority <= this.#lowest) return;
    this.#lowest = priority;
    for (const backlog of this.#backlogs) {
      this.recall(this.#open(backlog).filter((one) => one.stage.at === "backlog" && this.#priority(one) < priority));
    }
  }

  /** The host says that an attempt runs that was not known to: it has its slot, and its backlog one doubt less. */
  confirm(one: InFlight, startedAtMs: number | null): void {
    const backlog = backlogOf(one);
    if (one.stage.at === "backlog") this.#letIn(one.stage.backlog, one);
    this.#run.inFlight.setStage(one, { at: "running", backlog, startedAtMs });
    if (backlog !== null) this.#settle(backlog);
  }

  /**
   * An attempt is over, or was recalled, and is in its backlog no more. @param own Its backlog until then.
   * @param host That has its slot back; null if it had none.
   * @param gaveBack The slot is certainly back in the backlog too. @param tookMs What it took; null if unknown.
   */
  left(own: Backlog | null, host: string | null, how: { gaveBack: boolean; tookMs: number | null }): void {
    if (own !== null && !how.gaveBack) this.#end(own);
    if (own !== null) this.#settle(own);
    const pool = host === null ? own?.pool : this.#pools.of(host);
    if (pool === undefined) return;
    const { backlog } = pool;
    if (host !== null && backlog !== null && !backlog.isOver) {
      // What was started before the backlog, or by an earlier run, gives nothing back there.
      if (own !== backlog) this.#tell(backlog, { type: "more", slots: 1 });
      this.#promote(backlog, host);
    }
    const isFirst = how.tookMs !== null && this.#pools.learn(pool, how.tookMs);
    if (isFirst) { for (const one of this.#pools.all()) this.#feed(one); }
    this.#feed(pool);
  }

  /**
   * One that was sent into it is out of reach, and has its slot for all that is known: the backlog does not wait for
   * it.
   */
  leave(backlog: Backlog): void {
    this.#end(backlog);
    this.#settle(backlog);
  }

  /** The link is gone and its backlogs with it: the host lets in no more once it has noticed. */
  linkDown(machine: string): void {
    for (const backlog of this.#on(machine)) {
      backlog.isOver = true;
      this.#look(0);
      this.#close(backlog);
      this.#settle(backlog);
    }
    for (const one of this.#run.inFlight.on(machine)) one.question = null; // No answer comes any more.
  }

  /** Something about a machine is another now. */
  machineChanged(machine: string): void {
    this.#look(0);
    for (const pool of this.#pools.all()) if (pool.machine === machine) this.#feed(pool);
  }

  /** True if more jobs wait in a backlog there than half of what may, when as many as `ended` have had their turn. */
  hasStock(machine: string, ended: number): boolean {
    for (const { pool, waiting, isOver } of this.#backlogs) {
      if (pool.machine === machine) return !isOver && waiting.size - ended > this.#pools.depth(pool) / 2;
    }
    return false;
  }

  /** A job has turned up there that no backlog knows of. */
  doubt(machine: string): void {
    for (const backlog of this.#on(machine)) this.#end(backlog);
  }

  /** The host cannot keep a backlog. */
  unable(machine: string, number: number): void {
    for (const backlog of this.#on(machine).filter((one) => one.number === number)) {
      backlog.pool.isUnable = true;
      this.#end(backlog);
    }
  }

  /** Recalls what waits for too long. `hasMore`: other jobs wait for a start. */
  tick(hasMore: boolean): void {
    const { nowMs } = this.#run;
    if (nowMs < this.#checkAtMs && hasMore === this.#hasMore) return;
    this.#hasMore = hasMore;
    for (const backlog of this.#backlogs) {
      const limitMs = this.#limitMs(backlog, hasMore);
      const late = this.#open(backlog).filter((one) => sinceMsOf(one) + limitMs <= nowMs);
      if (late.length > 0) {
        const { pool } = backlog;
        const waitedMs = nowMs - sinceMsOf(late[0]!);
        // Jobs take longer than the mean says: fewer are prefetched until one has ended.
        if (waitedMs >= this.#pools.patienceMs(pool)) pool.jobMs = Math.max(pool.jobMs ?? 0, waitedMs);
        this.recall(late);
      }
      if (backlog.recalls > RECALLS || confirmAtMs(backlog) <= nowMs) this.#end(backlog);
    }
    this.#checkAtMs = this.#nextAtMs(hasMore);
  }

  /** When {@link Backlogs.tick} has something to do; Infinity for never. */
  get wakeAtMs(): number {
    return this.#checkAtMs;
  }

  /** No job starts any more: all that wait are recalled. */
  recallAll(): void {
    const isDue = (one: InFlight): boolean =>
      !isRecalled(one) && (one.timesAsked === 0 || this.#run.nowMs - sinceMsOf(one) >= AGAIN_MS);
    for (const { waiting } of this.#backlogs) this.recall([...waiting].filter(isDue));
  }

  /**
   * Recalls attempts of one machine, in a backlog or not: they are claimed so that they never start, or prove to run.
   */
  recall(all: readonly InFlight[]): void {
    // After a boot their claims may be lost: they are asked about, and never recalled.
    const those = all.filter((one) => one.boot === this.#run.machines.get(one.machine)?.boot);
    const [first] = those;
    // Without a link they are asked about when it is back.
    if (first === undefined || this.#run.machines.get(first.machine)?.openedAtMs === null) return;
    for (const one of those) {
      one.question = { type: "recall", isDue: false };
      const backlog = backlogOf(one);
      if (backlog !== null && ++backlog.recalls > RECALLS) this.#look(0);
    }
    const attempts = those.map(({ job, attempt }) => ({ job, attempt }));
    this.#run.effects.push({ type: "recall", machine: first.machine, attempts });
  }

  /** A recall had no answer: it is tried again in a while. */
  notRecalled(one: InFlight): void {
    this.#look(AGAIN_MS);
    const { stage } = one;
    // Behind the others, in order of `sinceMs`.
    if (stage.at === "backlog" || stage.at === "sent") {
      this.#run.inFlight.setStage(one, { ...stage, sinceMs: this.#run.nowMs });
    }
  }

  /** The host let one in before the first of those that wait: they change places. */
  #letIn(backlog: Backlog, one: InFlight): void {
    const { slots, inFlight, nowMs } = this.#run;
    const other = [...backlog.unconfirmed].at(-1);
    const host = other === undefined ? null : slots.giveBack(other.job);
    if (other !== undefined && host !== null) {
      inFlight.setStage(other, { at: "backlog", backlog, sinceMs: sinceMsOf(other) }, { isFirst: true });
      this.#lowest = Math.min(this.#lowest, this.#priority(other));
    }
    inFlight.setStage(one, { at: "sent", backlog, sinceMs: nowMs, isResent: false });
    if (host === null) slots.adopt(one.job, one.machine, backlog.pool.hosts[0]?.id ?? null);
    else slots.take(one.job, host);
    reportStart(this.#run, one);
  }

  /**
   * A slot came back: the first that waits has it now, also one that is being recalled, as the host knows nothing of
   * that.
   */
  #promote(backlog: Backlog, host: string): void {
    const { slots, inFlight, nowMs } = this.#run;
    const [one] = backlog.waiting;
    if (one === undefined) return;
    inFlight.setStage(one, { at: "sent", backlog, sinceMs: nowMs, isResent: false });
    slots.take(one.job, host);
    this.#look(CONFIRM_MS);
    // One that is recalled is reported when it proves to run.
    if (!isRecalled(one)) reportStart(this.#run, one);
  }

  /** Whether another host is idle changes with every start and end; `tick` looks at it now and then. */
  #nextAtMs(hasMore: boolean): number {
    let at = !hasMore && this.#run.inFlight.waiting > 0 ? this.#run.nowMs + IDLE_MS : Infinity;
    for (const backlog of this.#backlogs) {
      const limitMs = this.#limitMs(backlog, hasMore);
      for (const one of this.#open(backlog)) at = Math.min(at, sinceMsOf(one) + limitMs);
      if (!backlog.isOver) at = Math.min(at, confirmAtMs(backlog));
    }
    return at;
  }

  /** Attempts of a backlog that a recall can still reach and that none is out for. */
  #open({ pool, isOver, waiting, unconfirmed }: Backlog): InFlight[] {
    const state = this.#run.machines.get(pool.machine);
    // Without a link they are asked about when it is back.
    if (state?.openedAtMs === null) return [];
    const all = isOver ? [...waiting, ...unconfirmed] : [...waiting];
    return all.filter((one) => !isRecalled(one) && one.boot === state?.boot);
  }

  #priority({ job }: InFlight): number {
    return this.#run.jobs.get(job)?.priority ?? 0;
  }

  /** There is something to look at in so long. */
  #look(inMs: number): void {
    this.#checkAtMs = Math.min(this.#checkAtMs, this.#run.nowMs + inMs);
  }

  #end(backlog: Backlog): void {
    if (backlog.isOver) return;
    backlog.isOver = true;
    this.#look(0);
    this.#tell(backlog, { type: "over" });
    this.#close(backlog);
    this.recall([...backlog.waiting, ...backlog.unconfirmed].filter((one) => !isRecalled(one)));
    this.#settle(backlog);
  }

  #close({ pool }: Backlog): void {
    for (const { id } of pool.hosts) this.#run.slots.close(id, true);
  }

  /** A backlog that is over is gone when the fate of all that were sent into it is known. */
  #settle(backlog: Backlog): void {
    const { pool, isOver, waiting, unconfirmed } = backlog;
    if (!isOver || waiting.size + unconfirmed.size > 0 || !this.#backlogs.delete(backlog)) return;
    pool.backlog = null;
    for (const { id } of pool.hosts) this.#run.slots.close(id, false);
    this.#feed(pool);
  }

  #tell({ pool, number }: Backlog, change: BacklogChange): void {
    this.#run.effects.push({ type: "backlog", machine: pool.machine, number, change });
  }

  #on(machine: string): Backlog[] {
    return [...this.#backlogs].filter(({ pool }) => pool.machine === machine);
  }

  #freeNumber({ machine }: SlotPool): number | null {
    const used = this.#on(machine).map(({ number }) => number);
    return NUMBERS.find((number) => !used.includes(number)) ?? null;
  }

  /** Lets a pool have more if no more than half of what it may have waits there. */
  #feed(pool: SlotPool): void {
    const depth = this.#pools.depth(pool);
    if (depth > 0 && (pool.backlog?.waiting.size ?? 0) <= depth / 2) this.#hungry.add(pool);
  }

  /** How long an attempt may wait in a backlog: not long where another host has a slot and nothing else to do. */
  #limitMs({ pool, isOver }: Backlog, hasMore: boolean): number {
    if (isOver) return AGAIN_MS;
    const isIdle = !hasMore && this.#run.slots.free((key) => this.#run.machines.isUp(key)) !== null;
    return isIdle ? Math.min(this.#pools.patienceMs(pool), 4 * this.#pools.gapMs(pool)) : this.#pools.patienceMs(pool);
  }
}

/** Since when an attempt waits for its slot, or for the word of its host. */
function sinceMsOf({ stage }: InFlight): number {
  return stage.at === "backlog" || stage.at === "sent" ? stage.sinceMs : Infinity;
}

/** When the oldest start with a slot must be confirmed; Infinity if none is open. */
function confirmAtMs({ unconfirmed }: Backlog): number {
  const [first] = unconfirmed;
  return first === undefined ? Infinity : sinceMsOf(first) + CONFIRM_MS;
}
