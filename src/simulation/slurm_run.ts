/**
 * Plays a run on a simulated Slurm: the scheduler's own core and the allocator on a virtual clock, with nodes that come
 * and go. What runs in an allocation dies with it; claims stay, as they are on shared files.
 *
 * @module
 */

import TinyQueue from "tinyqueue";
import { machineKey } from "../cluster/machine.ts";
import { placeOf } from "../cluster/slurm_place.ts";
import type { AttemptRef } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import type { AttemptState, StartRequest } from "../link/link.ts";
import type { JobName } from "../names/grammar.ts";
import { Core } from "../scheduler/core.ts";
import type { CoreEvent, Effect } from "../scheduler/events.ts";
import { fifoMulti } from "../scheduler/policies.ts";
import { Allocations } from "../slurm/allocations.ts";
import type { Command } from "../slurm/commands.ts";
import { type Entry, lengthOf } from "../slurm/entry.ts";
import { randomOf } from "./random.ts";
import { type Door, type SiteAllocation, type SlurmLuck, SlurmSite } from "./slurm_site.ts";

/** What is played. */
export interface SlurmPlay {
  readonly seed: number;
  readonly entry: Entry;
  readonly jobs: readonly Job[];
  readonly durationOf: (job: Job) => number;
  readonly luck: SlurmLuck;
  /** A door that is wrong, as a mutant has it. @default "right" */
  readonly door?: Door;
}

/** What came of it. */
export interface SlurmPlayed {
  readonly jobs: ReadonlyMap<JobName, Job>;
  /** What was never to be, in words. */
  readonly violations: readonly string[];
  readonly virtualMs: number;
  /** Slot time of all allocations, and that part of it in which no job ran, ms. */
  readonly slotMs: number;
  readonly idleMs: number;
  readonly allocations: number;
  readonly submits: number;
  readonly looks: number;
  readonly isFinished: boolean;
}

/** What is claimed: where, and when it ends if its allocation lasts. */
interface Claim {
  readonly job: JobName;
  readonly on: SiteAllocation;
  readonly startMs: number;
  readonly endMs: number;
  /** It never starts. */
  readonly isForbidden: boolean;
}

const STEP_MS = 500;
const LINK_MS = 150;
const HOP_MS = 5;
/** A run that takes longer hangs. */
const MOST_MS = 60 * 24 * 3_600_000;

/** Plays it to its end. */
export function playSlurm(play: SlurmPlay): SlurmPlayed {
  return new Play(play).play();
}

