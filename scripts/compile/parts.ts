/**
 * The bundles of the executable, and which commands are in which.
 *
 * @module
 */

import { asksList, asksVersion } from "../../src/cli/called.ts";

/** One bundle. */
export interface Part {
  /** Name of its file. `main.mjs` is the first to run. */
  readonly name: string;
  /** Path of its main module. */
  readonly entry: string;
  /** Imports, as they stand in the sources, that it never comes to. */
  readonly without: readonly string[];
}

/** What `--version` does without. */
const PROGRAM = ["./src/cli/program.ts", "./src/deps_real.ts"];
/** What `queue list` does without: each other verb with all that only it imports, and the completion of a shell. */
const OTHERS = ["./verbs.ts", "./complete.ts", "./scripts.ts"];
const SERVICE = [
  "./serve.ts",
  "./serve_real.ts",
  "./served_files_real.ts",
  "./open_browser.ts",
  "../service/openapi.ts",
];
const RUN = [
  "./watch_run.ts",
  "../watch/watch.ts",
  "./choose_hosts.ts",
  "./show_output.ts",
  "./sweep.ts",
  "./add_whole.ts",
  ...[
    "check_hosts",
    "check_queue",
    "delete_jobs",
    "clean_jobs",
    "drain_hosts",
    "fetch_jobs",
    "push_files",
    "kill_jobs",
    "plan_run",
    "refresh_queue",
    "reset_jobs",
    "start_run",
    "stop_run",
  ]
    .map((name) => `../../operations/${name}.ts`),
];
/** Words of `queue add` that make a sweep. */
const SWEEP =
  /^(?:--(?:param|param-file|link|each-line|from|stdin|comments|sample|seed|dry-run|format|yes)(?:=|$)|::::?\+?$)/;
const SHORT = [
  ...["", "create", "add", "wait", "status", "show", "explain", "set", "move", "edit", "history"],
  ...["hold", "release", "pause", "resume", "help"],
];

/** The bundles of the program. @param root Its directory, with a slash at the end. */
export function partsOf(root: string): readonly Part[] {
  return [
    { name: "main.mjs", entry: `${root}scripts/compile/first.ts`, without: PROGRAM },
    { name: "list.mjs", entry: `${root}main.ts`, without: [...OTHERS, ...SERVICE] },
    { name: "short.mjs", entry: `${root}main.ts`, without: [...RUN, ...SERVICE] },
    { name: "run.mjs", entry: `${root}main.ts`, without: SERVICE },
    { name: "service.mjs", entry: `${root}main.ts`, without: [] },
  ];
}

/** Which bundle has the command that these words begin; null: the first, which knows the version alone. */
export function partFor(words: readonly string[]): string | null {
  if (asksVersion(words)) return null;
  if (asksList(words)) return "list.mjs";
  const [group = "", verb = ""] = words;
  if (group === "openapi") return "service.mjs";
  const isSweep = verb === "add" && words.some((word) => SWEEP.test(word));
  // They open links, which each other short command would load.
  if (group === "cluster" && ["check", "drain", "push"].includes(verb)) return "run.mjs";
  if (group !== "queue" || (SHORT.includes(verb) && !isSweep)) return "short.mjs";
  return words.some((word) => /^(--)?service(=|$)/.test(word)) ? "service.mjs" : "run.mjs";
}
