/**
 * The way from one page of a listing to the next: the `Link` header (RFC 8288).
 *
 * @module
 */

import type { Context } from "hono";

/** Adds `Link: </queue/a?limit=10&cursor=...>; rel="next"`; nothing after the last page. */
export function linkToNext(c: Context, next: string | null): void {
  if (next === null) return;
  const url = new URL(c.req.url);
  url.searchParams.set("cursor", next);
  c.header("Link", `<${url.pathname}${url.search}>; rel="next"`);
}
