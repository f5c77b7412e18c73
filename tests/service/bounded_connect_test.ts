/** Links of the service to hosts: so many to one machine, so many in all. */
import assert from "node:assert/strict";
import { parseMachine } from "../../src/cluster/machine.ts";
import { LinkError } from "../../src/errors.ts";
import type { JobName } from "../../src/names/grammar.ts";
import type { Connect, ConnectOptions, Link } from "../../src/link/link.ts";
import { boundedHosts } from "../../src/service/hosts.ts";
import { waitUntil } from "../../testing/wait.ts";

const OPTIONS: ConnectOptions = { directory: "experiment", queueId: "a1", role: "visitor", onEvent: () => {} };

/** Links that read when the test says so; a machine called `silent` never opens any. */
function links(): { connect: Connect; opened: string[]; reads: (() => void)[] } {
  const opened: string[] = [];
  const reads: (() => void)[] = [];
  const connect: Connect = (machine) => {
    opened.push(machine.name);
    if (machine.name === "silent") return new Promise(() => {});
    if (machine.name === "broken") return Promise.reject(new LinkError("pi@broken", "no", false));
    const link = {
      close: () => Promise.resolve(),
      read: () => new Promise((resolve) => reads.push(() => resolve(new Uint8Array()))),
    };
    return Promise.resolve(link as unknown as Link);
  };
  return { connect, opened, reads };
}

const count = (opened: readonly string[], name: string) => opened.filter((one) => one === name).length;

Deno.test("boundedHosts() opens a few links to a machine, lets a few wait, refuses more, and keeps no other machine waiting", async () => {
  const { connect, opened } = links();
  const { connect: bounded } = boundedHosts(connect, 1024);
  const silent = parseMachine("pi@silent");
  for (let i = 0; i < 16; i++) void bounded(silent, OPTIONS);
  await waitUntil("the first", () => count(opened, "silent") === 8);
  await assert.rejects(bounded(silent, OPTIONS), /pi@silent: too many requests wait for it; try again/);
  const open = await Promise.all(Array.from({ length: 8 }, () => bounded(parseMachine("pi@red"), OPTIONS)));
  const late = bounded(parseMachine("pi@red"), OPTIONS);
  assert.equal(count(opened, "red"), 8);
  await open[0]!.close();
  await late;
  assert.equal(count(opened, "red"), 9);
  assert.equal(count(opened, "silent"), 8);
});

Deno.test("boundedHosts() gives places back when a link cannot be opened, and opens fewer links where there are few files", async () => {
  const { connect, opened } = links();
  const { connect: bounded } = boundedHosts(connect, 96);
  for (let i = 0; i < 40; i++) await assert.rejects(bounded(parseMachine("pi@broken"), OPTIONS), LinkError);
  for (let i = 0; i < 6; i++) void bounded(parseMachine("pi@silent"), OPTIONS);
  await waitUntil("the first", () => count(opened, "silent") === 4);
});

Deno.test("boundedHosts() opens 64 links in all; the next waits until one is closed", async () => {
  const { connect, opened } = links();
  const { connect: bounded } = boundedHosts(connect, 20_000);
  const eight = Array.from({ length: 8 }, (_, i) => Array(8).fill(`pi@m${i}`) as string[]).flat();
  const open = await Promise.all(eight.map((name) => bounded(parseMachine(name), OPTIONS)));
  const late = bounded(parseMachine("pi@late"), OPTIONS);
  assert.equal(opened.length, 64);
  await open[0]!.close();
  await late;
  assert.equal(opened.length, 65);
});

Deno.test("large reads of a link are one for a machine and four in all; small ones pass", async () => {
  const { connect, reads } = links();
  const { connect: bounded } = boundedHosts(connect, 1024);
  const read = async (name: string, maxBytes: number) => {
    const link = await bounded(parseMachine(`pi@${name}`), OPTIONS);
    return await link.read({ job: "job1" as JobName, attempt: "a1.1" }, "job1.out", { maxBytes });
  };
  const large = ["a", "a", "b", "c", "d", "e"].map((name) => read(name, 16 * 1024 * 1024));
  await waitUntil("four", () => reads.length === 4);
  void read("f", 1000);
  await waitUntil("the small one", () => reads.length === 5);
  for (let done = 0; done < 7; done++) {
    await waitUntil("the next", () => reads.length > done);
    reads[done]!();
  }
  await Promise.all(large);
});
