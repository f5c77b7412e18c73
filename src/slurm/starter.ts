/**
 * The batch script of an allocation. What it does is in `starter.sh`.
 *
 * @module
 */

import { withoutComments } from "../agent/shell_text.ts";
import { quote } from "../names/quote.ts";
import starterText from "./starter.sh" with { type: "text" };

const BODY = withoutComments(starterText);

/**
 * The text of the script. It holds itself as a variable, as it starts itself once more: on other nodes, and beside
 * itself.
 * @param directory The experiment directory over there: relative to the home directory, or absolute.
 */
export function starterScript(directory: string): string {
  return `#!/bin/sh\nc_role=batch c_dir=${quote(directory)}\nc_body=${quote(BODY)}\neval "$c_body"\n`;
}
