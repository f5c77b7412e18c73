/**
 * What a run is made from, and who watches it.
 *
 * @module
 */

import type { Connect } from "../link/link.ts";
import type { ExternalChanges } from "../store/changes.ts";
import type { QueueStore } from "../store/store.ts";
import type { Core } from "./core.ts";
import type { RunEvent } from "./report.ts";
import type { FilesToWatch } from "./watched_files.ts";

/** Who watches a run, and how to end it. */
export interface RunWatch {
  onEvent(event: RunEvent): void;
  /** Aborted by the first request to stop: no new starts, waits for what runs. Its reason is the signal's name. */
  readonly stop: AbortSignal;
  /** Aborted by the second: leaves at once; jobs go on. */
  readonly leave: AbortSignal;
  /** Is given what others changed, before the run decides on it. */
  onExternalChanges?(external: ExternalChanges): void;
}

/** What a run is made from. */
export interface RunParts extends FilesToWatch {
  readonly store: QueueStore;
  readonly core: Core;
  readonly connect: Connect;
}
