/**
 * Variants of the program that are broken on purpose, at least one for each rule of docs/architecture.md ("What must
 * never break"): by ports of their own, or by another method in place of one of the program's.
 *
 * @module
 */

import { upcoming } from "../../src/scheduler/ahead.ts";
import type { AppendFile, FileLock } from "../../src/deps.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Answers } from "../../src/scheduler/answers.ts";
import { Attempts } from "../../src/scheduler/attempts.ts";
import { Candidates } from "../../src/scheduler/candidates.ts";
import { Channel } from "../../src/link/channel.ts";
import { Core } from "../../src/scheduler/core.ts";
import { InFlightSet } from "../../src/scheduler/in_flight_set.ts";
import { Links } from "../../src/scheduler/links.ts";
import { Outcomes } from "../../src/scheduler/outcomes.ts";
import { Slots } from "../../src/scheduler/slots.ts";
import { Inputs } from "../../src/scheduler/inputs.ts";
import { Sender } from "../../src/link/sender.ts";
import { Stager } from "../../src/simulation/copy_inputs.ts";
import { SentFiles } from "../../src/simulation/sent_files.ts";
import { ManagersDirectory } from "../../src/simulation/input_files.ts";
import { JobDirectory, OutputFile } from "../../src/simulation/job_directory.ts";
import { GatedFiles } from "../../src/simulation/gated_files.ts";
import type { Host } from "../../src/simulation/host.ts";
import type { MemoryFiles } from "../../src/simulation/memory_files.ts";
import type { SimProcess } from "../../src/simulation/process.ts";
import { JournalFile } from "../../src/store/journal/journal_file.ts";
import { NOTHING_CARRIED } from "../../src/store/journal/journal_place.ts";
import { JournaledQueue } from "../../src/store/journaled_queue.ts";
import type { WorldOptions } from "../../src/simulation/world.ts";
import { patch } from "./patch.ts";

/** One variant. */
export interface Mutant {
  readonly rule: number;
  readonly name: string;
  readonly options?: Partial<WorldOptions>;
  /** What the worlds have in which it is shown; without it the program must pass there. */
  readonly worlds?: Partial<WorldOptions>;
  /** The seed of a large world that shows it, where small ones hardly ever do. */
  readonly seed?: number;
  /** That world is a small one. */
  readonly isSmall?: true;
  /** Breaks the program; gives what mends it again. */
  readonly breaks?: () => () => void;
}

/** Each job leaves a process running for an hour. */
function leaveProcesses(host: Host): void {
  patch(host, "spawn", (old) => (kind, mark, body) => {
    if (kind === "job") host.leave(mark!, 3_600_000);
    return old.call(host, kind, mark, body);
  });
}

/** Nothing is ever synced. */
class Unsynced extends GatedFiles {
  override async openAppend(path: string, options: { create: boolean }): Promise<AppendFile | null> {
    const file = await super.openAppend(path, options);
    return file === null ? null : { ...file, sync: () => Promise.resolve() };
  }
}

/** Everybody gets every lock. */
class Unlocked extends GatedFiles {
  override lock(): Promise<FileLock | null> {
    return Promise.resolve({ describe: () => Promise.resolve(), release: () => {} });
  }
}

/** Files are written over in place, piece by piece. */
class InPlace extends GatedFiles {
  readonly #own: SimProcess;
  readonly #place: MemoryFiles;

  constructor(process: SimProcess, disk: MemoryFiles) {
    super(process, disk);
    this.#own = process;
    this.#place = disk;
  }

