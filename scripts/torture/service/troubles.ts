/**
 * What strangers and careless or wicked users do to a service. Loopback only, from addresses that are not the honest
 * user's.
 *
 * @module
 */

import { many, pause, type Target } from "./sending.ts";

/** One kind of trouble: what it does once. */
export interface Trouble {
  /** Those of a user, `user:`, have the right password. */
  readonly name: string;
  /** New connections in a second. */
  readonly perSecond?: number;
  /** Does it once. */
  readonly once: (target: Target) => Promise<void>;
}

/**
 * New connections of one trouble in a second, unless it says more: together about 550, as of a few machines that do
 * not stop. A flood of thousands is for what stands before a service.
 */
export const PER_SECOND = 8;

const HOST = "Host: localhost\r\n";
const WRONG = `Basic ${btoa("pi:wrong")}`;
const LONG = "x".repeat(99_000);
/** 20 MiB as they are sent, in chunks of one byte. */
const TINY = "1\r\nx\r\n".repeat(3_500_000);
/** Files that are not to be read, see `furnish.ts`. */
const TRAPS = ["fifo", "sparse", "zero", "link"];
const DIRECTORIES = 1_000;
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const LARGE = "/queue/out/job/job1/output?max=16777216";
const BODY = `Content-Length: 16777216\r\n\r\n"${"x".repeat(16_777_214)}"`;

export const TROUBLES: readonly Trouble[] = [
  {
    name: "330 heads whose bodies never come",
    perSecond: 110,
    once: (at) => many(at, 330, `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n`, { holdMs: 1_000 }),
  },
  {
    name: "bodies of 20 MiB in pieces of one byte",
    once: (at) => many(at, 4, `POST /healthz HTTP/1.1\r\n${HOST}${CHUNKED}${TINY}`, { holdMs: 500 }),
  },
  {
    name: "the same with a wrong password",
    once: (at) => many(at, 4, `${posts(WRONG)}${CHUNKED}${TINY}`, { holdMs: 500 }),
  },
  {
    name: "600 idle connections, more than there may be",
    perSecond: 200,
    once: (at) => many(at, 600, "GET / HT", { holdMs: 3_000 }),
  },
  {
    name: "wrong passwords on 32 connections",
    perSecond: 40,
    once: (at) => many(at, 32, gets("/", WRONG), { holdMs: 50 }),
  },
  {
    name: "wrong passwords from 16 addresses",
    perSecond: 80,
    once: (at) => many(at, 160, gets("/", WRONG), { holdMs: 50, isTaken: true, from: (i) => `127.0.1.${1 + i % 16}` }),
  },
  {
    name: "connections that hang up at once",
    perSecond: 40,
    once: (at) => many(at, 1, gets("/", WRONG), { holdMs: 0 }),
  },
  user("2,000 requests ahead, no reply taken", 2, (at) => gets("/queue/big/info", at.right).repeat(2_000), 2_000),
  user("20 large tables that nobody takes", 20, (at) => gets("/queue/big/info", at.right), 5_000),
  user("130 outputs of a silent host", 130, (at) => gets("/queue/silent/job/job1/output", at.right), 10_000),
  user("70 checks of a silent host", 70, (at) => gets("/queue/silent/check", at.right), 10_000),
  user("40 outputs of 16 MiB that nobody takes", 40, (at) => gets(LARGE, at.right), 10_000),
  user("8 outputs of 16 MiB", 8, (at) => gets(LARGE, at.right), 5_000, { isTaken: true }),
  user("64 bodies of 16 MiB", 64, (at) => posts(at.right) + BODY, 5_000),
  user("bodies of 20 MiB in pieces of one byte", 4, (at) => `${posts(at.right)}${CHUNKED}${TINY}`, 500),
  user("bodies that break off", 16, (at) => `${posts(at.right)}Content-Length: 1000\r\n\r\n{"jobs":`, 100),
  user("large tables that are hung up on", 4, (at) => gets("/queue/big/info", at.right), 20, { isTaken: true }),
  user("names that would unfold to gigabytes", 4, (at) => postsJob(at, { name: `a[1-100000]${LONG}` }), 200),
  user("hosts of 99,990 colons", 4, (at) => postsJob(at, { name: "a", host: ":".repeat(99_990) }), 200),
  user("40 streams of events that nobody reads", 40, (at) => gets("/events", at.right), 5_000),
  user("files that are no queues", 4, (at) => TRAPS.map((name) => gets(`/queue/${name}`, at.right)).join(""), 500),
  user("jobs that make a fifo of their log, killed and reset", 1, (at) =>
    [
      gets("/queue/odd/job/fifo/log", at.right),
      gets("/queue/odd/job/fifo/kill", at.right, "POST"),
      gets("/queue/odd/reset", at.right, "PUT"),
      gets("/queue/odd/run_fifo?max_parallel=1", at.right, "PUT"),
    ].join(""), 5_000),
  {
    name: "user: 1,000 directories with a queue, watched and removed",
    async once(at) {
      const path = (i: number) => `${at.directory}/many/e${i}`;
      for (let i = 0; i < DIRECTORIES && !at.stop.aborted; i++) {
        await Deno.mkdir(path(i), { recursive: true });
        await Deno.writeTextFile(`${path(i)}/q-queue.yaml`, "{}\n");
      }
      await many(at, 2, gets("/metrics", at.right), { holdMs: 8_000, isTaken: true });
      await Deno.remove(`${at.directory}/many`, { recursive: true });
      await pause(2_000, at.stop);
    },
  },
];

/** Many connections of one who has the password. */
function user(
  name: string,
  count: number,
  text: (at: Target) => string,
  holdMs: number,
  how: { isTaken?: boolean } = {},
): Trouble {
  return { name: `user: ${name}`, once: (at) => many(at, count, text(at), { holdMs, ...how }) };
}

function gets(path: string, authorization: string, method = "GET"): string {
  return `${method} ${path} HTTP/1.1\r\n${HOST}Authorization: ${authorization}\r\n\r\n`;
}

function postsJob({ right }: Target, job: object): string {
  const body = JSON.stringify({ jobs: [{ command: "true", ...job }] });
  return `${posts(right)}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function posts(authorization: string): string {
  return `POST /queue/big/jobs HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nAuthorization: ${authorization}\r\n`;
}
