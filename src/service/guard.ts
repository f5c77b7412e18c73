/**
 * What every request passes before its route, from the outside in: the access log, the headers of every reply, bounds,
 * where it comes from, who sends it.
 *
 * @module
 */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Refusal } from "./errors.ts";
import { checkHead, Crowd, readBody } from "./limits.ts";
import { checkOrigin } from "./origin.ts";
import type { Service, ServiceEnv } from "./service.ts";
import { SlowDown } from "./slow_down.ts";

const OPEN = ["/healthz", "/openapi.json", "/docs", "/favicon.ico"];
const CHALLENGE = { "WWW-Authenticate": 'Basic realm="Cloudmesh Queue", charset="UTF-8"' };

/** Replies are data; only the documentation page, which has a policy of its own, runs scripts. */
const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** Requests that only read are quick; others may wait for hosts, and must not keep those from being answered. */
const READERS = { most: 64, mostWaiting: 1024 };
const WORKERS = { most: 64, mostWaiting: 256 };

/** True if the path needs no credentials. */
export function isOpen(path: string): boolean {
  return OPEN.includes(path) || path.startsWith("/docs/");
}

/** Adds the middleware. */
export function addGuards(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { clock } = service.deps;
  const slowDown = new SlowDown(clock);
  const readers = new Crowd(READERS);
  const workers = new Crowd(WORKERS);

  app.use(async (c, next) => {
    const atMs = clock.now();
    await next();
    // Not by `c.header`: once there is a reply, each call of it makes a new one.
    const { headers } = c.res;
    for (const [name, value] of Object.entries(HEADERS)) if (!headers.has(name)) headers.set(name, value);
    if (service.tls) headers.set("Strict-Transport-Security", "max-age=31536000");
    service.log.access({
      atMs,
      remote: remoteOf(c),
      user: c.get("user") ?? "-",
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      elapsedMs: clock.now() - atMs,
    });
  });

  app.use(async (c, next) => {
    checkHead(c.req.raw);
    checkOrigin({
      method: c.req.method,
      host: c.req.header("host") ?? new URL(c.req.url).host,
      origin: c.req.header("origin"),
      site: c.req.header("sec-fetch-site"),
      mode: c.req.header("sec-fetch-mode"),
    }, service.hosts);
    if (!isOpen(c.req.path)) c.set("user", await authenticate(c, service, slowDown));
    await next();
  });

  app.use(async (c, next) => {
    const reads = c.req.method === "GET" || c.req.method === "HEAD";
    await (reads ? readers : workers).pass(async () => {
      // Asking a request for its body costs something; readers have none.
      if (!reads && c.req.raw.body !== null) await takeBody(c, service);
      await next();
    });
  });
}

function remoteOf(c: Context<ServiceEnv>): string {
  return c.env?.remote ?? "unknown";
}

/** The user's name. @throws {Refusal} 401, or 429 if the address fails too often. */
async function authenticate(c: Context<ServiceEnv>, service: Service, slowDown: SlowDown): Promise<string> {
  const remote = remoteOf(c);
  if (slowDown.isFull(remote)) throw new Refusal(429, "Too many wrong credentials; try again", { "Retry-After": "1" });
  const verdict = await service.auth.check(c.req.header("authorization"));
  switch (verdict.type) {
    case "right":
      slowDown.succeeded(remote);
      return verdict.user;
    case "wrong":
      await slowDown.failed(remote, service.stopping);
      throw new Refusal(401, "Wrong credentials", CHALLENGE);
    case "none":
      throw new Refusal(401, "Not authenticated", CHALLENGE);
    default:
      return verdict satisfies never;
  }
}

/** Reads the body here, with its bounds, and gives the route one that has come already. */
async function takeBody(c: Context<ServiceEnv>, service: Service): Promise<void> {
  const { raw } = c.req;
  const body = await readBody(raw.body!, service.deps.clock);
  const { method, headers } = raw;
  c.req.raw = new Request(raw.url, { method, headers, ...(body.length > 0 ? { body } : {}) });
}
