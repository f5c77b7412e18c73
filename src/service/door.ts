/**
 * Who may come in: by a password, or by the session of a browser; and what that person may do.
 *
 * @module
 */

import type { Context } from "hono";
import type { Role } from "./auth.ts";
import { Refusal } from "./errors.ts";
import type { Service, ServiceEnv } from "./service.ts";
import type { Sessions } from "./sessions.ts";
import { SlowDown } from "./slow_down.ts";

/** Where a browser logs in and out; the rest below `/ui/` are the files of the page. */
export const SESSION = "/ui/session";
const CHALLENGE = { "WWW-Authenticate": 'Basic realm="Cloudmesh Queue", charset="UTF-8"' };

/** Makes the check of a request that is not for everybody. @throws {Refusal} 401, 403, or 429. */
export function makeDoor(service: Service, sessions: Sessions): (c: Context<ServiceEnv>) => Promise<void> {
  const slowDown = new SlowDown(service.deps.clock);
  return async (c) => {
    // The page asks who is logged in: nobody is an answer.
    if (c.req.path === SESSION && reads(c) && c.req.header("authorization") === undefined) return;
    const { user, role } = bySession(c, sessions) ?? await authenticate(c, service, slowDown);
    c.set("user", user);
    c.set("role", role);
    if (role === "viewer" && !reads(c) && c.req.path !== SESSION) {
      throw new Refusal(403, "This user may look, and change nothing");
    }
  };
}

/** True if the request changes nothing. */
export function reads(c: Context): boolean {
  return c.req.method === "GET" || c.req.method === "HEAD";
}

/** The address of the client. */
export function remoteOf(c: Context<ServiceEnv>): string {
  return c.env?.remote ?? "unknown";
}

/** Who asks, and what that person may do. */
interface Asker {
  readonly user: string;
  readonly role: Role;
}

/**
 * Who is logged in with the browser that asks; null if nobody is, or the request has credentials of its own.
 * @throws {Refusal} 403 if it would change something and does not show that the page of this service sent it.
 */
function bySession(c: Context<ServiceEnv>, sessions: Sessions): Asker | null {
  if (c.req.header("authorization") !== undefined) return null;
  const session = sessions.of(c.req.header("cookie"), c.req.header("host"));
  if (session === null) return null;
  if (!reads(c) && c.req.header("x-csrf-token") !== session.token) {
    throw new Refusal(403, "The header X-CSRF-Token is missing or wrong; load the page anew");
  }
  c.env?.trust?.();
  return session;
}

/**
 * The user of the credentials. A page asks for them itself: a challenge would make the browser ask, too.
 * @throws {Refusal} 401, or 429 if too many wrong credentials come.
 */
async function authenticate(c: Context<ServiceEnv>, service: Service, slowDown: SlowDown): Promise<Asker> {
  const challenge: Readonly<Record<string, string>> = c.req.header("x-requested-with") === "page" ? {} : CHALLENGE;
  const verdict = service.auth.check(c.req.header("authorization"));
  switch (verdict.type) {
    case "right":
      c.env?.trust?.();
      return verdict;
    case "wrong":
      if (await slowDown.failed(remoteOf(c), service.stopping, hasBody(c))) {
        throw new Refusal(401, "Wrong credentials", challenge);
      }
      throw new Refusal(429, "Too many wrong credentials; try again", { "Retry-After": "1", Connection: "close" });
    case "none":
      throw new Refusal(401, "Not authenticated", challenge);
    default:
      return verdict satisfies never;
  }
}

/** Whether the client says that a body comes. */
function hasBody(c: Context): boolean {
  return c.req.header("transfer-encoding") !== undefined || (c.req.header("content-length") ?? "0") !== "0";
}
