/**
 * Where a job fits that needs more than a slot, and what it then holds. Data only; `slots.ts` finds it.
 *
 * @module
 */

import type { Needs } from "../job/needs.ts";
import type { SlotHost } from "./slot_host.ts";

/** What a job holds besides one slot. */
export interface Share {
  readonly needs: Needs;
  readonly devices: readonly number[];
}

/** Where a job that needs more than a slot may start. */
export type Fit =
  | { readonly type: "now"; readonly host: SlotHost; readonly devices: readonly number[] }
  /** On any of these, if nobody else uses their devices: they are to be asked. */
  | { readonly type: "ask"; readonly hosts: readonly SlotHost[] }
  /**
   * Not yet. `host`: where it will fit soonest; null while none of those that could hold it gets jobs. `reason`: who
   * uses the devices of one, where that is all that is in the way; null otherwise.
   */
  | { readonly type: "later"; readonly host: SlotHost | null; readonly reason: string | null }
  /** No host could hold it. */
  | { readonly type: "never" };

/** What is known of hosts besides who holds what. */
export interface FitView {
  readonly nowMs: number;
  readonly isUp: (machine: string) => boolean;
  /** Hosts that go before others; null: none. */
  readonly liked: ((host: SlotHost) => boolean) | null;
  /** Who else uses devices. */
  readonly gpus: {
    usable(host: SlotHost): SlotHost;
    reason(host: SlotHost): string | null;
    isSure(host: SlotHost, ids: readonly number[]): boolean;
  };
}
