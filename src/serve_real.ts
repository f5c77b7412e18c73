/**
 * The real {@link Serve}: node's HTTP server, as it bounds what strangers may hold open (Deno's own waits for ever for the head
 * of a request and for a client that does not take its reply). Big: imported only when something is served.
 *
 * @module
 */

import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { ServeLimits, ServeOptions, Server } from "./deps.ts";

/** Time for what was printed at the end to go out. */
const LAST_WORDS_MS = 500;

/** What a person's client never meets. */
const LIMITS: ServeLimits = {
  headMs: 15_000,
  idleMs: 15_000,
  replyMs: 30_000,
  replyBytesPerSecond: 16 * 1024,
  connections: 8_000,
};
/** A whole request; the service has a smaller limit for bodies, and says so. */
const REQUEST_MS = 60_000;
/** The line of the request with all headers. What is below gets an answer that says which of both is too long. */
const HEAD_BYTES = 40 * 1024;
/** Headers beyond these are not even counted. */
const HEADERS = 200;

const PARSE_STATUS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};

/** Serves HTTP; see {@link Serve}. */
export async function serve(
  { hostname, port, cert, key, limits: given }: ServeOptions,
  handler: (request: Request, remote: string) => Response | Promise<Response>,
): Promise<Server> {
  const { connections, backlog } = roomForConnections();
  const limits = { ...LIMITS, connections, ...given };
  const replies = new Replies(limits);
  const listener = getRequestListener(async (request, env) => {
    const { incoming, outgoing } = env as HttpBindings;
    const response = await handler(request, addressOf(incoming.socket));
    replies.begin(outgoing, response);
    return response;
    // It puts its own quick `Request` and `Response` into the global scope; they are as the real ones.
  }, { overrideGlobalObjects: true });
  const options = {
    headersTimeout: limits.headMs,
    requestTimeout: Math.max(REQUEST_MS, limits.headMs),
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(1000, limits.headMs),
    maxHeaderSize: HEAD_BYTES,
  };
  if (cert !== undefined && key !== undefined) checkPair(cert, key);
  const server: HttpServer = cert === undefined || key === undefined
    ? createServer(options)
    : createTlsServer({ ...options, cert, key, handshakeTimeout: limits.headMs });
  server.maxHeadersCount = HEADERS;
  server.maxConnections = limits.connections;
  server.on("request", (incoming, outgoing) => {
    if (namesOneHost(incoming)) return void listener(incoming, outgoing);
    outgoing.writeHead(400, { Connection: "close" }).end();
  });
  server.on("connect", (_incoming, socket) => refuse(socket as Socket, "405 Method Not Allowed"));
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    refuse(socket as Socket, PARSE_STATUS[error.code ?? ""] ?? "400 Bad Request");
  });
  // The runtime tells of a handshake that is late, and leaves the connection open.
  server.on("tlsClientError", (_error, socket: Socket) => socket.destroy());
  await listening(server, { host: hostname, port, backlog });
  return {
    port: (server.address() as AddressInfo).port,
    async shutdown() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
      replies.end();
    },
    abandon() {
      replies.end();
      server.closeAllConnections();
      // What a request still waits for would keep the process.
      Deno.unrefTimer(setTimeout(() => Deno.exit(), LAST_WORDS_MS));
    },
  };
}

/** Node's server finds out at the first handshake that a pair cannot be used; this does at once. */
function checkPair(cert: string, key: string): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (cause) {
    throw new Error(`the certificate and key cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Connections at once, and those that may wait to be taken. When a burst of them finds no free file descriptor, the runtime takes
 * none ever again; so some are kept for all else.
 */
function roomForConnections(): { connections: number; backlog: number } {
  let files = Infinity;
  try {
    files = Number(/^Max open files +([0-9]+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1] ?? Infinity);
  } catch { /* there is no such file but on Linux */ }
  return {
    connections: Math.min(LIMITS.connections, Math.max(8, Math.floor(files / 2) - 30)),
    backlog: Math.min(511, Math.max(4, Math.floor(files / 5))),
  };
}

/** Resolves when it listens; rejects with the system's error. */
function listening(server: HttpServer, at: { host: string; port: number; backlog: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Ends a connection that no request came from. */
function refuse(socket: Socket, status: string): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

/** Two `Host` headers would let the check of the one be passed by the other. */
function namesOneHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.toLowerCase() === "host") hosts++;
  return hosts === 1;
}

function addressOf({ remoteAddress = "" }: Socket): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
}

/** Replies that are under way, and until when each has to be taken. */
class Replies {
  readonly #limits: ServeLimits;
  readonly #open = new Map<ServerResponse, { readonly sinceMs: number; bytes: number }>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(limits: ServeLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#cutOff(), Math.min(1000, limits.replyMs));
    Deno.unrefTimer(this.#timer);
  }

  /** Events have no end; whoever sends them sees to slow clients. */
  begin(outgoing: HttpBindings["outgoing"], response: Response): void {
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) return;
    const reply = outgoing as ServerResponse;
    this.#open.set(reply, { sinceMs: performance.now(), bytes: 0 });
    reply.once("close", () => this.#open.delete(reply));
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #cutOff(): void {
    const { replyMs, replyBytesPerSecond } = this.#limits;
    const nowMs = performance.now();
    for (const [reply, one] of this.#open) {
      // What waits only shrinks once all of the reply is there.
      one.bytes = Math.max(one.bytes, reply.socket?.writableLength ?? 0);
      if (nowMs - one.sinceMs > replyMs + 1000 * one.bytes / replyBytesPerSecond) reply.destroy();
    }
  }
}
