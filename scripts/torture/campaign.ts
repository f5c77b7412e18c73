/**
 * A campaign: rounds, each with a fresh queue, in which faults happen at random moments until all jobs are done or the
 * time is over; then quiet, and the judge.
 *
 * @module
 */

import { outcomeOf } from "../../testing/hosts/shell.ts";
import { waitUntil } from "../../testing/wait.ts";
import { readText } from "../../testing/harness_faults.ts";
import { type Invariant, INVARIANTS, Journal, uptimeMs } from "./deeds.ts";
import { explain } from "./explain.ts";
import { FAULTS } from "./faults/all.ts";
import { pass, type PlannedFault } from "./faults/fault.ts";
import { MIXED, planNames, QUICK, TRIES } from "./jobs.ts";
import { judge } from "./judge.ts";
import { findTraces, Keeper } from "./keeper.ts";
import type { TortureOptions } from "./options.ts";
import { addJobs, gather, parseQueue, runArgs } from "./queue.ts";
import { blocksOf } from "./queue_text.ts";
import { Random } from "./random.ts";
import { makePlace, type Place, type Round, type World } from "./world.ts";

/** Rounds, in turn; the seed says which comes first. Prefetched jobs are many, as they are over so soon. */
const STYLES = [
  { name: "fifo_multi", scheduler: "fifo_multi", lengths: MIXED, times: 1 },
  { name: "fifo_multi, quick jobs", scheduler: "fifo_multi", lengths: QUICK, times: 6 },
  { name: "fifo", scheduler: "fifo", lengths: MIXED, times: 1 },
] as const;

/** What came of a campaign. */
export interface CampaignResult {
  readonly journal: Journal;
  readonly rounds: number;
  /** Starts that the jobs wrote down. */
  readonly starts: number;
  /** How many things were looked at for each invariant. */
  readonly looked: Record<Invariant, number>;
}

/** How long quiet may take to come after the last fault, beside what the jobs take. */
const QUIET_LIMIT_MS = 240_000;
/** So many faults at once, at most. */
const AT_ONCE = 8;
const LOOK_MS = 250;
/** Jobs of the second queue. */
const MOST_RIVALS = 120;
/** What is done to the second queue as well. */
const OF_BOTH = ["queue add", "queue delete", "queue reset", "queue refresh"];
/** Processes of jobs on a host. */
const MARKED = "grep -l CLOUDMESH_JOB /proc/[0-9]*/environ 2>/dev/null";
const OVER = ["end", "crash", "kill", "fail_start"];

/**
 * Carries out a campaign. @param say Called with each line of its journal. @throws {Error} If there can be none here.
 */
export async function campaign(
  options: TortureOptions,
  { say, stop }: { say: (line: string) => void; stop: AbortSignal },
): Promise<CampaignResult> {
  await using stack = new AsyncDisposableStack();
  const journal = new Journal(say);
  const place = await makePlace(options, stack);
  if (options.keep) say(`The manager's directory is ${place.manager.dir}`);
  const looked = Object.fromEntries(Object.keys(INVARIANTS).map((name) => [name, 0])) as Record<Invariant, number>;
  const random = new Random(options.seed);
  const endMs = performance.now() + options.minutes * 60_000;
  let rounds = 0;
  let starts = 0;
  while (performance.now() < endMs && !stop.aborted) {
    rounds++;
    const round = new RoundOf(place, { options, journal, looked, endMs, stop, number: rounds, random: random.fork() });
    starts += await round.run();
  }
  return { journal, rounds, starts, looked };
}

interface RoundParts {
  readonly options: TortureOptions;
  readonly journal: Journal;
  readonly looked: Record<Invariant, number>;
  readonly endMs: number;
  readonly stop: AbortSignal;
  readonly number: number;
  readonly random: Random;
}

class RoundOf {
  readonly #place: Place;
  readonly #parts: RoundParts;
  /** The last fault for each thing that faults have for themselves. */
  readonly #taken = new Map<string, Promise<void>>();
  readonly #active = new Set<Promise<void>>();
  #isOver = false;
  #rival: Pick<World, "round" | "journal"> | null = null;
  #rivalWorld: World | null = null;

  constructor(place: Place, parts: RoundParts) {
    this.#place = place;
    this.#parts = parts;
  }

