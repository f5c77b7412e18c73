/**
 * From what went wrong to the reply: the only place that knows how a failure looks to a client.
 *
 * Whoever asks for JSON gets `application/problem+json` (RFC 9457), others the original program's `{"detail": ...}`.
 * The detail is the same; only where the original has a list of problems (422), a problem's `detail` is one text and
 * the list is its member `errors`.
 *
 * @module
 */

import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { CmsError, InvalidError, NotFoundError, STATUS_OF } from "../errors.ts";
import { storeError } from "../store/file_errors.ts";
import { fileOf } from "../system_errors.ts";
import { wantsJson } from "./negotiate.ts";
import type { Service } from "./service.ts";

/** One problem of a request, in the original's form. `loc` says where: `["query", "name"]`. */
export interface RequestProblem {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

/** What a status is called. */
export const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** A refusal of the service itself, before any operation was called. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly status: ContentfulStatusCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ContentfulStatusCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Makes the reply to a failed request. What is no client's fault goes to the log whole, and to the client without its
 * text.
 */
export function errorReply(c: Context, thrown: unknown, { root, log }: Pick<Service, "root" | "log">): Response {
  const file = thrown instanceof CmsError ? null : fileOf(thrown);
  // A job may put anything in place of any file: who cannot use it is not at fault.
  const error = file === null ? thrown : storeError(file.replace(`${root}/`, ""), "use", thrown);
  if (error instanceof Refusal) return reply(c, error.status, error.message, error.headers);
  if (error instanceof NotFoundError) return reply(c, 404, notFoundText(error));
  if (error instanceof InvalidError) {
    return problemsReply(c, error.problems.map((msg) => ({ loc: ["request"], msg, type: "value_error" })));
  }
  if (error instanceof CmsError) {
    const status = STATUS_OF[error.code].http as ContentfulStatusCode;
    if (status >= 500) log.warning(`${c.req.method} ${c.req.path}: ${error.message}`);
    return reply(c, status, error.message);
  }
  if (error instanceof HTTPException) return reply(c, error.status, error.message || (TITLES[error.status] ?? "Error"));
  log.warning(`${c.req.method} ${c.req.path}: fault in the program: ${error instanceof Error ? error.stack : error}`);
  return reply(c, 500, "Fault in the program; its log says more");
}

/** 422 with all problems of a request. */
export function problemsReply(c: Context, problems: readonly RequestProblem[]): Response {
  if (!wantsJson(c)) return c.json({ detail: problems }, 422);
  const detail = problems.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ");
  return problem(c, 422, { detail, errors: problems });
}

/** A failure in the form that the client wants. */
export function reply(
  c: Context,
  status: ContentfulStatusCode,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return wantsJson(c) ? problem(c, status, { detail }) : c.json({ detail }, status);
}

function problem(c: Context, status: ContentfulStatusCode, members: object): Response {
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, ...members };
  return c.body(JSON.stringify(body), status, { "Content-Type": "application/problem+json" });
}

/** The original's words. */
function notFoundText({ what, message, missing }: NotFoundError): string {
  switch (what) {
    case "queue":
      return "Queue not found";
    case "cluster":
      return "Cluster not found";
    case "job":
      return `Job: ${missing} does not exist in queue.`;
    case "host":
      return message.startsWith("Host id: ") ? `${message}.` : `Host id: ${missing} does not exist in cluster.`;
    default:
      return what satisfies never;
  }
}
