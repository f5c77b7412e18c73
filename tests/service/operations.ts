/**
 * The 26 operations of the original program, as its document lists them.
 *
 * @module
 */

/** One operation: query parameters that must be given, and others. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Kind of the default reply. */
  readonly kind: "text/plain" | "application/json";
}

const SPEC = ["input", "output", "status", "gpu", "user", "host", "shell", "log", "pyenv"];
const E = ["experiment"];
const JSON_KIND = "application/json";
const TEXT = "text/plain";

function op(
  line: string,
  required: readonly string[],
  optional: readonly string[],
  kind: Operation["kind"],
): Operation {
  const [method = "", path = ""] = line.split(" ");
  return { method, path, required, optional, kind };
}

/** In the original's order. */
export const OPERATIONS: readonly Operation[] = [
  op("GET /", [], [], JSON_KIND),
  op("GET /queue/", [], E, JSON_KIND),
  op("POST /queue/", ["name"], E, JSON_KIND),
  op("PUT /queue/ran", [], [], TEXT),
  op("GET /queue/{queue}", [], E, JSON_KIND),
  op("POST /queue/{queue}", ["name", "command"], [...SPEC, ...E], TEXT),
  op("DELETE /queue/{queue}", [], E, TEXT),
  op("GET /queue/{queue}/info", [], E, TEXT),
  op("GET /queue/{queue}/job/{job}", [], E, JSON_KIND),
  // The original demands `name` and takes no notice of the path; here the path counts and `name` may be given.
  op("DELETE /queue/{queue}/job/{job}", [], ["name", ...E], TEXT),
  op("PUT /queue/{queue}/refresh", [], E, TEXT),
  op("PUT /queue/{queue}/run_fifo", ["max_parallel"], ["timeout", ...E], JSON_KIND),
  op("PUT /queue/{queue}/run_fifo_multi", ["cluster"], ["timeout", ...E], JSON_KIND),
  op("PUT /queue/{queue}/stop", [], E, TEXT),
  op("PUT /queue/{queue}/reset", [], ["name", "status", ...E], TEXT),
  op("GET /cluster/", [], E, JSON_KIND),
  op("POST /cluster/", ["name"], E, JSON_KIND),
  op("GET /cluster/{cluster}", [], E, JSON_KIND),
  op("POST /cluster/{cluster}", ["id", "name", "user"], ["ip", "status", "gpu", "pyenv", ...E], TEXT),
  op("DELETE /cluster/{cluster}", [], E, JSON_KIND),
  op("GET /cluster/{cluster}/info", [], E, TEXT),
  op("GET /cluster/{cluster}/id/{id}", [], E, JSON_KIND),
  op("DELETE /cluster/{cluster}/id/{id}", [], E, TEXT),
  op("PUT /cluster/{cluster}/id/{id}/activate", [], E, TEXT),
  op("PUT /cluster/{cluster}/id/{id}/deactivate", [], E, TEXT),
  op("PUT /cluster/{cluster}/id/{id}/set", ["key", "value"], E, TEXT),
];

/** A path with plain names filled in. */
export function targetOf(path: string): string {
  return path.replace(/\{\w+\}/g, "a");
}
