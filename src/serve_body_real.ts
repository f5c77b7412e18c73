/**
 * The body of a request as a stream that takes nothing before it is read, and that may be left at any moment. (The
 * runtime's own adapter ends the process when a stream is cancelled while pieces still come.)
 *
 * @module
 */

import type { IncomingMessage } from "node:http";

/**
 * Pieces of a body that are kept: so many, and one for each so many bytes. Each takes a hundred times what is in it.
 */
const MOST_PIECES = 4096;
const BYTES_OF_PIECE = 64;
/** Of who shows no password nothing is read. */
const MOST_OF_STRANGERS = 64;

/**
 * Keeps no more pieces than a body may have, also of one that nobody reads yet: one read of the system's may hold ten
 * thousand. The one beyond is kept, so that whoever reads the body knows.
 */
export function boundPieces(incoming: IncomingMessage): void {
  const push = incoming.push.bind(incoming);
  const most = incoming.headers.authorization === undefined ? MOST_OF_STRANGERS : MOST_PIECES;
  let pieces = 0;
  let bytes = 0;
  incoming.push = (piece: Uint8Array | null, encoding?: BufferEncoding) => {
    if (piece === null) return push(null);
    if (pieces > most + bytes / BYTES_OF_PIECE) return false;
    pieces++;
    bytes += piece.length;
    return push(piece, encoding);
  };
}

/**
 * The body that comes with a request. It fails if the client goes before its end: of one that says only that it sends
 * no more the runtime tells nobody but the socket.
 */
export function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { socket } = incoming;
  let leave = () => {};
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const onData = (piece: Uint8Array<ArrayBuffer>) => {
        controller.enqueue(piece);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      };
      const onEnd = () => {
        leave();
        controller.close();
      };
      const onGone = () => {
        leave();
        controller.error(new Error("The client has gone"));
      };
      const onLast = () => {
        if (!incoming.complete) onGone();
      };
      leave = () => {
        incoming.off("data", onData).off("end", onEnd).off("error", onGone);
        socket.off("end", onLast).off("close", onLast);
        // One that is told of later must not end the process.
        incoming.on("error", () => {});
        incoming.pause();
      };
      if ((socket.readableEnded || socket.destroyed) && !incoming.complete) return onGone();
      incoming.on("end", onEnd).on("error", onGone).on("data", onData);
      socket.on("end", onLast).on("close", onLast);
      incoming.pause();
    },
    pull: () => void incoming.resume(),
    cancel: () => leave(),
  }, { highWaterMark: 0 });
}
