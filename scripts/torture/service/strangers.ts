/**
 * What strangers and careless or wicked users do to a service, each again and again until the time is over. Loopback
 * only. A process of its own (`strangers.ts PORT MINUTES`), as what it does must not slow down who measures; it prints
 * in JSON how often it did what.
 *
 * @module
 */

/** Where the service is, and when to end. */
export interface Target {
  readonly port: number;
  /** The right `Authorization` header. */
  readonly right: string;
  readonly stop: AbortSignal;
}

/** One kind of trouble: what it does once. */
export interface Trouble {
  readonly name: string;
  /** Does it once. */
  readonly once: (target: Target) => Promise<void>;
}

const HOST = "Host: localhost\r\n";
const WRONG = `Basic ${btoa("pi:wrong")}`;
const encoder = new TextEncoder();
/** Texts that were sent before. */
const encoded = new Map<string, Uint8Array>();

/** Those of a user have the right password. */
export const TROUBLES: readonly Trouble[] = [
  {
    name: "330 heads whose bodies never come",
    once: (at) => many(at, 330, `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n`, 1_000),
  },
  {
    name: "bodies in pieces of one byte",
    once: (at) =>
      many(
        at,
        4,
        `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(200_000)}`,
        100,
      ),
  },
  {
    name: "the same with a wrong password",
    once: (at) => many(at, 4, `${posts(WRONG)}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(200_000)}`, 100),
  },
  { name: "600 idle connections, more than there are files for", once: (at) => many(at, 600, "GET / HT", 3_000) },
  {
    name: "wrong passwords on 32 connections",
    once: (at) => many(at, 32, `GET / HTTP/1.1\r\n${HOST}Authorization: ${WRONG}\r\nConnection: close\r\n\r\n`, 50),
  },
  {
    name: "user: 2,000 requests ahead, no reply taken",
    once: (at) =>
      many(at, 2, `GET /queue/big/info HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`.repeat(2_000), 2_000),
  },
  {
    name: "user: 20 large tables that nobody takes",
    once: (at) => many(at, 20, `GET /queue/big/info HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 5_000),
  },
  {
    name: "user: 130 outputs of a silent host",
    once: (at) =>
      many(at, 130, `GET /queue/silent/job/job1/output HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 10_000),
  },
  {
    name: "user: 70 checks of a silent host",
    once: (at) => many(at, 70, `GET /queue/silent/check HTTP/1.1\r\n${HOST}Authorization: ${at.right}\r\n\r\n`, 10_000),
  },
  {
    name: "user: 8 bodies of 16 MiB",
    once: (at) => many(at, 8, `${posts(at.right)}Content-Length: 16777216\r\n\r\n"${"x".repeat(16_777_214)}"`, 5_000),
  },
  {
    name: "user: bodies that break off",
    once: (at) => many(at, 16, `${posts(at.right)}Content-Length: 1000\r\n\r\n{"jobs":`, 100),
  },
];

function posts(authorization: string): string {
  return `POST /queue/big/jobs HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nAuthorization: ${authorization}\r\n`;
}

/** Opens connections, sends a text on each, leaves them for a while without reading, and closes them. */
async function many({ port, stop }: Target, count: number, text: string, holdMs: number): Promise<void> {
  let bytes = encoded.get(text);
  if (bytes === undefined) encoded.set(text, bytes = encoder.encode(text));
  const all = bytes;
  const open: Deno.Conn[] = [];
  const one = async () => {
    try {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      open.push(connection);
      for (let at = 0; at < all.length;) at += await connection.write(all.subarray(at, at + 65_536));
    } catch { /* refused or cut off, as it should be */ }
  };
  const sending: Promise<void>[] = [];
  // A burst would be lost in the system before it reaches the service.
  for (let i = 0; i < count && !stop.aborted; i++) {
    sending.push(one());
    if (i % 20 === 19) await pause(20, stop);
  }
  await pause(holdMs, stop);
  for (const connection of open) {
    try {
      connection.close();
    } catch { /* it is */ }
  }
  await Promise.all(sending);
}

/** Waits, or until it is over. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", done);
  });
}

if (import.meta.main) {
  const [port = "", minutes = "", right = ""] = Deno.args;
  const target = { port: Number(port), right, stop: AbortSignal.timeout(Number(minutes) * 60_000) };
  const times: Record<string, number> = {};
  await Promise.all(TROUBLES.map(async ({ name, once }) => {
    for (times[name] = 0; !target.stop.aborted; times[name]++) await once(target);
  }));
  Deno.stdout.writeSync(encoder.encode(JSON.stringify(times)));
  Deno.exit();
}