  /** @returns How many starts the jobs wrote down. */
  async run(): Promise<number> {
    const { journal, options } = this.#parts;
    journal.deeds = [];
    journal.troubles = [];
    const world = await this.#begin();
    const rival = this.#rivalWorld!;
    const watch = Promise.all([
      this.#watch(world),
      ...Array.from({ length: options.readers }, (_, i) => this.#read(i % 2 === 0 ? world : rival)),
    ]);
    {
      await using _keeper = world.round.keeper;
      await using _rivals = rival.round.keeper;
      await this.#disturb(world, rival);
      journal.tell("quiet");
      for (const each of [world, rival]) await this.#settle(each);
      if (this.#parts.stop.aborted) { for (const each of [world, rival]) await each.round.keeper.kill9(); }
    }
    this.#isOver = true;
    await watch;
    // What was broken off cannot be judged.
    if (this.#parts.stop.aborted) return 0;
    rival.journal.troubles = journal.troubles;
    return await this.#judge(world) + await this.#judge(rival);
  }

  /** A fresh queue and its run. */
  async #begin(): Promise<World> {
    const { options, journal, number, random } = this.#parts;
    const { manager, hosts } = this.#place;
    const isShort = options.minutes < 2;
    // On a busy machine a new connection may well take three seconds.
    const timeoutMs = 6_000;
    const style = STYLES[(options.seed + number - 1) % STYLES.length]!;
    const { scheduler } = style;
    const lengths = isShort ? { ...style.lengths, longest: 40 } : style.lengths;
    const made = {
      queue: `q${number}`,
      scheduler,
      maxParallel: scheduler === "fifo" ? hosts.length * 2 - 1 : null,
      records: "ran",
      tries: options.tries ? TRIES : null,
      prefix: `q${number}.`,
      names: planNames(`q${number}.`, options.jobs * style.times, random, lengths),
    } as const;
    journal.tell(`round ${number}: ${made.names.length} jobs, ${style.name}`);
    const fromMs = uptimeMs();
    await manager.ok("queue", "create", made.queue);
    const part = Math.ceil(made.names.length / (hosts.length * 2)) + 1;
    for (let i = 0; i < made.names.length; i += part) {
      const names = made.names.slice(i, i + part);
      await manager.ok(...addJobs(made, names, hosts[Math.floor(i / part) % hosts.length]!.name));
    }
    journal.deeds.push({ type: "add", names: made.names, fromMs, toMs: uptimeMs(), done: true });
    const keeper = new Keeper(manager, runArgs(made, timeoutMs), { journal, random: random.fork() });
    this.#rival = await this.#beginRival(made, timeoutMs);
    const longestStopMs = isShort ? 4_000 : 60_000;
    const world = { hosts, manager, journal, timeoutMs, longestStopMs, round: { ...made, keeper }, torn: false };
    this.#rivalWorld = { ...world, ...this.#rival };
    return world;
  }

  /** A second queue, whose jobs have the same names, on the same hosts. */
  async #beginRival(
    first: Pick<Round, "queue" | "prefix" | "names">,
    timeoutMs: number,
  ): Promise<Pick<World, "round" | "journal">> {
    const { journal: main, random, options } = this.#parts;
    const { manager } = this.#place;
    const journal = main.another();
    const made = {
      queue: `${first.queue}-rival`,
      scheduler: "fifo_multi",
      maxParallel: null,
      records: "rival",
      tries: options.tries ? TRIES : null,
      prefix: first.prefix,
      names: first.names.slice(0, options.minutes < 2 ? MOST_RIVALS / 10 : MOST_RIVALS),
    } as const;
    const fromMs = uptimeMs();
    await manager.ok("queue", "create", made.queue);
    await manager.ok(...addJobs(made, made.names, ""));
    journal.deeds.push({ type: "add", names: made.names, fromMs, toMs: uptimeMs(), done: true });
    const keeper = new Keeper(manager, runArgs(made, timeoutMs), { journal, random: random.fork() });
    return { round: { ...made, keeper }, journal };
  }

  /** Faults, until the jobs are done or the time is over. */
  async #disturb(world: World, rival: World): Promise<void> {
    const { random, endMs, stop, options } = this.#parts;
    const meanMs = options.minutes < 2 ? 500 : 1_200;
    const { only } = options;
    const faults = only.length === 0 ? FAULTS : FAULTS.filter(({ name }) => only.some((word) => name.includes(word)));
    if (faults.length === 0) throw new RangeError(`--only: there is no fault with ${only.join(" or ")} in its name`);
    while (performance.now() < endMs && !stop.aborted && !isDone(world, options.jobs / 30)) {
      const fault = random.weighted(faults);
      const isOfBoth = OF_BOTH.includes(fault.name) && random.next() < 0.4;
      const whose = isOfBoth ? rival : world;
      this.#start(whose, fault.name, fault.plan(whose, random.fork()));
      await pass(random.between(meanMs / 4, meanMs * 1.75));
      if (this.#active.size >= AT_ONCE) await Promise.race(this.#active);
    }
    await Promise.all(this.#active);
  }

  #start(world: World, name: string, fault: PlannedFault): void {
    const { journal } = world;
    const before = fault.needs.map((need) => this.#taken.get(need));
    const run = async (): Promise<void> => {
      await Promise.all(before);
      journal.tell(fault.text);
      try {
        journal.count(name, await fault.run());
      } catch (error) {
        journal.find("program", `${fault.text}: ${(error as Error).message}`);
      }
    };
    const active: Promise<void> = run().finally(() => this.#active.delete(active));
    this.#active.add(active);
    for (const need of fault.needs) this.#taken.set(need, active);
  }

  /** Nothing happens any more: every job comes to its end, and so do the runs. */
  async #settle(world: World): Promise<void> {
    const { journal, round } = world;
    try {
      const { stop } = this.#parts;
      await waitUntil("the end of all jobs", () => isDone(world) || stop.aborted, { limitMs: QUIET_LIMIT_MS });
    } catch {
      const left = [...blocksOf(textOf(world))].filter(([, { status }]) => !OVER.includes(status));
      const states = left.map(([name, { status }]) => `${name} ${status}`).slice(0, 10).join(", ");
      journal.find(
        "program",
        `${left.length} jobs do not come to an end: ${states}; the run: ${round.keeper.run?.text.slice(-1500)}`,
      );
      await round.keeper.kill9();
    }
  }

  /** Lists the queue again and again, as people with `watch` do: nothing of that may fail, or stop the run. */
  async #read({ manager, journal, round }: World): Promise<void> {
    while (!this.#isOver) {
      const { code, stdout, stderr } = await manager.cms("queue", "list", round.queue, "--status=start");
      findTraces(journal, "a reader", stdout + stderr);
      // 2: while a fault has left the file torn.
      if (code !== 0 && code !== 2) journal.find("program", `queue list of a reader ended with ${code}: ${stderr}`);
      this.#parts.looked.program++;
    }
  }

  /** The file is whole at every moment, but for that of a fault. */
  async #watch(world: World): Promise<void> {
    while (!this.#isOver) {
      const wasTorn = world.torn;
      const text = textOf(world);
      if (!wasTorn && !world.torn) {
        this.#parts.looked.files++;
        try {
          parseQueue(text);
        } catch (error) {
          world.journal.find("files", `the queue file is no YAML: ${(error as Error).message}`);
        }
      }
      await pass(LOOK_MS);
    }
  }

