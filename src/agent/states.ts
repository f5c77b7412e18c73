/**
 * What a host knows of an attempt, as the agent says it. Pure.
 *
 * @module
 */

import type { AttemptState } from "./attempt.ts";

/** A whole number, or null. */
export function number(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function instant(text: string | undefined): number | null {
  if (text === undefined || !/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** A state as `c_state` of the agent gives it, in words; null if it is none. */
export function parseState(words: readonly string[]): AttemptState | null {
  const [type, ...rest] = words;
  const mark = rest.at(-1);
  const beside = mark?.startsWith("@") ? { directory: mark.slice(1) } : {};
  const limit = limitOf(rest);
  switch (type) {
    case "none":
    case "claimed":
      return { type };
    case "forbidden":
      return { type, ...rest.length > 0 && { reason: rest.join(" ") } };
    case "alive": {
      const pid = number(rest[0]);
      if (pid === null) return null;
      return { type, pid, startedAtMs: number(rest[1]), orphan: rest[2] === "1", ...slotOf(rest[3]), ...beside };
    }
    case "ended": {
      const exitCode = number(rest[1]);
      if (rest[0] === "crash") return { type: "crashed", exitCode, ...beside };
      if (rest[0] !== "end" && rest[0] !== "kill") return null;
      return {
        type,
        state: rest[0],
        exitCode,
        startedAtMs: number(rest[2]),
        endedAtMs: instant(rest[3]),
        ...limit,
        ...beside,
      };
    }
    case "away":
      return rest[0] === undefined ? null : { type, machine: rest[0] };
    case "other":
      return rest[0] === undefined ? null : { type, attempt: rest[0], alive: rest[1] === "1" };
    default:
      return null;
  }
}

/** The slot that an attempt has, as `s=3`; nothing where that is not known. */
export function slotOf(word: string | undefined): { slot?: number } {
  const slot = word?.startsWith("s=") === true ? number(word.slice(2)) : null;
  return slot === null ? {} : { slot };
}

/** The limit that ended an attempt, if one did. */
export function limitOf(words: readonly string[]): { limit?: string } {
  const word = words.find((one) => one.startsWith("limit="));
  return word === undefined ? {} : { limit: word.slice("limit=".length) };
}
