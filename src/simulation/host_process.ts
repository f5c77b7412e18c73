/**
 * A process of a simulated host, and the file in which wrappers report what happens.
 *
 * @module
 */

import type { Planned } from "./timeline.ts";

/** Steps of a process: yields how long to wait, 0 where others may come between, {@link UNTIL_WOKEN} to be woken. */
export type Steps = Generator<number, void, void>;
/** Yielded by a process that waits to be woken. */
export const UNTIL_WOKEN = -1;

/** A process of a host. */
export interface HostProcess {
  readonly pid: number;
  /** Ticks (1/100 s) since the boot. */
  readonly startTicks: number;
  readonly kind: "agent" | "tail" | "wrapper" | "job" | "child" | "helper";
  /** The attempt that its environment names; of a wrapper the one that it has now. */
  mark: string | null;
  alive: boolean;
  /** SIGSTOP: until when. */
  stoppedUntilMs: number;
  steps: Steps | null;
  planned: Planned | null;
  /** Called once when it is gone, whatever ended it. */
  onGone: (() => void)[];
}

/** What is written to the manager's ear: lines, and who follows them. */
export class EventsFile {
  readonly lines: string[] = [];
  readonly followers = new Set<(line: string) => void>();
  exists = true;

  append(line: string): void {
    if (!this.exists) return;
    this.lines.push(line);
    for (const follower of this.followers) follower(line);
  }
}

/** Where a wrapper reports what happens. */
export interface Tell {
  readonly events: EventsFile;
  readonly queue: string;
  /** The agent's directory is the manager's own. */
  readonly keep?: boolean;
  /** `+` for a job of a backlog, which gives its slot back. */
  readonly plus?: string;
}
