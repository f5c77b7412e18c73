/**
 * The files of the dashboard as part of the program. Imported only when the page is asked for.
 *
 * @module
 */

import script from "../../dashboard/bundle/page.js" with { type: "text" };
import style from "../../dashboard/page.css" with { type: "text" };

/** The files by name. */
export const ASSETS: Readonly<Record<"page.js" | "page.css", string>> = { "page.js": script, "page.css": style };
