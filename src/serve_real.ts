/**
 * The real {@link Serve}: node's HTTP server, as it bounds what strangers may hold open (Deno's own waits for ever for
 * the head of a request and for a client that does not take its reply). Big: imported only when something is served.
 *
 * @module
 */

import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Handler, ServeLimits, ServeOptions, Server } from "./deps.ts";
import { bodyOf, boundPieces } from "./serve_body_real.ts";
import { Connections } from "./serve_connections_real.ts";
import { roomForConnections } from "./serve_room_real.ts";
import { Turns } from "./serve_turns_real.ts";
import { type ListenAt, watchListening } from "./serve_watch_real.ts";

/** Time for what was printed at the end to go out. */
const LAST_WORDS_MS = 500;

/** What a person's client never meets. */
const LIMITS: Omit<ServeLimits, "connections"> = {
  headMs: 15_000,
  idleMs: 15_000,
  replyMs: 30_000,
  replyBytesPerSecond: 16 * 1024,
  replyBytes: 128 * 1024 * 1024,
};
/** A whole request; the service has a smaller limit for bodies, and says so. */
const REQUEST_MS = 60_000;
/** The line of the request with all headers. What is below gets an answer that says which of both is too long. */
const HEAD_BYTES = 40 * 1024;
/** Headers beyond these are not even counted. */
const HEADERS = 200;
/** What of a body may wait unread, beside one read of the system's. */
const UNREAD_BYTES = 4 * 1024;
/**
 * What is left of a body of a known length is thrown away so far and so long: a client that still sends gets its reply.
 */
const REST_BYTES = 1024 * 1024;
const REST_MS = 500;
/** Replies up to here are never cut off for want of memory. */
const SMALL_REPLY_BYTES = 16 * 1024;

const PARSE_STATUS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};

/** Serves HTTP; see {@link Serve}. */
export async function serve(
  { hostname, port, cert, key, limits: given, onFault = () => {} }: ServeOptions,
  handler: Handler,
): Promise<Server> {
  const room = await roomForConnections();
  const limits = { ...LIMITS, connections: room.connections, ...given };
  const replies = new Replies(limits);
  const open = new Connections(limits.connections);
  const listener = getRequestListener(async (request, env) => {
    const { incoming, outgoing } = env as HttpBindings;
    const { socket } = incoming;
    const response = await handler(request, addressOf(socket), () => bodyOf(incoming), () => open.trust(socket));
    if (!incoming.complete) leaveBody(incoming, response);
    replies.begin(outgoing, response);
    return isEvents(response) ? cutOffOnError(response, outgoing as ServerResponse) : response;
    // It puts its own quick `Request` and `Response` into the global scope; they are as the real ones.
  }, { overrideGlobalObjects: true, autoCleanupIncoming: false });
  const turns = new Turns((incoming, outgoing) => {
    const { socket } = incoming;
    open.busy(socket);
    outgoing.once("close", () => open.idle(socket));
    void listener(incoming, outgoing).then(() => replies.written(outgoing));
  });
  const options = {
    headersTimeout: limits.headMs,
    requestTimeout: Math.max(REQUEST_MS, limits.headMs),
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(1000, limits.headMs),
    maxHeaderSize: HEAD_BYTES,
    highWaterMark: UNREAD_BYTES,
  };
  if (cert !== undefined && key !== undefined) checkPair(cert, key);
  const server: HttpServer = cert === undefined || key === undefined
    ? createServer(options)
    : createTlsServer({ ...options, cert, key, handshakeTimeout: limits.headMs });
  server.maxHeadersCount = HEADERS;
  server.maxConnections = limits.connections;
  // A client that says that it sends no more still gets its reply.
  (server as HttpServer & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  server.on("request", (incoming, outgoing) => {
    boundPieces(incoming);
    if (namesOneHost(incoming)) return turns.take(incoming, outgoing);
    outgoing.writeHead(400, { Connection: "close" }).end();
  });
  server.on("connection", (socket: Socket) => open.add(socket));
  // From its handshake on a connection by TLS is another socket; the first knows nothing of its requests.
  server.on("secureConnection", (socket: Socket) => open.replace(socket));
  server.on("checkContinue", (incoming, outgoing) => {
    // Who shows no password is not asked for the body.
    if (incoming.headers.authorization !== undefined) outgoing.writeContinue();
    server.emit("request", incoming, outgoing);
  });
  server.on("connect", (_incoming, socket) => refuse(socket as Socket, "405 Method Not Allowed"));
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    refuse(socket as Socket, PARSE_STATUS[error.code ?? ""] ?? "400 Bad Request");
  });
  // The runtime reports a handshake that is late, and leaves the connection open.
  server.on("tlsClientError", (_error, socket: Socket) => socket.destroy());
  const release = catchFaults(onFault);
  const at = { host: hostname, port, backlog: room.backlog };
  await listening(server, at);
  const endWatch = watchListening(server, at, onFault);
  return {
    port: (server.address() as AddressInfo).port,
    files: room.files,
    memory: () => Deno.memoryUsage().rss,
    async shutdown() {
      endWatch();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
      replies.end();
      release();
    },
    abandon() {
      endWatch();
      replies.end();
      server.closeAllConnections();
      // What a request still waits for would keep the process.
      Deno.unrefTimer(setTimeout(() => Deno.exit(), LAST_WORDS_MS));
    },
  };
}

