/**
 * A watch over a listening server. When a connection comes while no file descriptor is free, the runtime takes no
 * connection ever again and reports nothing. So where none has come for a while the server connects to itself, and
 * listens anew if it does not notice.
 *
 * @module
 */

import { type AddressInfo, connect, type Server, type Socket } from "node:net";

const LOOK_MS = 5_000;
/** One miss may be a process that stood still. */
const MISSES = 2;

/** Where a server listens. */
export interface ListenAt {
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
}

/**
 * Watches a server that listens.
 * @returns Ends the watch; to be called before the server is closed.
 */
export function watchListening(server: Server, at: ListenAt, tell: (fault: unknown) => void): () => void {
  const { address, port } = server.address() as AddressInfo;
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  let hasCome = false;
  let misses = 0;
  let probe: Socket | null = null;
  let hasFailed = false;
  const onComing = (): void => {
    hasCome = true;
  };
  const endProbe = (): void => {
    probe?.destroy();
    probe = null;
    hasFailed = false;
  };
  const look = (): void => {
    // A probe that is still connecting is a miss too: a deaf server leaves no room for those that wait to be taken.
    misses = hasCome || probe === null || hasFailed ? 0 : misses + 1;
    const isDeaf = misses >= MISSES || !server.listening;
    endProbe();
    if (isDeaf) {
      misses = 0;
      if (server.listening) server.close();
      server.listen({ ...at, port });
    } else if (!hasCome) {
      probe = connect(port, host);
      probe.on("error", () => hasFailed = true); // No file is free now: the next look tries again.
      probe.on("end", onComing); // A full server has seen it, and closed it.
    }
    hasCome = false;
  };
  server.on("error", tell);
  server.on("connection", onComing);
  const timer = setInterval(look, LOOK_MS);
  Deno.unrefTimer(timer);
  return () => {
    clearInterval(timer);
    endProbe();
  };
}
