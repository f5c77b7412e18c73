/**
 * Which kind of reply a client wants: by default the original program's (a text table, or JSON), and JSON for whoever
 * asks for it with `Accept: application/json`.
 *
 * @module
 */

import type { Context, TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";

/** True if the request asks for JSON by name, and for text not more. `*` alone is not asking. */
export function wantsJson(c: { req: { header(name: string): string | undefined } }): boolean {
  let json = 0;
  let text = 0;
  for (const part of (c.req.header("accept") ?? "").split(",", 20)) {
    const [type = "", ...parameters] = part.split(";").map((word) => word.trim().toLowerCase());
    const q = Number(parameters.find((word) => word.startsWith("q="))?.slice(2) ?? "1");
    const weight = q >= 0 && q <= 1 ? q : 1;
    if (type === "application/json" || type === "application/problem+json") json = Math.max(json, weight);
    else if (type.startsWith("text/")) text = Math.max(text, weight);
  }
  return json > 0 && json >= text;
}

/**
 * Answers a success with text, or with JSON if that is asked for.
 * @param text Is called only if text is wanted.
 */
export async function textOrJson<T extends object>(
  c: Context,
  text: () => string | Promise<string>,
  value: T,
): Promise<TextOrJson<T>> {
  // What JSON makes of a type that is not known yet is more than the compiler can work out.
  const body: object = value;
  return (wantsJson(c) ? c.json(body, 200) : c.text(await text(), 200)) as unknown as TextOrJson<T>;
}

/** Both kinds of reply, as routes are checked against their schemas. */
export type TextOrJson<T> = TypedResponse<string, 200, "text"> | TypedResponse<JSONParsed<T>, 200, "json">;