  async #judge(world: World): Promise<number> {
    const { journal, manager, hosts, round } = world;
    // Those that were given up may still run somewhere. (Agents of links that broke in silence may stand there for
    // longer.)
    for (const host of hosts) {
      const marked = async () => (await host.run(MARKED, { user: "root" })).stdout.trim();
      await waitUntil(`the end of the last job on ${host.name}`, async () => await marked() === "", { limitMs: 90_000 })
        .catch(async () => journal.find("program", `processes of jobs are left on ${host.name}: ${await marked()}`));
    }
    const { code, stdout, stderr } = await manager.cms("queue", "refresh", round.queue);
    findTraces(journal, "refresh", stdout + stderr);
    if (code !== 0) journal.find("program", `refresh at the end ended with ${code}: ${stderr}`);
    // A run that finds nothing to do leaves the file complete; a refresh may leave what it found to the journal.
    await manager.cms(...runArgs(round, world.timeoutMs));
    const evidence = gather(world, this.#place.slots);
    const listed = await manager.jobs(round.queue);
    for (const [name, { status, attempt }] of evidence.jobs) {
      const other = listed.get(name);
      if (other?.status === status && other.attempt === attempt) continue;
      journal.find("files", `${name} is ${status} in the file and ${other?.status} in the list`);
    }
    if (listed.size !== evidence.jobs.size) {
      journal.find("files", `the file has ${evidence.jobs.size} jobs and the list ${listed.size}`);
    }
    const left = await outcomeOf(["find", manager.path(""), "-name", "*.tmp"]);
    if (left.stdout !== "") journal.find("files", `left over: ${left.stdout.trim()}`);
    const { findings, looked } = judge(evidence);
    for (const { invariant, text } of findings) journal.find(invariant, text);
    for (const [name, count] of Object.entries(looked)) this.#parts.looked[name as Invariant] += count;
    const suspects = [...evidence.jobs.keys()].filter((name) => findings.some(({ text }) => text.includes(name)));
    for (const name of suspects.slice(0, 8)) explain(world, name);
    await this.#clear(world);
    const states = Map.groupBy(evidence.jobs.values(), ({ status }) => status);
    journal.tell(
      `judged: ${
        [...states].map(([state, { length }]) => `${length} ${state}`).join(", ")
      }; ${findings.length} findings`,
    );
    return evidence.ran.length;
  }

  /** The next round needs the room. */
  async #clear({ manager, round }: World): Promise<void> {
    if (this.#parts.options.keep) return;
    for (const { name } of [...Deno.readDirSync(manager.path(""))]) {
      if (name.includes(`${round.queue}-queue`)) await Deno.remove(manager.path(name), { recursive: true });
    }
  }
}

function textOf(world: World): string {
  return readText(world.manager.path(`${world.round.queue}-queue.yaml`));
}

/** Whether at most so many jobs wait or run, as far as the file says. */
function isDone(world: World, mostLeft = 0): boolean {
  if (world.torn) return false;
  const states = [...blocksOf(textOf(world)).values()].map(({ status }) => status);
  return states.length > 0 && states.filter((status) => !OVER.includes(status)).length <= mostLeft;
}
