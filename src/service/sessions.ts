/**
 * Sessions of people who are logged in with a browser: a cookie in place of the password. They live in memory, and end
 * with the service, with a logout, or when nothing came for half a day.
 *
 * @module
 */

import type { Clock, Ids } from "../deps.ts";
import type { Role } from "./auth.ts";

/** What a browser keeps. It sends cookies to all ports of a machine: services on others have names of their own. */
const COOKIE = "cms_session";
/** A session ends when nothing came for so long. */
const IDLE_MS = 12 * 3_600_000;
/** The session that was used longest ago makes room for one more. */
const MOST = 1_000;

/** One person's session. */
export interface Session {
  readonly user: string;
  readonly role: Role;
  /** To be sent with each request that changes something: a page of others cannot know it. */
  readonly token: string;
  usedMs: number;
}

/** All sessions of a service. */
export class Sessions {
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** By their secret names, the one that was used last at the end. */
  readonly #all = new Map<string, Session>();

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Begins one. @returns It, and the value of the header `Set-Cookie`. */
  begin(
    who: { readonly user: string; readonly role: Role },
    isSecure: boolean,
    host?: string,
  ): { session: Session; cookie: string } {
    const [oldest] = this.#all.keys();
    if (this.#all.size >= MOST && oldest !== undefined) this.#all.delete(oldest);
    const id = this.#ids.hex(32);
    const session: Session = { user: who.user, role: who.role, token: this.#ids.hex(16), usedMs: this.#clock.now() };
    this.#all.set(id, session);
    return { session, cookie: cookieText(nameFor(host), id, isSecure) };
  }

  /** The session of a request; null if its cookie names none. @param header The header `Cookie`; `host`: `Host`. */
  of(header: string | undefined, host?: string): Session | null {
    const id = idOf(header, host);
    const session = id === null ? undefined : this.#all.get(id);
    if (id === null || session === undefined) return null;
    this.#all.delete(id);
    if (this.#clock.now() - session.usedMs > IDLE_MS) return null;
    session.usedMs = this.#clock.now();
    this.#all.set(id, session);
    return session;
  }

  /** Ends the session of a request. @returns The value of `Set-Cookie` that makes the browser forget it. */
  end(header: string | undefined, isSecure: boolean, host?: string): string {
    const id = idOf(header, host);
    if (id !== null) this.#all.delete(id);
    return `${cookieText(nameFor(host), "", isSecure)}; Max-Age=0`;
  }
}

/** The name of the cookie of a service that goes by this `Host`. */
function nameFor(host: string | undefined): string {
  const port = /:([0-9]{1,5})$/.exec(host ?? "")?.[1];
  return port === undefined ? COOKIE : `${COOKIE}_${port}`;
}

function cookieText(name: string, id: string, isSecure: boolean): string {
  return `${name}=${id}; Path=/; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
}

function idOf(header: string | undefined, host: string | undefined): string | null {
  const start = `${nameFor(host)}=`;
  const own = header?.split("; ").find((pair) => pair.startsWith(start))?.slice(start.length) ?? "";
  return /^[0-9a-f]{64}$/.test(own) ? own : null;
}
