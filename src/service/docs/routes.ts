/**
 * `GET /openapi.json`, `GET /docs` and the page's files. Open to everybody: they tell nothing of what is served.
 *
 * @module
 */

import type { Context } from "hono";
import { type Body, compressed, send } from "../files.ts";
import type { App } from "../service.ts";
import { makeDocument } from "../document.ts";
import { ICON, PAGE, PAGE_POLICY, START } from "./page.ts";

const TYPES = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
} as const;

/** Adds the routes; last, as the document tells of all others. */
export function addDocsRoutes(app: App): void {
  let document: Promise<Body> | null = null;
  const files = new Map<string, Promise<Body>>();

  app.get("/openapi.json", async (c) => {
    document ??= compressed(JSON.stringify(makeDocument(app)));
    return send(c, await document, "application/json", "no-cache");
  });

  app.get("/docs", (c) => c.html(PAGE, 200, { "Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache" }));
  app.get("/favicon.ico", (c) => file(c, "favicon.svg"));
  app.get("/docs/start.js", (c) => file(c, "start.js"));
  app.get("/docs/favicon.svg", (c) => file(c, "favicon.svg"));
  app.get("/docs/swagger-ui.css", (c) => file(c, "swagger-ui.css"));
  app.get("/docs/swagger-ui-bundle.js", (c) => file(c, "swagger-ui-bundle.js"));

  async function file(c: Context, name: FileName): Promise<Response> {
    let body = files.get(name);
    if (body === undefined) {
      body = textOf(name).then(compressed);
      files.set(name, body);
    }
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1) as keyof typeof TYPES];
    return send(c, await body, type, "max-age=86400");
  }
}

type FileName = "start.js" | "favicon.svg" | "swagger-ui.css" | "swagger-ui-bundle.js";

async function textOf(name: FileName): Promise<string> {
  if (name === "start.js") return START;
  if (name === "favicon.svg") return ICON;
  return (await import("./assets.ts")).ASSETS[name];
}

/** A body as it is, and compressed. */
