/** What is kept of a body that nobody reads yet. */
import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { boundPieces } from "../src/serve_body_real.ts";

Deno.test("of a body in tiny pieces few are kept: of who shows no password next to none", () => {
  for (const [authorization, most] of [[undefined, 70], ["Basic x", 4_200]] as const) {
    const incoming = new IncomingMessage(new Socket());
    if (authorization !== undefined) incoming.headers.authorization = authorization;
    boundPieces(incoming);
    for (let i = 0; i < 20_000; i++) incoming.push(new Uint8Array(1));
    assert.ok(incoming.readableLength <= most, `${incoming.readableLength} pieces`);
    incoming.destroy();
  }
});
