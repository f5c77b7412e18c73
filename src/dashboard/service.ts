/**
 * The service, as the page calls it.
 *
 * @module
 */

import { signal } from "@preact/signals";
import type { paths } from "../../.deno/dashboard/types.ts";

export type { paths };

/** The reply of an operation that only reads. */
export type Reply<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer Json } } } };
} ? Json
  : never;

/** How a queue stands. */
export type Status = Reply<"/queue/{queue}/status">;
/** A window of its jobs. */
export type JobsWindow = Reply<"/queue/{queue}/jobs">;
/** One row. */
export type Row = JobsWindow["rows"][number];
/** Everything of a job. */
export type Story = Reply<"/queue/{queue}/job/{job}/show">;
/** Hosts and what runs there. */
export type HostStatus = Reply<"/cluster/{cluster}/status">["hosts"][number];
/** When and where jobs ran. */
export type Spans = Reply<"/queue/{queue}/spans">;

/** Who is logged in. */
export interface Who {
  readonly user: string;
  readonly role: "user" | "viewer";
  readonly token: string | null;
}

/** undefined: not known yet; null: nobody. */
export const who = signal<Who | null | undefined>(undefined);

/** A failure, in the words of the service. */
export class Failure extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** The address of an operation: words of the path are escaped, parts of the query that are empty are left out. */
export function address(path: readonly string[], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "" || value === false) continue;
    if (typeof value === "object") { for (const one of value) search.append(name, one); }
    else search.append(name, String(value));
  }
  const text = search.toString();
  return path.map(encodeURIComponent).join("/") + (text === "" ? "" : `?${text}`);
}

/** Sends a request as the page's own. @throws {Failure} If it is refused, or the service cannot be reached. */
export async function send(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("X-Requested-With", "page");
  if (!headers.has("Accept")) headers.set("Accept", "application/json");
  const token = who.peek()?.token ?? null;
  if (token !== null) headers.set("X-CSRF-Token", token);
  const reply = await fetch(url, { ...init, headers }).catch(() => {
    throw new Failure(0, "The service does not answer");
  });
  if (reply.ok) return reply;
  if (reply.status === 401 && who.peek() !== undefined) who.value = null;
  throw new Failure(reply.status, await reasonOf(reply));
}

async function reasonOf(reply: Response): Promise<string> {
  const text = await reply.text().catch(() => "");
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === "string") return detail;
  } catch {
    // No JSON.
  }
  return text === "" ? `${reply.status} ${reply.statusText}` : text.slice(0, 500);
}

/** Reads JSON. */
export async function read<T>(path: readonly string[], query: Query = {}, signal?: AbortSignal): Promise<T> {
  return await (await send(address(path, query), signal === undefined ? {} : { signal })).json() as T;
}

/** Changes something. */
export async function change(
  method: string,
  path: readonly string[],
  query: Query = {},
  body?: unknown,
): Promise<void> {
  const json = body === undefined
    ? {}
    : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  await send(address(path, query), { method, ...json });
}

/** Logs in. The password goes to the service once; a cookie that no script sees takes its place. */
export async function logIn(user: string, password: string): Promise<void> {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  const pair = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const reply = await send("ui/session", { method: "POST", headers: { Authorization: `Basic ${pair}` } });
  who.value = await reply.json() as Who;
}

/** Ends the session. */
export async function logOut(): Promise<void> {
  await send("ui/session", { method: "DELETE" }).catch(() => {});
  who.value = null;
}

/** Finds out who is logged in. */
export async function findWho(): Promise<void> {
  try {
    const found = await read<Who | { user: null }>(["ui", "session"]);
    who.value = found.user === null ? null : found;
  } catch {
    who.value = null;
  }
}

/** Follows a queue: calls `onStatus` with how it stands, until `signal` aborts. `onBreak` when the stream breaks. */
export async function follow(
  queue: string,
  on: { onStatus: (status: Status) => void; onBreak: (why: string) => void },
  signal: AbortSignal,
): Promise<void> {
  for (let pauseMs = 1_000; !signal.aborted; pauseMs = Math.min(2 * pauseMs, 15_000)) {
    try {
      const reply = await send(address(["queue", queue, "live"]), { signal, headers: { Accept: "text/event-stream" } });
      const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        pauseMs = 1_000;
        const messages = (text + part.value).split("\n\n");
        text = messages.pop()!;
        const last = messages.findLast((message) => message.startsWith("event: status\n"));
        if (last !== undefined) on.onStatus(JSON.parse(last.slice(last.indexOf("data: ") + 6)) as Status);
      }
      on.onBreak("The stream has ended");
    } catch (error) {
      if (signal.aborted) return;
      on.onBreak((error as Error).message);
      if (error instanceof Failure && error.status === 404) return;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