class Play {
  readonly #play: SlurmPlay;
  readonly #jobs: Map<JobName, Job>;
  readonly #core: Core;
  readonly #site: SlurmSite;
  readonly #allocations: Allocations;
  readonly #claims = new Map<string, Claim>();
  readonly #running = new Map<JobName, string>();
  readonly #open = new Map<string, SiteAllocation>();
  readonly #violations = new Set<string>();
  readonly #events = new TinyQueue<{ atMs: number; order: number; act: () => void }>(
    [],
    (a, b) => a.atMs - b.atMs || a.order - b.order,
  );
  readonly #counts = { submits: 0, looks: 0 };
  #busyMs = 0;
  #order = 0;
  #nowMs = 0;

  constructor(play: SlurmPlay) {
    this.#play = play;
    this.#jobs = new Map(play.jobs.map((job) => [job.name, job]));
    const random = randomOf(play.seed, "slurm");
    const lengthMs = lengthOf(play.entry);
    this.#site = new SlurmSite({
      luck: play.luck,
      random,
      lengthMs,
      onEnd: (one) => this.#ended(one),
      onLost: (one) => this.#cut(one),
    });
    let names = 0;
    this.#allocations = new Allocations({ makeName: () => `cms-q-${++names}`, notBeforeMs: 0 });
    this.#allocations.setEntries([play.entry]);
    const hosts = this.#allocations.hosts();
    this.#core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 3_600_000, queue: "q" }, this.#jobs);
  }

  play(): SlurmPlayed {
    this.#step({ type: "begin" });
    this.#at(0, () => this.#allocate());
    while (!this.#core.isFinished && this.#nowMs < MOST_MS && this.#violations.size === 0) {
      const next = this.#events.peek()!;
      const wakeAtMs = Math.max(this.#core.wakeAtMs ?? Infinity, this.#nowMs + 1);
      if (wakeAtMs < next.atMs) {
        this.#nowMs = wakeAtMs;
        this.#step({ type: "tick" });
      } else {
        this.#nowMs = Math.max(this.#nowMs, next.atMs);
        this.#events.pop()!.act();
      }
    }
    for (const tasks of this.#allocations.rest(this.#core.demand()).values()) {
      for (const task of tasks) this.#site.cancel(task, this.#nowMs);
    }
    const left = this.#site.count;
    if (left > 0 && this.#core.isFinished && this.#play.luck.unanswered + this.#play.luck.blind === 0) {
      this.#violations.add(`${left} allocations are left at the end`);
    }
    const ran = this.#site.all.filter(({ node }) => node !== "");
    const slotMs = ran.reduce((sum, one) => sum + Math.max(0, one.endMs - one.startMs), 0) * this.#play.entry.slots;
    return {
      jobs: this.#jobs,
      violations: [...this.#violations],
      virtualMs: this.#nowMs,
      slotMs,
      idleMs: slotMs - this.#busyMs,
      allocations: ran.length,
      ...this.#counts,
      isFinished: this.#core.isFinished,
    };
  }

  #at(atMs: number, act: () => void): void {
    this.#events.push({ atMs, order: ++this.#order, act });
  }

  #step(event: CoreEvent): void {
    for (const effect of this.#core.step(event, this.#nowMs)) this.#perform(effect);
  }

  /** Half a second of Slurm and of the allocator. */
  #allocate(): void {
    this.#site.tick(this.#nowMs);
    for (const command of this.#allocations.step(this.#core.demand(), this.#nowMs)) this.#command(command);
    if (this.#allocations.isChanged) this.#step({ type: "hosts", hosts: this.#allocations.hosts() });
    else this.#allocations.hosts();
    this.#allocations.hostsTaken();
    const { allocations } = this.#play.entry.fields;
    if (this.#site.count > allocations) {
      this.#violations.add(`${this.#site.count} allocations at once, ${allocations} may be`);
    }
    this.#at(this.#nowMs + STEP_MS, () => this.#allocate());
  }

  #command(command: Command): void {
    const answer = (commands: readonly Command[]): void => commands.forEach((one) => this.#command(one));
    switch (command.type) {
      case "submit": {
        this.#counts.submits++;
        const result = this.#site.submit(command.name, command.count, this.#nowMs);
        const atMs = this.#nowMs + (result.type === "unknown" ? 30_000 : 20);
        return this.#at(atMs, () => answer(this.#allocations.submitted(command.name, result, this.#nowMs)));
      }
      case "look": {
        this.#counts.looks++;
        const sights = this.#site.look(command.names, this.#nowMs);
        const { login, names } = command;
        return this.#at(this.#nowMs + 20, () => answer(this.#allocations.seen(login, names, sights, this.#nowMs)));
      }
      case "cancel":
        return command.allocations.forEach((task) => this.#site.cancel(task, this.#nowMs));
      case "pause": // A person goes on at once.
        this.#allocations.setEntries([{ ...this.#play.entry, active: false }]);
        return this.#allocations.setEntries([this.#play.entry]);
      case "forget":
      case "report":
        return;
      default:
        command satisfies never;
    }
  }

  /** The allocation whose id a machine has in its name, the present one of that id. */
  #onMachine(key: string): SiteAllocation | null {
    const place = placeOf({ user: "", name: key.slice(key.indexOf("@") + 1), address: null })!;
    return this.#site.all.find(({ job, node, isForgotten }) =>
      !isForgotten && job === place.job && node === place.node
    ) ??
      null;
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "change":
        if (effect.change.type !== "set") return;
        this.#jobs.set(effect.change.job, { ...this.#jobs.get(effect.change.job)!, ...effect.change.fields });
        return;
      case "connect": {
        const machine = machineKey(effect.machine);
        return this.#at(this.#nowMs + LINK_MS, () => this.#connect(machine));
      }
      case "disconnect":
        return void this.#open.delete(effect.machine);
      case "start":
        return this.#at(this.#nowMs + HOP_MS, () => this.#start(effect.machine, effect.request));
      case "backlog": {
        if (effect.change.type !== "open") return;
        const event = { type: "no_backlog", number: effect.number } as const;
        return this.#at(this.#nowMs, () => this.#step({ type: "link", machine: effect.machine, event }));
      }
      case "ask": {
        const { machine, ask, forbid } = effect;
        return this.#at(this.#nowMs + HOP_MS, () => {
          if (!this.#open.has(machine)) return;
          const states = [
            ...ask.map((ref) => ({ ...ref, state: this.#stateOf(ref) })),
            ...forbid.map((ref) => ({ ...ref, state: this.#forbid(machine, ref) })),
          ];
          this.#step({ type: "answer", machine, states });
        });
      }
      case "recall": {
        const { machine, attempts } = effect;
        return this.#at(this.#nowMs + HOP_MS, () => {
          const states = this.#open.has(machine) ? attempts.map((ref) => this.#forbid(machine, ref)) : null;
          this.#step({ type: "recalled", attempts, states });
        });
      }
      default:
        return;
    }
  }

  /** The door: it leads in, or to what is left of it; or nobody can say. */
  #connect(machine: string): void {
    const one = this.#onMachine(machine);
    const name = machine.slice(machine.indexOf("@") + 1);
    const { door } = this.#play;
    if (one === null || (this.#site.isSilent(one, this.#nowMs) && (one.state !== "lost" || door !== "hasty"))) {
      return this.#step({ type: "connect_failed", machine, reason: "its node is lost", lasting: false });
    }
    this.#open.set(machine, one);
    const since = door === "forgetful" ? 0 : Math.round(one.startMs);
    const boot = one.state === "running" ? `${one.job}.0.${since}` : `over.${one.reason}`;
    this.#step({ type: "link_up", machine, boot: `${name}/slurm-${boot}` });
  }

  #start(machine: string, { job, attempt, backlog }: StartRequest): void {
    const one = this.#open.get(machine);
    if (one === undefined || backlog !== null) return;
    const known = this.#claims.get(attempt);
    if (known !== undefined) return;
    if (one.state !== "running") return void this.#violations.add(`${attempt} is started where nothing runs any more`);
    const other = this.#running.get(job);
    if (other !== undefined) return void this.#violations.add(`${attempt} is started beside ${other}`);
    const startMs = this.#nowMs;
    const endMs = startMs + this.#play.durationOf(this.#jobs.get(job)!);
    this.#claims.set(attempt, { job, on: one, startMs, endMs, isForbidden: false });
    this.#running.set(job, attempt);
    const say = (event: Extract<CoreEvent, { type: "link" }>["event"]): void => {
      if (this.#open.get(machine) === one) this.#step({ type: "link", machine, event });
    };
    this.#at(this.#nowMs + HOP_MS, () => say({ type: "started", job, attempt, pid: 1, atMs: startMs }));
    this.#at(endMs, () => {
      if (this.#running.get(job) !== attempt) return;
      this.#stop(job, attempt, endMs);
      say({ type: "ended", job, attempt, state: "end", exitCode: 0, atMs: endMs });
    });
  }

  #stop(job: JobName, attempt: string, atMs: number): void {
    this.#running.delete(job);
    this.#busyMs += atMs - this.#claims.get(attempt)!.startMs;
  }

  /** An allocation is over: what runs there is gone, and its links are down. */
  #ended(one: SiteAllocation): void {
    for (const [job, attempt] of [...this.#running]) {
      if (this.#claims.get(attempt)?.on !== one) continue;
      this.#stop(job, attempt, this.#nowMs);
      const isLimited = typeof this.#jobs.get(job)?.time_limit === "string";
      if (isLimited && one.reason === "TIMEOUT") this.#violations.add(`${attempt} had no time to end within its limit`);
    }
    this.#cut(one);
  }

  /** Its links are down. */
  #cut(one: SiteAllocation): void {
    for (const [machine, on] of [...this.#open]) {
      if (on !== one) continue;
      this.#open.delete(machine);
      const event = { type: "down", reason: "its shell ended with 143" } as const;
      this.#at(this.#nowMs + HOP_MS, () => this.#step({ type: "link", machine, event }));
    }
  }

  #stateOf({ attempt }: AttemptRef): AttemptState {
    const claim = this.#claims.get(attempt);
    if (claim === undefined) return { type: "none" };
    if (claim.isForbidden) return { type: "forbidden" };
    const { job, startMs, endMs } = claim;
    // Who looks at the files of a lost node sees no process there.
    if (claim.on.state === "lost" && endMs > this.#nowMs) return { type: "crashed", exitCode: null };
    if (this.#running.get(job) === attempt) return { type: "alive", pid: 1, startedAtMs: startMs, orphan: false };
    const isWhole = endMs <= claim.on.endMs;
    if (isWhole) return { type: "ended", state: "end", exitCode: 0, startedAtMs: startMs, endedAtMs: endMs };
    return { type: "crashed", exitCode: null };
  }

  #forbid(machine: string, ref: AttemptRef): AttemptState {
    if (!this.#claims.has(ref.attempt)) {
      const claim = { job: ref.job, on: this.#open.get(machine)!, startMs: 0, endMs: 0, isForbidden: true };
      this.#claims.set(ref.attempt, claim);
    }
    return this.#stateOf(ref);
  }
}
