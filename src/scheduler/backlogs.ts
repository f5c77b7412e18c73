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
import { type Backlog, backlogOf, type InFlight, isRecalled, sinceMsOf, type SlotPool } from "./in_flight.ts";
import { AGAIN_MS, BacklogTimes, CONFIRM_MS, confirmAtMs } from "./backlog_times.ts";
import { OpenBacklogs } from "./open_backlogs.ts";
import { PrefetchTurns } from "./prefetch_turns.ts";
import { RECALLS, Recalls } from "./recalls.ts";
import { SlotNumbers } from "./slot_numbers.ts";
import { SlotPools } from "./slot_pools.ts";
import type { SlotHost } from "./slot_host.ts";

/** The backlogs of a run. */
export class Backlogs {
  readonly #run: RunContext;
  readonly #pools: SlotPools;
  readonly #backlogs = new OpenBacklogs();
  readonly #turns: PrefetchTurns;
  readonly #times: BacklogTimes;
  readonly #recalls: Recalls;
  /** Numbers of the slots. */
  readonly numbers: SlotNumbers;
  /** No prefetched job that can be recalled has a lower priority than this. */
  #lowest = Infinity;

  constructor(run: RunContext) {
    this.#run = run;
    this.#pools = new SlotPools(run.machines);
    this.numbers = new SlotNumbers(run, this.#pools);
    this.#times = new BacklogTimes(run, { pools: this.#pools, backlogs: this.#backlogs });
    this.#recalls = new Recalls(run, this.#times);
    this.#turns = new PrefetchTurns(run, { pools: this.#pools, backlogs: this.#backlogs });
    this.hostsChanged();
  }

  /** Takes in the hosts of the run. A pool whose hosts are others now gets a new backlog. */
  hostsChanged(): void {
    for (const { backlog } of this.#pools.setHosts(this.#run.slots.hosts)) if (backlog !== null) this.#end(backlog);
    for (const pool of this.#pools.all()) {
      this.#close(pool, pool.backlog?.isOver === true);
      this.#turns.feed(pool);
    }
  }

  /** See {@link PrefetchTurns.next}. */
  next(waiting: number): SlotHost | null {
    return this.#turns.next(waiting);
  }

  /** The backlog that a start on this host joins; null for none. A prefetched one opens it. */
  join(host: string, isPrefetch: boolean): Backlog | null {
    const pool = this.#pools.of(host);
    if (pool === undefined) return null;
    if (pool.backlog !== null) return pool.backlog.isOver ? null : pool.backlog;
    const number = isPrefetch ? this.#turns.freeNumber(pool) : null;
    if (number === null) return null;
    const room = pool.hosts.reduce((sum, one) => sum + this.#run.slots.room(one), 0);
    const slots = this.numbers.free(pool, Math.max(0, room));
    const backlog: Backlog = {
      pool,
      number,
      isOver: false,
      waiting: new Set(),
      unconfirmed: new Set(),
      recalls: 0,
      slots: new Set(slots),
    };
    pool.backlog = backlog;
    this.#backlogs.add(backlog);
    this.#tell(backlog, { type: "open", slots });
    return backlog;
  }

  /**
   * A job that needs more than a slot wants to start on this host: nothing is prefetched there meanwhile.
   * @returns True if it must wait until the backlog there is gone.
   */
  yield(host: string): boolean {
    const pool = this.#pools.of(host);
    if (pool === undefined || pool.backlog === null) return false;
    this.#end(pool.backlog);
    return pool.backlog !== null;
  }

  /**
   * The id by which a job on this host knows it. Hosts that differ in nothing but that are one to a job: which of them
   * gives a prefetched job its slot is known only when it has started. They go by the first.
   */
  nameOf(host: string): string {
    return this.#pools.of(host)?.hosts[0]?.id ?? host;
  }

  /** A start was decided and is in its stage. */
  sent(one: InFlight): void {
    const { stage } = one;
    if (stage.at === "backlog") {
      this.#lowest = Math.min(this.#lowest, this.#priority(one));
      this.#times.look(this.#times.limitMs(stage.backlog, true));
    }
    if (stage.at === "sent" && stage.backlog !== null) this.#times.look(CONFIRM_MS);
  }

  /** Fields of jobs are others now. One that is held now, or before which another may have its turn, is recalled. */
  jobsChanged(names: readonly JobName[]): void {
    for (const name of names) {
      const one = this.#run.inFlight.get(name);
      if (one?.stage.at !== "backlog") continue;
      const priority = this.#priority(one);
      this.#lowest = Math.min(this.#lowest, priority);
      if (isRecalled(one)) continue;
      if (this.#run.jobs.get(name)?.hold === true) this.recall([one]);
      else this.letPass(priority, one);
    }
  }

  /**
   * A job of this priority waits for a start: what was prefetched with a lower one is recalled, and is behind it then.
   * @param own It was prefetched itself: it is recalled with them, so that it has the first slot that is free anywhere.
   */
  letPass(priority: number, own: InFlight | null = null): void {
    if (priority <= this.#lowest) return;
    this.#lowest = priority;
    const isBehind = (one: InFlight): boolean => one.stage.at === "backlog" && this.#priority(one) < priority;
    for (const backlog of this.#backlogs) {
      this.recall(this.#times.open(backlog).filter((one) => one === own || isBehind(one)));
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
   * @param slot Number of its slot.
   */
  left(
    own: Backlog | null,
    host: string | null,
    how: { gaveBack: boolean; tookMs: number | null; slot: number | null },
  ): void {
    if (own !== null && !how.gaveBack) this.#end(own);
    if (own !== null) this.#settle(own);
    const pool = host === null ? own?.pool : this.#pools.of(host);
    if (pool === undefined) return;
    const { backlog } = pool;
    if (host !== null && backlog !== null && !backlog.isOver) {
      // What was started before the backlog, or by an earlier run, gives nothing back there.
      if (own !== backlog) this.#tell(backlog, { type: "more", slots: this.numbers.more(backlog, how.slot) });
      this.#promote(backlog, host);
    }
    const isFirst = how.tookMs !== null && this.#pools.learn(pool, how.tookMs);
    if (isFirst) { for (const one of this.#pools.all()) this.#turns.feed(one); }
    this.#turns.feed(pool);
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
    for (const backlog of this.#backlogs.on(machine)) {
      backlog.isOver = true;
      this.#times.look(0);
      this.#close(backlog.pool, true);
      this.#settle(backlog);
    }
    for (const one of this.#run.inFlight.on(machine)) one.question = null; // No answer comes any more.
  }

  /** Something about a machine is another now. */
  machineChanged(machine: string): void {
    this.#times.look(0);
    for (const pool of this.#pools.on(machine)) this.#turns.feed(pool);
  }

  /** True if more jobs wait in a backlog there than half of what may, when as many as `ended` have had their turn. */
  hasStock(machine: string, ended: number): boolean {
    const [first] = this.#backlogs.on(machine);
    if (first === undefined || first.isOver) return false;
    return first.waiting.size - ended > this.#pools.depth(first.pool) / 2;
  }

  /** A job has turned up there that no backlog knows of. */
  doubt(machine: string): void {
    for (const backlog of this.#backlogs.on(machine)) this.#end(backlog);
  }

  /** The host cannot keep a backlog. */
  unable(machine: string, number: number): void {
    for (const backlog of this.#backlogs.on(machine).filter((one) => one.number === number)) {
      backlog.pool.isUnable = true;
      this.#end(backlog);
    }
  }

  /** Recalls what waits for too long. `hasMore`: other jobs wait for a start. */
  tick(hasMore: boolean): void {
    const { nowMs } = this.#run;
    if (!this.#times.isDue(hasMore)) return;
    for (const backlog of this.#backlogs) {
      const limitMs = this.#times.limitMs(backlog, hasMore);
      const late = this.#times.open(backlog).filter((one) => sinceMsOf(one) + limitMs <= nowMs);
      if (late.length > 0) {
        const { pool } = backlog;
        const waitedMs = nowMs - sinceMsOf(late[0]!);
        // Jobs take longer than the mean says: fewer are prefetched until one has ended.
        if (waitedMs >= this.#pools.patienceMs(pool)) pool.jobMs = Math.max(pool.jobMs ?? 0, waitedMs);
        this.recall(late);
      }
      if (backlog.recalls > RECALLS || confirmAtMs(backlog) <= nowMs) this.#end(backlog);
    }
    this.#times.plan(hasMore);
  }

  /** When {@link Backlogs.tick} has something to do; Infinity for never. */
  get wakeAtMs(): number {
    return this.#times.checkAtMs;
  }

  /** No job starts any more: all that wait are recalled. */
  recallAll(): void {
    const isDue = (one: InFlight): boolean =>
      !isRecalled(one) && (one.timesAsked === 0 || this.#run.nowMs - sinceMsOf(one) >= AGAIN_MS);
    for (const { waiting } of this.#backlogs) this.recall([...waiting].filter(isDue));
  }

  /** See {@link Recalls.recall}. */
  recall(all: readonly InFlight[]): void {
    this.#recalls.recall(all);
  }

  /** See {@link Recalls.failed}. */
  notRecalled(one: InFlight): void {
    this.#recalls.failed(one);
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
    this.#times.look(CONFIRM_MS);
    // One that is recalled is reported when it proves to run.
    if (!isRecalled(one)) reportStart(this.#run, one);
  }

  #priority({ job }: InFlight): number {
    return this.#run.jobs.get(job)?.priority ?? 0;
  }

  #end(backlog: Backlog): void {
    if (backlog.isOver) return;
    backlog.isOver = true;
    this.#times.look(0);
    this.#tell(backlog, { type: "over" });
    this.#close(backlog.pool, true);
    this.recall([...backlog.waiting, ...backlog.unconfirmed].filter((one) => !isRecalled(one)));
    this.#settle(backlog);
  }

  /** Its hosts give no slot, or do again. A pool that a machine had under another name has its last hosts still. */
  #close(pool: SlotPool, closed: boolean): void {
    for (const { id } of pool.hosts) {
      if ((this.#pools.of(id) ?? pool) === pool) this.#run.slots.close(id, closed);
    }
  }

  /** A backlog that is over is gone when the fate of all that were sent into it is known. */
  #settle(backlog: Backlog): void {
    const { pool, isOver, waiting, unconfirmed } = backlog;
    if (!isOver || waiting.size + unconfirmed.size > 0 || !this.#backlogs.delete(backlog)) return;
    pool.backlog = null;
    this.#close(pool, false);
    this.#turns.feed(pool);
  }

  #tell({ pool, number }: Backlog, change: BacklogChange): void {
    this.#run.effects.push({ type: "backlog", machine: pool.machine, number, change });
  }
}
