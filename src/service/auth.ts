/**
 * Who may use the service: one user name and password, checked on every request; and a second pair for who only looks.
 *
 * A hash of it would add nothing, as nothing is stored, and a slow one would cost every request what it costs an
 * attacker; guessing is made slow by `slow_down.ts`.
 *
 * @module
 */

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
  check(header: string | undefined): Verdict;
}

/** Most bytes of a user name and a password with the colon between them. */
export const MOST_BYTES = 4096;
/** Longest header that is looked at: the bytes in base64, and the word before them. */
const LONGEST = 2 * MOST_BYTES;

/** Makes the check for one pair, and for that of who only looks, if there is one. */
export function makeAuth(credentials: Credentials, viewer: Credentials | null = null): Auth {
  const wanted = padded(bytesOf(credentials));
  const looking = viewer === null ? null : padded(bytesOf(viewer));
  return {
    check(header) {
      const pair = readBasic(header);
      if (pair === null) return { type: "none" };
      const given = padded(pair);
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
    return Uint8Array.fromBase64(match[1]!);
  } catch {
    return null;
  }
}

function bytesOf({ user, password }: Credentials): Uint8Array {
  return new TextEncoder().encode(`${user}:${password}`);
}

/** As many bytes of each pair: the length, and what can be of a pair that is right, filled up with zeros. */
function padded(pair: Uint8Array): Uint8Array {
  const all = new Uint8Array(4 + MOST_BYTES);
  new DataView(all.buffer).setUint32(0, pair.length);
  all.set(pair.subarray(0, MOST_BYTES), 4);
  return all;
}

/** Compares in a time that depends on neither. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
