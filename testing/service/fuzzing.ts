/**
 * Sends requests made from the document to the executable, and measures.
 *
 * @module
 */

import { BODY_BYTES } from "../../src/service/limits.ts";
import { asksHosts } from "../../src/service/guard.ts";
import { documentOf } from "../../src/service/openapi.ts";
import { realDeps } from "../../src/deps_real.ts";
import { compiledCms } from "../compiled.ts";
import { type Document, documentRequests, type MadeRequest } from "./document_requests.ts";
import { withStarted } from "./started.ts";
import { RIGHT } from "./service.ts";

/** Answers when a job is over, when the time that was asked for is, or when a run has begun. */
const WAITS = /^\/queue\/[^/]+\/(wait|run_\w+)$/;

/** What takes longer for a MB is asked again, so often in all. */
const SLOW_MS = 500;
const TIMES = 4;

/** True if the reply waits for something else than the service. */
function waits(method: string, target: string): boolean {
  const path = target.replace(/\?.*$/s, "");
  return WAITS.test(path) || asksHosts(method, path);
}

/** Bytes of the files of queues and clusters. */
function bytesIn(directory: string): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync(directory)) {
    if (!/-(queue|cluster)\.(yaml|journal)$/.test(name)) continue;
    try {
      sum += Deno.statSync(`${directory}/${name}`).size;
    } catch { /* it has gone */ }
  }
  return sum;
}

/** What came of it. */
export interface Fuzzed {
  readonly statuses: ReadonlyMap<number, number>;
  /** Requests that were answered with 500, or not at all. */
  readonly faults: readonly string[];
  /**
   * The slowest request, and the one that took longest for each MB of it, of its reply and of the files of queues and
   * clusters (at least one), without those that wait for jobs, runs or hosts.
   */
  readonly slowest: { ms: number; request: string };
  readonly slowestPerMb: { ms: number; request: string };
}

/**
 * Sends `count` requests, some at a time. The queue and the cluster begin anew now and then, so that they stay small.
 */
export async function fuzzService(
  options: { count: number; seed: number; atOnce?: number; tell?: (sent: number) => void },
): Promise<Fuzzed> {
  const { count, seed, atOnce = 4, tell = () => {} } = options;
  const document = JSON.parse(JSON.stringify(documentOf(realDeps()))) as Document;
  const statuses = new Map<number, number>();
  const faults: string[] = [];
  const slowest = { ms: 0, request: "" };
  const slowestPerMb = { ms: 0, request: "" };
  const cms = await compiledCms();
  await withStarted(
    async ({ url, text, directory }) => {
      const experiment = `${directory}/experiment`;
      const send = async ({ method, target, headers: given, body }: MadeRequest): Promise<void> => {
        const headers = { ...given, authorization: RIGHT };
        const startMs = performance.now();
        const before = bytesIn(experiment);
        const shown = `${method} ${target.slice(0, 200)} ${body?.slice(0, 200) ?? ""}`;
        try {
          const init = { method, headers, ...(body === null ? {} : { body }), signal: AbortSignal.timeout(120_000) };
          const reply = await fetch(url + target, init);
          // What jobs write is a stream until they are over.
          const isStream = reply.headers.get("content-type")?.startsWith("text/event-stream") === true;
          const { length } = isStream ? "" : await reply.text();
          if (isStream) await reply.body?.cancel();
          if (reply.status === 500) faults.push(shown);
          let ms = performance.now() - startMs;
          statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
          if (isStream || waits(method, target)) return;
          const mb = Math.max(
            1,
            (length + target.length + (body?.length ?? 0) + Math.max(before, bytesIn(experiment))) / 1e6,
          );
          // Where much else goes on, the least of a few times says more. What was done the first time is not.
          for (let i = 1; atOnce === 1 && i < TIMES && ms / mb > SLOW_MS; i++) {
            const againMs = performance.now();
            const again = await fetch(url + target, { ...init, signal: AbortSignal.timeout(120_000) });
            await again.text();
            if (again.status !== reply.status) break;
            ms = Math.min(ms, performance.now() - againMs);
          }
          if (ms > slowest.ms) Object.assign(slowest, { ms, request: shown });
          if (ms / mb > slowestPerMb.ms) Object.assign(slowestPerMb, { ms: ms / mb, request: shown });
        } catch (error) {
          const { message } = error as Error;
          // Never sent, as `fetch` takes no such address; or a body that is too long, cut off after its refusal.
          if (message.startsWith("Invalid URL") || (body?.length ?? 0) > BODY_BYTES) return;
          faults.push(`${shown}: ${message}`);
        }
      };
      const requests = documentRequests(document, seed);
      let sent = 0;
      const afresh = async () => {
        for (
          const line of [
            "DELETE /queue/a",
            "DELETE /cluster/a",
            "POST /queue/?name=a",
            "POST /cluster/?name=a",
            "POST /queue/a?name=job[1-3]&command=true&user=me&host=localhost",
            "POST /cluster/a?id=h[1-2]&name=localhost&user=me",
          ]
        ) {
          const [method = "", target = ""] = line.split(" ");
          await (await fetch(url + target, { method, headers: { authorization: RIGHT } })).text();
        }
      };
      while (sent < count) {
        await afresh();
        const round = Math.min(200, count - sent);
        let left = round;
        await Promise.all(Array.from({ length: atOnce }, async () => {
          while (left-- > 0) await send(requests.next().value!);
        }));
        sent += round;
        tell(sent);
      }
      const said = text().split("\n").filter((line) => /fault in the program/i.test(line));
      for (const line of said) faults.push(line);
    },
    ["--log=none"],
    [cms],
  );
  return { statuses, faults, slowest, slowestPerMb };
}
