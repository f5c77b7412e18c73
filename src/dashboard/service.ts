/**
 * The service, as the page calls it.
 *
 * @module
 */

import { signal } from "@preact/signals";
import { experiment } from "./experiment.ts";
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

/** The experiment of requests that name none. */
export const DEFAULT_EXPERIMENT = "experiment";

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
  const isOfExperiment = path[0] === "queue" || path[0] === "cluster";
  if (isOfExperiment && experiment.peek() !== DEFAULT_EXPERIMENT) search.set("experiment", experiment.peek());
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
    // What is wrong with a request is said where it was made.
    if (typeof detail === "string") return detail.replace(/^request: /, "");
  } catch {
    // No JSON.
  }
  return text === "" ? `${reply.status} ${reply.statusText}` : text.slice(0, 500);
}

/** Reads JSON. */
export async function read<T>(path: readonly string[], query: Query = {}, signal?: AbortSignal): Promise<T> {
  return await (await send(address(path, query), signal === undefined ? {} : { signal })).json() as T;
}

/** Reads bytes as they are. */
export async function readBytes(path: readonly string[], query: Query = {}, signal?: AbortSignal): Promise<Uint8Array> {
  const headers = { Accept: "text/plain" };
  return await (await send(address(path, query), { headers, ...(signal === undefined ? {} : { signal }) })).bytes();
}

/** Changes something. @returns What the service says of it; null if that is no JSON. */
export async function change(
  method: string,
  path: readonly string[],
  query: Query = {},
  body?: unknown,
): Promise<unknown> {
  const json = body === undefined
    ? {}
    : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const reply = await send(address(path, query), { method, ...json });
  return await reply.json().catch(() => null);
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

/** The service says something at least every five seconds. */
const SILENCE_MS = 20_000;

/**
 * Follows a queue: calls `onStatus` with how it stands, and `onAlive` where nothing has changed, until `signal` aborts.
 * `onBreak` when the stream breaks, or nothing comes any more.
 */
export async function follow(
  queue: string,
  on: { onStatus: (status: Status) => void; onAlive: () => void; onBreak: (why: string) => void },
  signal: AbortSignal,
): Promise<void> {
  let lastId: string | null = null;
  for (let pauseMs = 1_000; !signal.aborted; pauseMs = Math.min(2 * pauseMs, 15_000)) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const headers = { Accept: "text/event-stream", ...(lastId === null ? {} : { "Last-Event-ID": lastId }) };
      const ending = AbortSignal.any([signal, silence.signal]);
      const reply = await send(address(["queue", queue, "live"]), { signal: ending, headers });
      on.onAlive();
      const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        pauseMs = 1_000;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        const messages = (text + part.value).split("\n\n");
        text = messages.pop()!;
        const last = messages.findLast((message) => message.includes("\nevent: "));
        if (last === undefined) continue;
        lastId = /^id: (.*)$/m.exec(last)?.[1] ?? lastId;
        const data = JSON.parse(last.slice(last.indexOf("data: ") + 6)) as Status | { readonly detail: string };
        if ("detail" in data) on.onBreak(data.detail);
        else on.onStatus(data);
      }
      on.onBreak("The stream has ended");
    } catch (error) {
      if (signal.aborted) return;
      on.onBreak(silence.signal.aborted ? "The service is silent" : (error as Error).message);
      if (error instanceof Failure && error.status === 404) return;
    } finally {
      clearTimeout(timer);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
