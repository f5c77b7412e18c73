/**
 * Requests on connections of their own, which stay open, and what has come back on each so far.
 *
 * @module
 */

import { close, type Executable, LIMIT_MS, receive } from "./executable.ts";
import { RIGHT } from "./service.ts";

/** What follows the first line of a request, with the right credentials; the line that ends the head is missing. */
export const HEAD = `HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${RIGHT}\r\n`;
const END = new TextEncoder().encode("\r\n");

/** A connection whose end and whose reply so far are known. */
export interface Held {
  readonly connection: Deno.TcpConn;
  text: string;
  isOver: boolean;
}

/**
 * Holds a connection on which this has been sent.
 * @param enough Tells from what has come that no more is to be taken.
 */
export async function hold(
  { send }: Pick<Executable, "send">,
  text: string,
  enough: (text: string) => boolean = () => false,
): Promise<Held> {
  const connection = await send(text);
  const held: Held = { connection, text: "", isOver: false };
  void receive(connection, (so) => enough(held.text = so), 20 * LIMIT_MS)
    .then(() => held.isOver = true, () => held.isOver = true);
  return held;
}

/** Asks on connections that stay, and takes of each reply its head. @param lines Such as `GET /queue/a`. */
export async function ask(service: Pick<Executable, "send">, lines: readonly string[]): Promise<Held[]> {
  return await Promise.all(lines.map((line) => hold(service, `${line} ${HEAD}\r\n`, hasHead)));
}

/** As {@link ask}, all in one moment, so that all are there before one is answered. */
export async function askAtOnce(service: Executable, lines: readonly string[]): Promise<Held[]> {
  const all = await Promise.all(lines.map((line) => hold(service, `${line} ${HEAD}`, hasHead)));
  // They have been taken, as this one has.
  await service.ask("GET /healthz");
  await endAtOnce(service, all);
  return all;
}

/** Lets all of them go on in one moment: the line is sent that ends the head of each. */
export async function endAtOnce({ pid }: Executable, all: readonly Held[]): Promise<void> {
  Deno.kill(pid, "SIGSTOP");
  try {
    await Promise.allSettled(all.map(({ connection }) => connection.write(END)));
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
}

/** The statuses that have come, in the order of the requests. */
export function statusesOf(all: readonly Held[]): string[] {
  return all.flatMap(({ text }) => /^HTTP\/1\.1 (\d+) /.exec(text)?.[1] ?? []);
}

/** How many have this status. */
export function countOf(all: readonly Held[], status: number): number {
  return statusesOf(all).filter((one) => one === String(status)).length;
}

/** Closes all connections. */
export function closeAll(all: readonly Held[]): void {
  for (const { connection } of all) close(connection);
}

function hasHead(text: string): boolean {
  return text.includes("\r\n\r\n");
}
