/**
 * What the allocator wants to be done.
 *
 * @module
 */

import type { Entry } from "./entry.ts";

/** What is to be done. */
export type Command =
  /** Noted durably before it is submitted. */
  | { readonly type: "submit"; readonly entry: Entry; readonly name: string; readonly count: number }
  /** Nothing is to be remembered of this submit any more. */
  | { readonly type: "forget"; readonly name: string }
  | { readonly type: "look"; readonly login: string; readonly names: readonly string[] }
  | { readonly type: "cancel"; readonly login: string; readonly allocations: readonly string[] }
  /** The entry gets no allocations before a person activates it. `reason`: Slurm's words. */
  | { readonly type: "pause"; readonly entry: string; readonly reason: string }
  | { readonly type: "report"; readonly entry: string; readonly what: What; readonly text: string };

/** What happened to allocations, in one word. */
export type What = "asked" | "refused" | "started" | "closing" | "ended";
