/** Which connections go when there are too many. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Connections } from "../src/serve_connections_real.ts";

/** Connections that come from addresses, and the names of those that were closed. */
function rig(most: number): { open: Connections; come: (address: string, name: string) => Socket; gone: string[] } {
  const gone: string[] = [];
  const open = new Connections(most);
  let remotePort = 0;
  const come = (remoteAddress: string, name: string) => {
    remotePort++;
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress,
      remotePort,
      destroy: () => void gone.push(name),
    });
    open.add(socket as unknown as Socket);
    return socket as unknown as Socket;
  };
  return { open, come, gone };
}

Deno.test("the network with most connections loses the one that is silent longest; others lose none", () => {
  const { come, gone } = rig(8);
  come("10.0.0.1", "honest");
  for (const n of [1, 2, 3, 4, 5, 6]) come("10.0.0.2", `flood${n}`);
  assert.deepEqual(gone, []);
  for (const n of [7, 8, 9]) come("10.0.0.2", `flood${n}`);
  assert.deepEqual(gone, ["flood1", "flood2", "flood3"]);
  come("10.0.0.3", "other");
  assert.equal(gone.at(-1), "flood4");
  // Who has an address of IPv6 has a whole network of them.
  const six = rig(8);
  six.come("fd00:1::1", "honest");
  for (const n of [1, 2, 3, 4, 5, 6, 7]) six.come(`fd00:2::${n}`, `flood${n}`);
  assert.deepEqual(six.gone, ["flood1"]);
});

Deno.test("connections that are worked on stay, and so does a client of elsewhere when all of a network are", () => {
  const { open, come, gone } = rig(8);
  come("10.0.0.1", "honest");
  for (const n of [1, 2, 3, 4, 5, 6]) open.busy(come("10.0.0.2", `busy${n}`));
  for (const n of [7, 8]) come("10.0.0.2", `new${n}`);
  assert.deepEqual(gone, ["new7"]);
});

Deno.test("those that have shown the right password stay as long as there are strangers", () => {
  const { open, come, gone } = rig(4);
  const known = come("10.0.0.1", "known");
  open.busy(known);
  open.trust(known);
  open.idle(known);
  for (const n of [1, 2, 3]) come("10.0.0.1", `stranger${n}`);
  assert.deepEqual(gone, ["stranger1"]);
});
