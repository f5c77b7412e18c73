/**
 * Files that are part of the program, as replies.
 *
 * @module
 */

import type { Context } from "hono";

/** A file as it is sent: the bytes, and the same compressed. */
export interface Body {
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

/** Compresses a text once, for all who ask. */
export async function compressed(text: string): Promise<Body> {
  const plain = new TextEncoder().encode(text);
  const stream = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"));
  return { plain, gzip: new Uint8Array(await new Response(stream).arrayBuffer()) };
}

/** Sends a file to a client that takes it compressed or not. */
export function send(c: Context, body: Body, type: string, cache: string): Response {
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(c.req.header("accept-encoding") ?? "");
  const headers = { "Content-Type": type, "Cache-Control": cache, Vary: "Accept-Encoding" };
  return takesGzip
    ? c.body(body.gzip, 200, { ...headers, "Content-Encoding": "gzip" })
    : c.body(body.plain, 200, headers);
}
