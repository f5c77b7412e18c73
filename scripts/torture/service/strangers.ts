/**
 * What strangers and careless or wicked users do to a service, each again and again until the time is over. Loopback
 * only, from two addresses that are not the honest user's. A process of its own (`strangers.ts PORT MINUTES`), as what
 * it does must not slow down who measures; it prints in JSON how often it did what.
 *
 * @module
 */

import { connect, type Socket } from "node:net";

/** Where the service is, and when to end. */
export interface Target {
  readonly port: number;
  /** The right `Authorization` header. */
  readonly right: string;
  readonly stop: AbortSignal;
  /** The address that it comes from. */
  readonly from: string;
  /** Waits until the next connection may be made. */
  readonly turn: () => Promise<void>;
}

/** One kind of trouble: what it does once. */
export interface Trouble {
  readonly name: string;
  /** New connections in a second. */
  readonly perSecond?: number;
  /** Does it once. */
  readonly once: (target: Target) => Promise<void>;
}

/**
 * New connections of one trouble in a second, unless it says more: together about 430, as of a few machines that do
 * not stop. A flood of thousands is for what stands before a service.
 */
const PER_SECOND = 8;
/** Bytes that are handed to the system at once. */
const PIECE_BYTES = 64 * 1024;
const HOST = "Host: localhost\r\n";
const WRONG = `Basic ${btoa("pi:wrong")}`;
const LONG = "x".repeat(99_000);
const encoder = new TextEncoder();
/** Texts that were sent before. */
const encoded = new Map<string, Uint8Array>();

/** Those of a user have the right password. */
export const TROUBLES: readonly Trouble[] = [
  {
    name: "330 heads whose bodies never come",
    perSecond: 110,
    once: (at) => many(at, 330, `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n`, 1_000),
  },
  {
    name: "bodies in pieces of one byte",
    once: (at) =>
      many(
        at,
        4,
        `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(200_000)}`,
        100,
      ),
  },
  {
    name: "the same with a wrong password",
    once: (at) => many(at, 4, `${posts(WRONG)}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(200_000)}`, 100),
  },
  {
    name: "600 idle connections, more than there may be",
    perSecond: 200,
    once: (at) => many(at, 600, "GET / HT", 3_000),
  },
  {
    name: "wrong passwords on 32 connections",
    perSecond: 40,
    once: (at) => many(at, 32, `GET / HTTP/1.1\r\n${HOST}Authorization: ${WRONG}\r\nConnection: close\r\n\r\n`, 50),
  },
  {
    name: "user: 2,000 requests ahead, no reply taken",
    once: (at) =>
      many(at, 2, `GET /queue/big/info HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`.repeat(2_000), 2_000),
  },
  {
    name: "user: 20 large tables that nobody takes",
    once: (at) => many(at, 20, `GET /queue/big/info HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 5_000),
  },
  {
    name: "user: 130 outputs of a silent host",
    once: (at) =>
      many(at, 130, `GET /queue/silent/job/job1/output HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 10_000),
  },
  {
    name: "user: 70 checks of a silent host",
    once: (at) => many(at, 70, `GET /queue/silent/check HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 10_000),
  },
  {
    name: "user: 8 bodies of 16 MiB",
    once: (at) => many(at, 8, `${posts(at.right)}Content-Length: 16777216\r\n\r\n"${"x".repeat(16_777_214)}"`, 5_000),
  },
  {
    name: "user: bodies that break off",
    once: (at) => many(at, 16, `${posts(at.right)}Content-Length: 1000\r\n\r\n{"jobs":`, 100),
  },
  {
    name: "user: names that would unfold to gigabytes",
    once: (at) => many(at, 4, postsJobs(at.right, { name: `a[1-100000]${LONG}`, command: "true" }), 200),
  },
  {
    name: "user: hosts of 99,990 colons",
    once: (at) => many(at, 4, postsJobs(at.right, { name: "a", command: "true", host: ":".repeat(99_990) }), 200),
  },
  {
    name: "user: 40 streams of events that nobody reads",
    once: (at) => many(at, 40, `GET /events HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 5_000),
  },
];

function postsJobs(authorization: string, job: object): string {
  const body = JSON.stringify({ jobs: [job] });
  return `${posts(authorization)}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function posts(authorization: string): string {
  return `POST /queue/big/jobs HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nAuthorization: ${authorization}\r\n`;
}

/** Opens connections, sends a text on each, leaves them for a while without reading, and closes them. */
async function many({ port, stop, from, turn }: Target, count: number, text: string, holdMs: number): Promise<void> {
  let bytes = encoded.get(text);
  if (bytes === undefined) encoded.set(text, bytes = encoder.encode(text));
  const open: Socket[] = [];
  for (let i = 0; i < count && !stop.aborted; i++) {
    await turn();
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    open.push(socket);
    // Refused or cut off, as it should be.
    socket.on("error", () => {});
    send(socket, bytes);
  }
  await pause(holdMs, stop);
  for (const socket of open) socket.destroy();
}

/** Sends as fast as it is taken. */
function send(socket: Socket, bytes: Uint8Array): void {
  let at = 0;
  const more = () => {
    while (at < bytes.length && !socket.destroyed) {
      const piece = bytes.subarray(at, at += PIECE_BYTES);
      if (!socket.write(piece)) return void socket.once("drain", more);
    }
  };
  socket.once("connect", more);
}

/** Lets one pass at a time, so many in a second. */
function turnstile(perSecond: number, stop: AbortSignal): () => Promise<void> {
  let nextMs = 0;
  return async () => {
    const nowMs = performance.now();
    nextMs = Math.max(nextMs + 1000 / perSecond, nowMs);
    if (nextMs > nowMs + 1) await pause(nextMs - nowMs, stop);
  };
}

/** Waits, or until it is over. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", done);
  });
}

if (import.meta.main) {
  const [port = "", minutes = "", right = ""] = Deno.args;
  const stop = AbortSignal.timeout(Number(minutes) * 60_000);
  const target = { port: Number(port), right, stop };
  const times: Record<string, number> = {};
  await Promise.all(TROUBLES.map(async ({ name, once, perSecond = PER_SECOND }) => {
    const turn = turnstile(perSecond, stop);
    const from = name.startsWith("user:") ? "127.0.0.3" : "127.0.0.2";
    for (times[name] = 0; !stop.aborted; times[name]++) await once({ ...target, from, turn });
  }));
  Deno.stdout.writeSync(encoder.encode(JSON.stringify(times)));
  Deno.exit();
}
