/**
 * All faults.
 *
 * @module
 */

import type { Fault } from "./fault.ts";
import { editDrop, editNote, editReady, fillDisk, readOnly, saveInPlace, tear } from "./of_files.ts";
import { crashHost, cutHost, cutHostLong, killAgent } from "./of_hosts.ts";
import { killManager, killSsh, secondManager, stopManager } from "./of_manager.ts";
import { add, deactivate, refresh, remove, reset } from "./of_use.ts";

/** In the order of the table. */
export const FAULTS: readonly Fault[] = [
  killManager,
  stopManager,
  secondManager,
  killSsh,
  killAgent,
  crashHost,
  cutHost,
  cutHostLong,
  fillDisk,
  readOnly,
  tear,
  saveInPlace,
  editNote,
  editReady,
  editDrop,
  add,
  remove,
  reset,
  refresh,
  deactivate,
];