/** What goes wrong with one connection must not end the process, which serves others. */
function catchFaults(tell: (fault: unknown) => void): () => void {
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    tell(event.error);
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    tell(event.reason);
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return () => {
    globalThis.removeEventListener("error", onError);
    globalThis.removeEventListener("unhandledrejection", onRejection);
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

/** Resolves when it listens; rejects with the system's error. */
function listening(server: HttpServer, at: ListenAt): Promise<void> {
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

/**
 * Ends the connection of a request that is answered before its body has come. A body in chunks is not looked at any
 * more, as each of them costs something; of one whose length is known a little is thrown away, so that the system does
 * not cut off the reply.
 */
function leaveBody(incoming: IncomingMessage, response: Response): void {
  response.headers.set("Connection", "close");
  if (incoming.headers["content-length"] === undefined) return;
  const { socket } = incoming;
  const { bytesRead } = socket;
  socket.destroySoon = () => {
    socket.end();
    const sinceMs = performance.now();
    const timer = setInterval(() => {
      const isOver = performance.now() - sinceMs > REST_MS || socket.bytesRead - bytesRead > REST_BYTES;
      if (isOver || incoming.complete || socket.destroyed) end();
    }, REST_MS / 20);
    const end = () => {
      clearInterval(timer);
      socket.destroy();
    };
    socket.once("close", end);
  };
}

function isEvents({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** The end of a client that is too slow is no fault; the listener would print it, and send it on. */
function cutOffOnError({ body, status, headers }: Response, outgoing: ServerResponse): Response {
  const reader = body?.getReader();
  if (reader === undefined) return new Response(null, { status, headers });
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await reader.read().catch(() => "cut off" as const);
      if (next !== "cut off" && !next.done) return controller.enqueue(next.value);
      if (next === "cut off") outgoing.destroy();
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(stream, { status, headers });
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
    const reply = outgoing as ServerResponse;
    // Its end is reported no more.
    if (reply.destroyed || reply.socket === null || reply.socket.destroyed) return;
    if (isEvents(response)) {
      // A client that sends no more may still want a reply, but of one without an end it has gone.
      if (reply.socket?.readableEnded) reply.destroy();
      else reply.socket?.once("end", () => reply.destroy());
      return;
    }
    this.#open.set(reply, { sinceMs: performance.now(), bytes: 0 });
    reply.once("close", () => this.#open.delete(reply));
  }

  /** A reply was handed over. Where too much waits to be taken, those that have waited longest are cut off. */
  written(reply: ServerResponse): void {
    if ((reply.socket?.writableLength ?? 0) <= SMALL_REPLY_BYTES) return;
    const waiting = [...this.#open.keys()].map((reply) => ({ reply, bytes: reply.socket?.writableLength ?? 0 }));
    let sum = waiting.reduce((all, { bytes }) => all + bytes, 0);
    for (const { reply, bytes } of waiting) {
      if (sum <= this.#limits.replyBytes) return;
      if (bytes <= SMALL_REPLY_BYTES) continue;
      reply.destroy();
      sum -= bytes;
    }
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
      if (nowMs - one.sinceMs > replyMs + 1000 * one.bytes / replyBytesPerSecond) {
        this.#open.delete(reply);
        reply.destroy();
      }
    }
  }
}
