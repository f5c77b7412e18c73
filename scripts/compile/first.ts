/**
 * The main module of the executable. It says the version and finds the bundle that has any other command, so that none
 * loads what only others need: `cms queue list` not the other verbs, a short command not what a run needs.
 *
 * @module
 */

import { calledWords, main } from "../../main.ts";
import { partFor } from "./parts.ts";

const part = partFor(await calledWords());
// Not a literal: Deno would read the file at each start to see what it imports.
const program: { main: typeof main } = part === null ? { main } : await import(new URL(part, import.meta.url).href);
await program.main();
