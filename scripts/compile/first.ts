/**
 * The main module of the executable. It holds the commands that end at once; the larger ones, and the service, are in
 * bundles of their own, so that `cms queue list` does not load what a run needs.
 *
 * @module
 */

import { calledWords, main } from "../../main.ts";
import { partFor } from "./parts.ts";

const part = partFor(await calledWords());
// Not a literal: Deno would read the file at each start to see what it imports.
const program: { main: typeof main } = part === null ? { main } : await import(new URL(part, import.meta.url).href);
await program.main();