  override async replace(path: string, content: string | readonly Uint8Array[]): Promise<boolean> {
    const text = typeof content === "string" ? content : await new Blob([...content] as BlobPart[]).text();
    if (!this.#own.step()) return await new Promise(() => {});
    this.#place.edit(path, text.slice(0, text.length >> 1));
    await this.#own.pause(20);
    if (!this.#own.step()) return await new Promise(() => {});
    this.#place.edit(path, text);
    this.#own.parts.onWrite(this.#own, path, null);
    return true;
  }
}

/** Who reads the journal locks the queue, as readers once did. */
class LockedReader extends GatedFiles {
  readonly #name: string;

  constructor(process: SimProcess, disk: MemoryFiles) {
    super(process, disk);
    this.#name = process.name;
  }

  override async openAppend(path: string, options: { create: boolean }): Promise<AppendFile | null> {
    const lock = path.replace(/journal$/, "lock");
    if (this.#name.startsWith("list")) (await super.lock(lock, { mode: "shared", wait: true }))?.release();
    return await super.openAppend(path, options);
  }
}

/** Waits by the clock that people set. */
function byWallClock(process: SimProcess, disk: MemoryFiles): GatedFiles {
  queueMicrotask(() => {
    const { clock } = process.deps;
    const { epochMs, sleepUntil } = clock;
    const ahead = process.parts.wallAheadMs;
    Object.assign(clock, {
      now: () => epochMs(),
      sleepUntil: (atMs: number, signal?: AbortSignal) => sleepUntil(atMs - ahead(), signal),
    });
  });
  return new GatedFiles(process, disk);
}

/** The variants. */
export const MUTANTS: readonly Mutant[] = [
  {
    rule: 1,
    name: "an agent that has not begun gets starts",
    seed: 3_000_166,
    breaks: () => patch(Channel.prototype, "hold", () => () => {}),
  },
  {
    rule: 1,
    name: "fsync left out",
    options: { makeFiles: (process, disk) => new Unsynced(process, disk) },
  },
  {
    rule: 1,
    name: "a start is sent while the disk is still at it",
    breaks: () => patch(JournaledQueue.prototype, "makeDurable", () => () => Promise.resolve()),
  },
  {
    rule: 1,
    name: "claim left out",
    options: {
      spoilHost: (host) => {
        patch(host, "directory", (old) => (job, queue) => {
          const directory = old.call(host, job, queue);
          if (directory !== undefined) directory.chain.length = 0;
          return directory;
        });
      },
    },
  },
  {
    rule: 1,
    name: "asked instead of forbidden",
    options: { garble: (text) => text.replaceAll("{ cms_forbid ", "{ cms_ask ") },
  },
  {
    rule: 3,
    name: "links that a run has closed itself count as open",
    breaks: () => patch(Links.prototype, "closed", () => () => {}),
  },
  {
    rule: 3,
    name: "a claim that nobody finishes is asked about for ever",
    seed: 429_229_677,
    breaks: () =>
      patch(Answers.prototype, "learn", (old) =>
        function (this: Answers, one, state, gaveBack) {
          old.call(this, one, state, gaveBack);
          if (state.type === "claimed") one.timesAsked = 0;
        }),
  },
  {
    rule: 2,
    name: "checkpoint without rename",
    options: { makeFiles: (process, disk) => new InPlace(process, disk) },
  },
  {
    rule: 3,
    name: "adoption forgotten",
    breaks: () => patch(Attempts.prototype, "inherit", () => () => {}),
  },
  {
    rule: 3,
    name: "a machine that shares a home is taken for the one that was booted",
    options: {
      spoilHost: (host) => {
        host.machine = "any";
      },
    },
  },
  {
    rule: 3,
    name: "machines told apart by host name alone",
    options: {
      spoilHost: (host) => {
        host.machine = host.hostname;
      },
    },
  },
  {
    rule: 3,
    name: "what lives on another machine is gone",
    breaks: () =>
      patch(Answers.prototype, "learn", (old) =>
        function (this: Answers, one, state, gaveBack) {
          old.call(this, one, state.type === "away" ? { type: "crashed", exitCode: null } : state, gaveBack);
        }),
  },
  {
    rule: 3,
    name: "no trace on another machine is a proof",
    breaks: () =>
      patch(Answers.prototype, "learn", (old) =>
        function (this: Answers, one, state, gaveBack) {
          old.call(this, one, state.type === "none" ? { type: "crashed", exitCode: null } : state, gaveBack);
        }),
  },
  {
    rule: 3,
    name: "an exit code above 128 taken for a signal",
    options: {
      spoilHost: (host) => {
        patch(host.events, "set", (old) => (queue, file) => {
          patch(
            file,
            "append",
            (append) => (line) => append.call(file, line.replace(/ end (1[3-9]\d) /, " crash $1 ")),
          );
          return old.call(host.events, queue, file);
        });
      },
    },
  },
  {
    rule: 3,
    name: "output not opened for append",
    breaks: () =>
      patch(OutputFile.prototype, "open", () =>
        function (this: OutputFile) {
          let at = this.lines.length;
          return { write: (line: string) => void (this.lines[at++] = line) };
        }),
  },
  {
    rule: 3,
    name: "what jobs left running outlives their directories",
    options: { spoilHost: (host) => void patch(host, "leftBy", () => () => []) },
  },
  {
    rule: 3,
    name: "what replaced jobs left running outlives the directory that they had",
    seed: 182,
    isSmall: true,
    worlds: { spoilHost: leaveProcesses },
    options: {
      spoilHost: (host) => {
        leaveProcesses(host);
        patch(host, "leftBy", (old) => (attempt) => old.call(host, attempt));
      },
    },
  },
  {
    rule: 3,
    name: "what other jobs left running ended with a directory",
    options: {
      spoilHost: (host) =>
        void patch(host, "leftBy", () => () => [...host.processes()].filter(({ kind }) => kind === "child")),
    },
  },
  {
    rule: 3,
    name: "what was started under a name that is silent is gone, though its machine answers under another",
    seed: 300_002_730,
    breaks: () => patch(InFlightSet.prototype, "found", () => () => []),
  },
  {
    rule: 4,
    name: "a second name of a machine is a machine that does not answer",
    seed: 141,
    breaks: () =>
      patch(Links.prototype, "same", () =>
        function (this: Links, key) {
          this.connectFailed(key, "it does not answer", false);
        }),
  },
  {
    rule: 4,
    name: "a slot that is not counted now and then",
    breaks: () => {
      let calls = 0;
      return patch(Slots.prototype, "take", (old) =>
        function (this: Slots, job: JobName, id: string) {
          if (++calls % 7 !== 0) old.call(this, job, id);
        });
    },
  },
  {
    rule: 4,
    name: "one more than max_parallel",
    breaks: () => {
      const old = Object.getOwnPropertyDescriptor(InFlightSet.prototype, "running")!;
      Object.defineProperty(InFlightSet.prototype, "running", {
        ...old,
        get(this: InFlightSet) {
          return Math.max(0, (old.get!.call(this) as number) - 1);
        },
      });
      return () => Object.defineProperty(InFlightSet.prototype, "running", old);
    },
  },
  {
    rule: 5,
    name: "the next but one first",
    breaks: () => {
      let calls = 0;
      return patch(Candidates.prototype, "peek", (old) =>
        function (this: Candidates, jobs, nowMs) {
          const name = old.call(this, jobs, nowMs);
          return ++calls % 5 === 0 ? upcoming(this, jobs, 2)[1]?.name ?? name : name;
        });
    },
  },
  {
    rule: 6,
    name: "an end that is followed by a start",
    breaks: () =>
      patch(Core.prototype, "step", (old) =>
        function (this: Core, event, nowMs) {
          const effects = old.call(this, event, nowMs);
          const end = effects.find((effect) => effect.type === "change");
          if (event.type === "link" && event.event.type === "ended" && end !== undefined) {
            const change = { type: "set", job: event.event.job, fields: { status: "start" } } as const;
            effects.push({ ...end, change, durable: false });
          }
          return effects;
        }),
  },
  {
    rule: 2,
    name: "a journal that was removed is not missed",
    seed: 43,
    breaks: () => patch(JournalFile.prototype, "isKnown", () => () => true),
  },
  {
    rule: 2,
    name: "what is written beside the queue file is forgotten",
    breaks: () => patch(JournalFile.prototype, "since", () => () => Promise.resolve(NOTHING_CARRIED)),
  },
  {
    rule: 3,
    name: "waits by the wall clock",
    options: { makeFiles: byWallClock },
  },
  {
    rule: 2,
    name: "no YAML written at the end of a run",
    breaks: () =>
      patch(
        JournaledQueue.prototype,
        "endRun",
        () =>
          async function (this: JournaledQueue, _policy, mayEnd = () => true) {
            const mayGo = mayEnd(await this.sync());
            if (mayGo) this.close();
            return mayGo;
          },
      ),
  },
  {
    rule: 7,
    name: "readers that lock",
    options: { makeFiles: (process, disk) => new LockedReader(process, disk) },
  },
  {
    rule: 6,
    name: "a job that did not end well counts as completed",
    breaks: () =>
      patch(Outcomes.prototype, "summary", (old) =>
        function (this: Outcomes) {
          const { ran, completed, failed } = old.call(this);
          return { ran, completed: [...completed, ...failed.map(({ job }) => job)], failed: [] };
        }),
  },
  {
    rule: 6,
    name: "a kill that is written down as an end with code 0",
    breaks: () =>
      patch(Attempts.prototype, "end", (old) =>
        function (this: Attempts, one, end, gaveBack) {
          old.call(this, one, end.state === "kill" ? { ...end, state: "end", exitCode: 0 } : end, gaveBack);
        }),
  },
  {
    rule: 3,
    name: "a time limit that its host does not know",
    options: {
      garble: (text) => text.replaceAll(/ (?:'|'\\'')\d+\/\d+\/[\d.]+s(?:'\\''|')/g, ""),
    },
  },
  {
    rule: 6,
    name: "a job that its time limit ended, as if a person had",
    breaks: () =>
      patch(Attempts.prototype, "end", (old) =>
        function (this: Attempts, one, end, gaveBack) {
          old.call(this, one, end.cause === "time_limit" ? { ...end, reason: null, cause: "killed" } : end, gaveBack);
        }),
  },
  {
    rule: 7,
    name: "locks left out",
    options: { makeFiles: (process, disk) => new Unlocked(process, disk) },
  },
  {
    rule: 8,
    name: "quotes not quoted",
    options: { garble: (text) => text.replaceAll("'\\''", "'") },
  },
  {
    rule: 8,
    name: "names not quoted",
    options: { garble: (text) => text.replaceAll(/\{ cms_dirs '(\w+)'/g, "{ cms_dirs $1") },
  },
  {
    rule: 9,
    name: "claims of another queue taken for its own",
    options: { spoilHost: (host) => void patch(host, "isKin", () => () => true) },
  },
  {
    rule: 9,
    name: "JOB before JOB.QUEUE",
    options: {
      spoilHost: (host) =>
        void patch(host, "directory", (old) => (job, queue) => host.directories.get(job) ?? old.call(host, job, queue)),
    },
  },
  {
    rule: 10,
    name: "a person's input goes with the directory of the job",
    options: { spoilHost: (host) => void patch(host, "holdsInput", () => () => false) },
  },
  {
    rule: 10,
    name: "jobs start without their input",
    breaks: () => patch(Inputs.prototype, "of", () => () => Promise.resolve(new Set<JobName>())),
  },
  {
    rule: 10,
    name: "a copy of input that broke off counts",
    breaks: () => patch(Stager.prototype, "isWhole", () => () => true),
  },
  {
    rule: 10,
    name: "input unpacked in its place",
    breaks: () =>
      patch(Stager.prototype, "arrived", () =>
        function* (this: Stager, files, places) {
          yield* this.put(files, places);
        }),
  },
  {
    rule: 10,
    name: "input copied to whatever machine the name leads to",
    seed: 70_006_655,
    breaks: () => {
      // A boot is one of one machine.
      const undo = [
        patch(Stager.prototype, "isOfAgent", () => () => true),
        patch(Stager.prototype, "isOfBoot", () => () => true),
      ];
      return () => undo.forEach((each) => each());
    },
  },
  {
    rule: 10,
    name: "input copied onto itself",
    breaks: () => patch(ManagersDirectory.prototype, "has", () => () => false),
  },
  {
    rule: 10,
    name: "what was sent before a power cut counts without a look",
    breaks: () => patch(SentFiles.prototype, "isWhole", () => () => true),
  },
  {
    rule: 10,
    name: "jobs start before the files that they send",
    breaks: () =>
      patch(Sender.prototype, "send", (old) =>
        function (this: Sender, request) {
          void old.call(this, request).catch(() => {});
          return Promise.resolve(null);
        }),
  },
  {
    rule: 10,
    name: "no claim says for whom files are put into a directory that is the job's already",
    seed: 605631,
    isSmall: true,
    breaks: () =>
      patch(JobDirectory.prototype, "filesFor", () =>
        function (this: JobDirectory) {
          return { held: this.chain.length > 0, due: null };
        }),
  },
  {
    rule: 10,
    name: "no input for a job whose directory stands beside",
    breaks: () =>
      patch(JobDirectory.prototype, "setInput", (old) =>
        function (this: JobDirectory, file, text) {
          if (!this.name.includes(".")) old.call(this, file, text);
        }),
  },
];
