/**
 * Links to agents under local shells, for tests: each with a home and an experiment directory of its own, which are
 * removed, and what comes from the link on record.
 *
 * @module
 */

import { realDeps } from "../../src/deps_real.ts";
import type { Child, Deps } from "../../src/deps.ts";
import { jobScript } from "../../src/job/script.ts";
import { type JobName, jobName } from "../../src/names/grammar.ts";
import { makeConnect, type MakeConnectOptions } from "../../src/link/connect.ts";
import type { AttemptRef } from "../../src/job/attempt.ts";
import type { AttemptState, ConnectOptions, Link, LinkEvent, StartRequest } from "../../src/link/link.ts";
import { waitUntil } from "../../testing/wait.ts";

/** The shells that an agent must run in. */
export const SHELLS = ["dash", "bash", "bash --posix", "busybox sh"];
export const QUEUE_ID = "0123456789abcdef";
export const LOCAL = { user: "", name: "localhost", address: null };

/** A link with a record of its events. */
export interface Recorded {
  readonly link: Link;
  readonly events: LinkEvent[];
  /** What pings took, ms; only where `withPlace` records. */
  readonly roundTrips?: readonly number[];
  /** Waits for the event of this kind about this job. */
  event<T extends LinkEvent["type"]>(type: T, job?: string): Promise<Extract<LinkEvent, { type: T }>>;
}

/** Where agents of a test live. */
export interface Place {
  readonly home: string;
  /** `HOME/experiment` there. */
  readonly directory: string;
  /** Processes of the links, in the order of their start. */
  readonly children: Child[];
  /** `isBare`: without a launcher. */
  connect(options?: Partial<ConnectOptions & MakeConnectOptions> & { isBare?: boolean }): Promise<Recorded>;
  text(path: string): Promise<string>;
  /** The job directory's file of that end, such as `.log`. */
  file(job: string, end: string): Promise<string>;
}

/** A start as the program makes it. */
export function start(
  job: string,
  command: string,
  more: Partial<StartRequest> & { number?: number } = {},
): StartRequest {
  const { number = 1, ...fields } = more;
  const shell = fields.shell ?? "sh";
  return {
    job: jobName(job),
    attempt: `${idOf(job)}.${number}`,
    shell,
    script: jobScript({ name: job, shell, command, pyenv: null, gpu: null }),
    output: `${job}.out`,
    log: `${job}.log`,
    gpu: null,
    backlog: null,
    ...fields,
  };
}

/**
 * A kill ends all on the machine that carries the attempt's mark: the files of tests, which run side by side, must not
 * share ids.
 */
const OURS = crypto.randomUUID().slice(0, 8);

function idOf(job: string): string {
  return OURS + [...new TextEncoder().encode(job)].map((byte) => byte.toString(16)).join("").slice(0, 24);
}

/** An attempt as the link's methods take it. */
export function attempt(job: string, number = 1): { job: JobName; attempt: string } {
  return { job: jobName(job), attempt: `${idOf(job)}.${number}` };
}

/** Waits for an event on a record. */
export function recorder(events: LinkEvent[]): Recorded["event"] {
  return <T extends LinkEvent["type"]>(type: T, job?: string) =>
    waitUntil(
      () => `${type} of ${job ?? "any job"} among ${JSON.stringify(events)}`,
      () =>
        events.find((event): event is Extract<LinkEvent, { type: T }> =>
          event.type === type && (job === undefined || ("job" in event && event.job === job))
        ),
      { limitMs: 20_000 },
    ) as Promise<Extract<LinkEvent, { type: T }>>;
}

/** Runs a test with a home of its own; ends every link and removes all at the end. */
export async function withPlace(shell: string, body: (place: Place) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir();
  const real = realDeps();
  const children: Child[] = [];
  const deps: Deps = {
    ...real,
    processes: {
      spawn(command, options = {}) {
        const child = real.processes.spawn(command, { ...options, env: { ...options.env, HOME: home } });
        children.push(child);
        return child;
      },
    },
  };
  const links: Link[] = [];
  const text = (path: string) => Deno.readTextFile(path);
  const directory = `${home}/experiment`;
  try {
    await body({
      home,
      directory,
      children,
      text,
      file: (job, end) => text(`${directory}/${job}/${job}${end}`),
      async connect({ times, localShell, isBare = false, ...options } = {}) {
        const events: LinkEvent[] = [];
        const roundTrips: number[] = [];
        const { environment } = deps;
        const get = (name: string) => name === "CMS_LAUNCHER" && isBare ? "no" : environment.get(name);
        const own = { ...deps, environment: { ...environment, get } };
        const connect = makeConnect(own, { localShell: localShell ?? shell.split(" "), ...(times ? { times } : {}) });
        const link = await connect(LOCAL, {
          directory: "experiment",
          queueId: QUEUE_ID,
          role: "resident",
          // When it comes depends on the machine; it has tests of its own.
          onEvent: (event) => {
            if (event.type === "round_trip") roundTrips.push(event.ms);
            else events.push(event);
          },
          ...options,
        });
        links.push(link);
        const isResident = options.onEvent === undefined && (options.role ?? "resident") === "resident";
        const hasBegun = () => !isResident || roundTrips.length > 0 || events.some(({ type }) => type === "down");
        await waitUntil("the agent's begin", hasBegun);
        return { link, events, roundTrips, event: recorder(events) };
      },
    });
  } finally {
    await Promise.all(links.map((link) => link.close()));
    // Wrappers may still write for a moment after their last event.
    await waitUntil("the home's removal", () => Deno.remove(home, { recursive: true }).then(() => true));
  }
}

/** Runs a command of the machine; its stdout, trimmed. */
export async function run(...command: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command[0] ?? "", { args: command.slice(1), stderr: "null" }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** What the host says of an attempt whose end it has told: its wrapper, which tells it, may be there for a moment. */
export async function endOf(link: Link, ref: AttemptRef): Promise<AttemptState | null | undefined> {
  return await waitUntil(`the wrapper of ${ref.job} to be gone`, async () => {
    const [state] = await link.ask([ref]);
    return state?.type === "alive" ? null : state;
  });
}

/** True while a process lives (a zombie does not). */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  return stat !== "" && !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
}
