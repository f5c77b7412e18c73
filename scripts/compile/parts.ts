/**
 * The bundles of the executable, and which commands are in which.
 *
 * @module
 */

/** One bundle. */
export interface Part {
  /** Name of its file. `main.mjs` is the first to run. */
  readonly name: string;
  /** Path of its main module. */
  readonly entry: string;
  /** Imports, as they stand in the sources, that it never comes to. */
  readonly without: readonly string[];
}

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
const QUICK = [
  ...["", "create", "list", "info", "add", "wait", "status", "show", "explain", "set", "move", "edit", "history"],
  ...["hold", "release", "pause", "resume", "help"],
];

/** The bundles of the program. @param root Its directory, with a slash at the end. */
export function partsOf(root: string): readonly Part[] {
  return [
    { name: "main.mjs", entry: `${root}scripts/compile/first.ts`, without: [...RUN, ...SERVICE] },
    { name: "run.mjs", entry: `${root}main.ts`, without: SERVICE },
    { name: "service.mjs", entry: `${root}main.ts`, without: [] },
  ];
}

/** Which bundle has the command that these words begin; null: the first. */
export function partFor(words: readonly string[]): string | null {
  const [group = "", verb = ""] = words;
  if (group === "openapi") return "service.mjs";
  const isSweep = verb === "add" && words.some((word) => SWEEP.test(word));
  // They open links, whose share of the first bundle each other command would load.
  if (group === "cluster" && ["check", "drain", "push"].includes(verb)) return "run.mjs";
  if (group !== "queue" || (QUICK.includes(verb) && !isSweep)) return null;
  return words.some((word) => /^(--)?service(=|$)/.test(word)) ? "service.mjs" : "run.mjs";
}
