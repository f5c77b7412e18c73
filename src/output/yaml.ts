/**
 * Records as YAML.
 *
 * @module
 */

import { dump } from "js-yaml";

/** A sequence of maps; lines are not folded. `[]` if there are none. */
export function renderYaml(records: readonly object[]): string {
  return dump(records, { lineWidth: -1, noRefs: true });
}
