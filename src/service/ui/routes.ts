/**
 * `GET /ui`, the dashboard: its files, open to everybody as they say nothing of what is served, and its logins.
 *
 * @module
 */

import type { Context } from "hono";
import { type Body, compressed, send } from "../files.ts";
import type { App, Service, ServiceEnv } from "../service.ts";
import type { Session, Sessions } from "../sessions.ts";
import { PAGE, POLICY } from "./page.ts";

const TYPES = { "page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8" } as const;

/** Adds the routes. The sessions are checked before any route, see `guard.ts`. */
export function addUiRoutes(app: App, service: Service, sessions: Sessions): void {
  const files = new Map<keyof typeof TYPES, Promise<Body>>();

  app.get("/ui", (c) => c.html(PAGE, 200, { "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" }));
  for (const name of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
    app.get(`/ui/${name}`, async (c) => {
      const body = files.get(name) ?? import("./assets.ts").then(({ ASSETS }) => compressed(ASSETS[name]));
      files.set(name, body);
      return send(c, await body, TYPES[name], "max-age=86400");
    });
  }

  // Who comes here has shown a password, or a session.
  app.post("/ui/session", (c) => {
    const { session, cookie } = sessions.begin(
      { user: c.get("user"), role: c.get("role") },
      service.tls,
      c.req.header("host"),
    );
    return told(c, session, { "Set-Cookie": cookie });
  });
  app.get("/ui/session", (c) => {
    const session = sessions.of(c.req.header("cookie"), c.req.header("host"));
    return session === null ? c.json({ user: null }) : told(c, session, {});
  });
  app.delete("/ui/session", (c) => {
    return c.json({ user: null }, 200, {
      "Set-Cookie": sessions.end(c.req.header("cookie"), service.tls, c.req.header("host")),
    });
  });
}

function told(c: Context<ServiceEnv>, { user, role, token }: Session, headers: Record<string, string>): Response {
  return c.json({ user, role, token }, 200, headers);
}
