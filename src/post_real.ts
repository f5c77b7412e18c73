/**
 * Posts to a web address.
 *
 * @module
 */

import type { Post } from "./deps.ts";

/** The real {@link Post}. A name and password in the address go as such. */
export const post: Post = async (address: string, body: string, signal: AbortSignal): Promise<number> => {
  const url = new URL(address);
  const headers = new Headers({ "Content-Type": "application/json" });
  if (url.username !== "") {
    const bytes = new TextEncoder().encode(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
    headers.set("Authorization", `Basic ${btoa(String.fromCharCode(...bytes))}`);
    url.username = url.password = "";
  }
  const response = await fetch(url, { method: "POST", body, headers, signal });
  await response.body?.cancel();
  return response.status;
};
