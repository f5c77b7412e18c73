/**
 * What every request passes before its route, from the outside in: the access log, the headers of every reply, the
 * bounds of its head, where it comes from, who sends it; only then its body is read, and only then it may wait for a
 * place among others.
 *
 * @module
 */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Refusal } from "./errors.ts";
import { type CrowdName, Heavy } from "./heavy.ts";
import { checkHead, checkUtf8, Crowd, lengthOfBody, readBody } from "./limits.ts";
import { checkOrigin } from "./origin.ts";
import { makeDoor, reads, remoteOf, SESSION } from "./door.ts";
import type { Service, ServiceEnv } from "./service.ts";
import type { Sessions } from "./sessions.ts";

const OPEN = ["/healthz", "/openapi.json", "/docs", "/favicon.ico", "/ui"];

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

/**
 * Requests that only read are quick, but for those that wait for their turn to make a large reply; others wait for the
 * disk. None must keep the others from being answered.
 */
const READERS = { most: 512, mostWaiting: 512 };
const WORKERS = { most: 64, mostWaiting: 256 };
/** What waits for hosts may wait long, and keeps nobody else waiting; `hosts.ts` bounds what one host may hold. */
const HOST_READERS = { most: 128, mostWaiting: 128 };
const HOST_WORKERS = { most: 128, mostWaiting: 128 };
/** Long polls, which end by themselves within a minute. */
const WAITERS = { most: 64, mostWaiting: 0 };
const WAITS = /^\/(queue\/[^/]+\/wait|cluster\/[^/]+\/id\/[^/]+\/drain)$/;
const ASKS_HOSTS =
  /^\/queue\/[^/]+\/(check|refresh|reset|stop|kill|clean|job\/[^/]+\/(log|output|error|kill|files(\/.*)?))$/;
/** The begin of a run is that of another process. */
const BEGINS = /^\/queue\/[^/]+\/run_\w+$/;
/**
 * Bodies that are large, or of no known length, while they come and are worked on; the work is done for one after the
 * other.
 */
const LARGE_BODIES = { most: 4, mostWaiting: 128 };
const LARGE_WORK = { most: 1, mostWaiting: LARGE_BODIES.most };
const LARGE_BYTES = 64 * 1024;
/** Between two of them there is as much time for others as the first took, within these bounds. */
const REST_MS = { least: 5, most: 1_000 };

/** True if the path needs no credentials. */
export function isOpen(path: string): boolean {
  return OPEN.includes(path) || path.startsWith("/docs/") || (path.startsWith("/ui/") && path !== SESSION);
}

/** Adds the middleware. */
export function addGuards(app: OpenAPIHono<ServiceEnv>, service: Service, sessions: Sessions): void {
  const { clock } = service.deps;
  const letIn = makeDoor(service, sessions);
  const crowds = {
    readers: new Crowd(READERS),
    workers: new Crowd(WORKERS),
    hostReaders: new Crowd(HOST_READERS),
    hostWorkers: new Crowd(HOST_WORKERS),
    waiters: new Crowd(WAITERS),
  };
  const heavy = new Heavy(service);
  const largeBodies = new Crowd(LARGE_BODIES);
  const largeWork = new Crowd(LARGE_WORK);
  /** Before this nobody works on a large body. */
  let restedMs = 0;

  app.use(async (c, next) => {
    const atMs = clock.now();
    await next();
    dropBody(c);
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
    // Who types the address of the service into a browser wants to see something.
    if (c.req.path === "/" && c.req.method === "GET" && (c.req.header("accept") ?? "").startsWith("text/html")) {
      return c.redirect("ui");
    }
    if (!isOpen(c.req.path)) {
      await letIn(c);
      return await next();
    }
    if (!reads(c)) throw new Refusal(405, "Method Not Allowed", { Allow: "GET, HEAD" });
    await next();
  });

  app.use(async (c, next) => {
    if (isOpen(c.req.path) || c.req.path === SESSION) return await next();
    const name = crowdOf(c);
    const crowd = crowds[name];
    const work = () => heavy.pass(c, name, next);
    const length = reads(c) ? 0 : lengthOf(c);
    if (length === 0) return await crowd.pass(work);
    if (length !== null && length <= LARGE_BYTES) {
      useBody(c, await comeBody(c, service));
      return await crowd.pass(work);
    }
    await largeBodies.pass(async () => {
      const body = await comeBody(c, service);
      await largeWork.pass(async () => {
        // Others have waited while the one before it was worked on.
        await clock.sleepUntil(Math.max(restedMs, clock.now() + REST_MS.least));
        const startMs = clock.now();
        useBody(c, body);
        await crowd.pass(work);
        const nowMs = clock.now();
        restedMs = nowMs + Math.min(nowMs - startMs, REST_MS.most);
      });
    });
  });
}

/** Of who asks for a head alone nobody takes the body of the reply: a stream would be open for ever. */
function dropBody(c: Context): void {
  if (c.req.method === "HEAD") c.res.body?.cancel().catch(() => {});
}

/** Where a request may wait. */
function crowdOf(c: Context): CrowdName {
  if (WAITS.test(c.req.path)) return "waiters";
  if (reads(c)) return asksHosts(c.req.method, c.req.path) ? "hostReaders" : "readers";
  return BEGINS.test(c.req.path) || asksHosts(c.req.method, c.req.path) ? "hostWorkers" : "workers";
}

/** True if the operation may wait for hosts. */
export function asksHosts(method: string, path: string): boolean {
  if (/^\/cluster\/[^/]+\/(check|push)$/.test(path)) return true;
  if (!path.startsWith("/queue/")) return false;
  return method === "DELETE" || ASKS_HOSTS.test(path);
}

/** Without a socket there is nothing that says how long a body is. */
function lengthOf(c: Context<ServiceEnv>): number | null {
  if (c.env?.body !== undefined) return lengthOfBody(c.req.raw.headers);
  return c.req.raw.body === null ? 0 : null;
}

/** Reads the body, with its bounds. */
async function comeBody(c: Context<ServiceEnv>, service: Service): Promise<Uint8Array<ArrayBuffer>> {
  const stream = c.env?.body?.() ?? c.req.raw.body;
  return stream === null ? new Uint8Array() : await readBody(stream, service.deps.clock, lengthOf(c));
}

/** Gives the route a body that has come already. */
function useBody(c: Context<ServiceEnv>, body: Uint8Array<ArrayBuffer>): void {
  checkUtf8(body);
  const { method, headers, url } = c.req.raw;
  c.req.raw = new Request(url, { method, headers, ...(body.length > 0 ? { body } : {}) });
}
