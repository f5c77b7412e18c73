/**
 * A generator of load: asks for one thing again and again over connections that stay open, and reads each answer whole.
 *
 * It speaks to the socket itself: the runtime's own client costs more than the servers that are measured.
 *
 * @module
 */

/** What is asked, and how. */
export interface Load {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Requests in all. */
  readonly requests: number;
  /** Connections; each has one request open at a time. */
  readonly connections: number;
}

/**
 * Sends the requests.
 * @returns Milliseconds from the first until the last answer is there.
 * @throws {Error} If an answer is not of status 200, or has no length.
 */
export async function timeOfRequests(load: Load): Promise<number> {
  const lines = Object.entries({ Host: `127.0.0.1:${load.port}`, ...load.headers }).map((pair) => pair.join(": "));
  const request = new TextEncoder().encode([`GET ${load.path} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
  const connections = await Promise.all(Array.from({ length: load.connections }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: load.port });
    connection.setNoDelay();
    return connection;
  }));
  let left = load.requests;
  try {
    const begin = performance.now();
    await Promise.all(connections.map(async (connection) => {
      const buffer = new Uint8Array(256 * 1024);
      while (left-- > 0) await exchange(connection, request, buffer);
    }));
    return performance.now() - begin;
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function exchange(connection: Deno.Conn, request: Uint8Array, buffer: Uint8Array): Promise<void> {
  await connection.write(request);
  let have = 0;
  let end = -1;
  // A head that does not come in one piece is put together; the body is only counted.
  while (end < 0) {
    have += await some(connection, buffer.subarray(have));
    end = endOfHead(buffer, have);
  }
  const head = new TextDecoder().decode(buffer.subarray(0, end));
  const length = /^content-length: (\d+)\r?$/im.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 200 ") || length === undefined) throw new Error(`Cannot use the answer: ${head}`);
  for (let body = have - end; body < Number(length);) body += await some(connection, buffer);
}

async function some(connection: Deno.Conn, into: Uint8Array): Promise<number> {
  const count = await connection.read(into);
  if (count === null || count === 0) throw new Error("Cannot read the answer: the connection was closed");
  return count;
}

/** Where the body begins; -1 if that has not come yet. */
function endOfHead(buffer: Uint8Array, length: number): number {
  for (let i = 3; i < length; i++) {
    if (buffer[i] === 10 && buffer[i - 1] === 13 && buffer[i - 2] === 10) return i + 1;
  }
  return -1;
}
