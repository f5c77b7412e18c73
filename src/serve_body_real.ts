/**
 * The body of a request as a stream that takes nothing before it is read, and that may be left at any moment. (The
 * runtime's own adapter ends the process when a stream is cancelled while pieces still come.)
 *
 * @module
 */

import type { IncomingMessage } from "node:http";

/** The body that comes with a request. It fails if the client goes before its end. */
export function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
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
      leave = () => {
        incoming.off("data", onData).off("end", onEnd).off("close", onGone).off("error", onGone);
        // One that is told of later must not end the process.
        incoming.on("error", () => {});
        incoming.pause();
      };
      if (incoming.destroyed && !incoming.readableEnded) return onGone();
      incoming.on("end", onEnd).on("close", onGone).on("error", onGone).on("data", onData);
      incoming.pause();
    },
    pull: () => void incoming.resume(),
    cancel: () => leave(),
  }, { highWaterMark: 0 });
}
