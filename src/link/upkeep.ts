/**
 * What an open link does by itself from time to time: a heartbeat, and a look at the jobs whose end could have gone
 * unseen.
 *
 * @module
 */

import type { Clock } from "../deps.ts";
import type { Asked, UnreportedEnds } from "./unreported_ends.ts";
import type { Link } from "./link.ts";

/** The times of a link. */
export interface LinkTimes {
  /** A ping is sent when nothing was received for so long. @default 5000 */
  readonly pingMs: number;
  /** The link is given up when nothing was received for so long. @default 15000 */
  readonly deadMs: number;
  /** How often jobs in flight are asked about. @default 30000 */
  readonly lookMs: number;
  /** How long the agent may take to say hello. @default 30000 */
  readonly helloMs: number;
  /** How long after the hello the stream of events may take to begin before that is reported. @default 5000 */
  readonly deafMs: number;
}

/** The times used where none are given. */
export const LINK_TIMES: LinkTimes = { pingMs: 5000, deadMs: 15_000, lookMs: 30_000, helloMs: 30_000, deafMs: 5000 };

/**
 * So long, in ms, a host is given to begin what it had no trace of when it was asked: a manager whose process stood
 * still asks in the same moment in which the start goes out, however long ago it was sent by its own clock.
 */
const BEGIN_MS = 5000;

/** With what, how often, and until when. */
export interface Upkeep {
  readonly clock: Clock;
  readonly times: LinkTimes;
  readonly signal: AbortSignal;
}

/** The heart's side of a link. */
export interface Heart {
  readonly heardMs: () => number;
  readonly ping: () => void;
  readonly giveUp: (reason: string) => void;
}

/**
 * Sends pings, and gives up a link that answers none: ssh's own keep-alive is slower, and cannot see a hung agent.
 * After a sleep of the manager a ping comes first, so that a link which lived through it is kept.
 */
export async function keepBeat({ clock, times, signal }: Upkeep, heart: Heart): Promise<void> {
  const { pingMs, deadMs } = times;
  let pingedMs: number | null = null;
  while (!signal.aborted) {
    const heardMs = heart.heardMs();
    if (pingedMs !== null && heardMs >= pingedMs) pingedMs = null;
    await clock.sleepUntil(pingedMs === null ? heardMs + pingMs : pingedMs + deadMs - pingMs, signal);
    if (signal.aborted || heart.heardMs() !== heardMs) continue;
    if (pingedMs !== null) {
      heart.giveUp(`no answer for ${Math.ceil(deadMs / 1000)} s`);
      return;
    }
    pingedMs = Math.max(clock.now(), heardMs + 1);
    heart.ping();
  }
}

/** Asks about what is in flight: a wrapper and its job that vanish together (`kill -9`) report nothing. */
export async function keepLooking({ clock, times, signal }: Upkeep, link: Link, ends: UnreportedEnds): Promise<void> {
  while (!signal.aborted) {
    await clock.sleepUntil(clock.now() + times.lookMs, signal);
    const attempts = ends.since(clock.now() - times.lookMs);
    if (signal.aborted || attempts.length === 0) continue;
    try {
      const states = await link.ask(attempts);
      // The host lost a start that left no trace, or refused it, and who was to say so was ended. A claim that stays
      // unfinished for so long belongs to a wrapper that was ended. Before the link reports any of them, a tombstone
      // makes it true for ever.
      const those = (types: RegExp): Asked[] => attempts.filter((_, i) => types.test(states[i]?.type ?? ""));
      const [silent, claimed] = [ends.unanswered(those(/^(none|forbidden)$/)), those(/^claimed$/)];
      ends.settle(attempts, states, clock.now());
      if (silent.length + claimed.length === 0) continue;
      await clock.sleepUntil(clock.now() + BEGIN_MS, signal);
      const lost = [...ends.unanswered(silent), ...claimed];
      if (lost.length > 0) ends.settleLost(lost, await link.forbid(lost), clock.now());
    } catch {
      // The link went down meanwhile, which is reported elsewhere.
    }
  }
}
