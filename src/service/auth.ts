/**
 * Who may use the service: one user name and password, checked on every request; and a second pair for who only looks.
 *
 * The pair itself is not kept: only its HMAC-SHA-256 under a random key of this process. A slow hash would add nothing,
 * as nothing is stored, and would cost every request what it costs an attacker; guessing is made slow by
 * `slow_down.ts`.
 *
 * @module
 */

import type { Ids } from "../deps.ts";

/** A pair as a person types it. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What a person may do: everything, or only look. */
export type Role = "user" | "viewer";

/** What a request's credentials are. */
export type Verdict =
  /** None were sent, or not as HTTP Basic. */
  | { readonly type: "none" }
  | { readonly type: "wrong" }
  | { readonly type: "right"; readonly user: string; readonly role: Role };

/** Checks the `Authorization` header of a request. */
export interface Auth {
  check(header: string | undefined): Promise<Verdict>;
}

/** Most bytes of a user name and a password with the colon between them. */
export const MOST_BYTES = 4096;
/** Longest header that is looked at: the bytes in base64, and the word before them. */
const LONGEST = 2 * MOST_BYTES;

/** Makes the check for one pair, and for that of who only looks, if there is one. */
export async function makeAuth(ids: Ids, credentials: Credentials, viewer: Credentials | null = null): Promise<Auth> {
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(ids.hex(32)),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const digest = async (pair: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.sign("HMAC", key, pair));
  const digestOf = ({ user, password }: Credentials) => digest(new TextEncoder().encode(`${user}:${password}`));
  const wanted = await digestOf(credentials);
  const looking = viewer === null ? null : await digestOf(viewer);
  return {
    async check(header) {
      const pair = readBasic(header);
      if (pair === null) return { type: "none" };
      const given = await digest(pair);
      if (isEqual(given, wanted)) return { type: "right", user: credentials.user, role: "user" };
      const looks = looking !== null && isEqual(given, looking);
      return looks ? { type: "right", user: viewer!.user, role: "viewer" } : { type: "wrong" };
    },
  };
}

/** The bytes of `user:password`; null if the header is not HTTP Basic. */
function readBasic(header: string | undefined): Uint8Array<ArrayBuffer> | null {
  if (header === undefined || header.length > LONGEST) return null;
  const match = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header);
  if (match === null) return null;
  try {
    return Uint8Array.from(atob(match[1]!), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Compares in a time that does not depend on where they differ. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}
