/**
 * The error family. A user's mistake is one of these and is printed as one line without a stack trace; anything else
 * that escapes is a fault of the program. One table says which exit status and which HTTP status each kind has.
 *
 * Text: what was tried, on what, colon, why; no full stop, no colour.
 *
 * @module
 */

/** What went wrong, as a caller may act on it. */
export type ErrorCode =
  | "usage"
  | "invalid"
  | "not_found"
  | "conflict"
  | "store"
  | "host";

/** Exit status and HTTP status of each kind. */
export const STATUS_OF: Readonly<Record<ErrorCode, { exit: number; http: number }>> = {
  usage: { exit: 2, http: 400 },
  invalid: { exit: 2, http: 422 },
  not_found: { exit: 2, http: 404 },
  conflict: { exit: 2, http: 409 },
  store: { exit: 2, http: 500 },
  host: { exit: 1, http: 502 },
};

/** An error that a person can mend; its message is complete in one line. */
export class CmsError extends Error {
  override name = "CmsError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A thing that is not there. `what` is its kind, `missing` its name. */
export class NotFoundError extends CmsError {
  override name = "NotFoundError";
  readonly what: "queue" | "cluster" | "job" | "host";
  readonly missing: string;

  constructor(what: NotFoundError["what"], missing: string, message: string, options?: ErrorOptions) {
    super("not_found", message, options);
    this.what = what;
    this.missing = missing;
  }
}

/** Bad input: a name, an option, a field. `problems` holds each in one line; the message joins them. */
export class InvalidError extends CmsError {
  override name = "InvalidError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super("invalid", problems.join("; "), options);
    this.problems = problems;
  }
}

/** A file of the store that cannot be read or written. `line` counts from 1 and is 0 where none is known. */
export class StoreError extends CmsError {
  override name = "StoreError";
  readonly path: string;
  readonly line: number;

  constructor(path: string, line: number, reason: string, options?: ErrorOptions) {
    super("store", `${path}${line > 0 ? `:${line}` : ""}: ${reason}`, options);
    this.path = path;
    this.line = line;
  }
}

/** A machine that cannot be reached, or that lacks something. `lasting` ones will not mend by trying again soon. */
export class LinkError extends CmsError {
  override name = "LinkError";
  readonly machine: string;
  readonly reason: string;
  readonly lasting: boolean;

  constructor(machine: string, reason: string, lasting: boolean, options?: ErrorOptions) {
    super("host", `Cannot reach ${machine}: ${reason}`, options);
    this.machine = machine;
    this.reason = reason;
    this.lasting = lasting;
  }
}
