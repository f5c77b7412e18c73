/**
 * Replies that take long to make: one at a time, with room for all else between two, so that whoever asks for many
 * large tables keeps nobody waiting who asks for something small.
 *
 * @module
 */

import { Crowd } from "./limits.ts";
import type { Service } from "./service.ts";

/** Records that are a few milliseconds' work. */
const SMALL = 500;
const AT_ONCE = { most: 1, mostWaiting: 256 };
/** Timers and sockets have their turn in it. */
const REST_MS = 1;

const crowds = new WeakMap<Service, Crowd>();

/** Makes a reply of so many records. @throws {Refusal} If too many such replies wait already. */
export async function inItsTurn<T>(service: Service, records: number, make: () => T | Promise<T>): Promise<T> {
  if (records <= SMALL) return await make();
  let crowd = crowds.get(service);
  if (crowd === undefined) crowds.set(service, crowd = new Crowd(AT_ONCE));
  const { clock } = service.deps;
  return await crowd.pass(async () => {
    await clock.sleepUntil(clock.now() + REST_MS);
    return await make();
  });
}
