/**
 * The OpenAPI document of a service that is not there: for `cms openapi`.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { makeApp } from "./app.ts";
import { makeDocument } from "./document.ts";

/** The document without a service: nothing is served, asked or opened. */
export function documentOf(deps: Deps): object {
  return makeDocument(makeApp({
    deps,
    connect: () => Promise.reject(new RangeError("Cannot connect: nothing is served")),
    visit: (_machine, work) => work(),
    root: deps.environment.cwd(),
    auth: { check: () => ({ type: "none" }) },
    log: { access: () => {}, warning: () => {} },
    hosts: [],
    mostFiles: 0,
    tls: false,
    stopping: AbortSignal.abort(),
  }));
}
