/**
 * Keeps web pages of others from using a browser that is logged in here.
 *
 * A page that points its own name at this machine (DNS rebinding) shows in `Host`; a page elsewhere that sends requests
 * here shows in `Origin` or `Sec-Fetch-Site`. Programs that are no browser send neither of the latter.
 *
 * @module
 */

import { Refusal } from "./errors.ts";

/** What is checked. */
export interface OriginHeaders {
  readonly method: string;
  readonly host: string;
  readonly origin: string | undefined;
  readonly site: string | undefined;
  readonly mode: string | undefined;
}

/**
 * Refuses a request that somebody else's page may have sent.
 * @param names Names of this service beside addresses and localhost, in lower case.
 * @throws {Refusal} 403.
 */
export function checkOrigin(request: OriginHeaders, names: readonly string[]): void {
  const host = request.host.toLowerCase();
  const name = nameOf(host);
  if (!isAddress(name) && name !== "localhost" && !names.includes(name)) {
    throw new Refusal(403, "This service does not go by the name in the Host header; see --allow-host");
  }
  if (request.origin !== undefined && hostOf(request.origin) !== withoutDefaultPort(host)) {
    throw new Refusal(403, "Requests of web pages from elsewhere are refused");
  }
  // A link that a person follows is all right: it only reads, and the other page does not see the answer.
  const follows = request.mode === "navigate" && request.method === "GET";
  if ((request.site === "cross-site" || request.site === "same-site") && !follows) {
    throw new Refusal(403, "Requests of web pages from elsewhere are refused");
  }
}

/** A name that a page can point elsewhere is never an address. */
function isAddress(name: string): boolean {
  return /^\[[0-9a-f:.]+\]$/.test(name) || /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(name);
}

function nameOf(host: string): string {
  return host.replace(/:[0-9]*$/, "");
}

/** Behind a proxy the scheme is another than here; the name and the port are what tells pages apart. */
function hostOf(origin: string): string {
  return withoutDefaultPort(/^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1] ?? "");
}

function withoutDefaultPort(host: string): string {
  return host.replace(/:(80|443)?$/, "");
}
