/**
 * The experiment that is looked at.
 *
 * @module
 */

import { signal } from "@preact/signals";

/** Its directory, as requests name it. */
export const experiment = signal("experiment");
