/**
 * Swagger UI's files as part of the program. Big: imported only when the page is asked for.
 *
 * @module
 */

import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "text" };
import style from "swagger-ui-dist/swagger-ui.css" with { type: "text" };

/** The files by name. */
export const ASSETS: Readonly<Record<"swagger-ui-bundle.js" | "swagger-ui.css", string>> = {
  "swagger-ui-bundle.js": script,
  "swagger-ui.css": style,
};
