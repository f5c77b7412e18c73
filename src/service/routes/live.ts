/**
 * How a queue stands, as a stream for pages: coarse, so that a page that is left open costs little however much
 * happens.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { Refusal } from "../errors.ts";
import { failures, operation } from "../operation.ts";
import { queueAt } from "../places.ts";
import { ExperimentQuery, QueuePath } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";
import { Watches } from "../watches.ts";
import { statusReply } from "./status.ts";

/** Pause between two messages at least. */
const PAUSE_MS = 500;
/** Where nothing happens, rates and times left are still others after a while. */
const QUIET_MS = 5_000;

const EXAMPLE = `event: status
data: {"queue":"a","total":100,"failed":2}

`;

const live = operation({
  method: "get",
  path: "/queue/{queue}/live",
  tags: ["more"],
  summary: "Queue Live",
  description: "Server-Sent Events: `status` has what `/queue/{queue}/status` says, whenever something has happened, " +
    "twice a second at most.",
  request: { params: QueuePath, query: ExperimentQuery },
  responses: {
    200: {
      description: "The stream. It ends with the service, or with the queue.",
      content: { "text/event-stream": { schema: z.string().openapi({ example: EXAMPLE }) } },
    },
    ...failures(404),
  },
});

/** Adds the route. */
export function addLiveRoute(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  const { clock } = service.deps;
  const watches = Watches.forService(service);
  app.openapi(live, async (c) => {
    const { queue: word } = c.req.valid("param");
    const { experiment } = c.req.valid("query");
    const queue = await queueAt(service, { queue: word, experiment });
    const { watch, streams } = await watches.of(experiment);
    if (!watch.queues.has(queue.name)) throw new Refusal(404, "Queue not found");
    const first = await statusReply(service, queue);
    const gone = new AbortController();
    const news = new News();
    // The events of the queue are only heard, not sent on.
    const heard = streams.open(queue.name, watch.lastId).getReader();
    const end = (): void => {
      gone.abort();
      heard.cancel().catch(() => {});
    };
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        controller.enqueue(message(first));
        void hear(heard, news, end);
      },
      pull: async (controller) => {
        await clock.sleepUntil(clock.now() + PAUSE_MS, gone.signal);
        await news.wait(clock.sleepUntil(clock.now() + QUIET_MS, gone.signal));
        const status = gone.signal.aborted ? null : await statusReply(service, queue).catch(() => null);
        if (status !== null) return controller.enqueue(message(status));
        end();
        controller.close();
      },
      cancel: end,
    }, { highWaterMark: 1 });
    return c.body(body, 200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });
}

function message(status: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`event: status\ndata: ${JSON.stringify(status)}\n\n`);
}

async function hear(heard: ReadableStreamDefaultReader<Uint8Array>, news: News, end: () => void): Promise<void> {
  try {
    while (!(await heard.read()).done) news.tell();
  } catch {
    // Cut off, or the service ends.
  }
  end();
  news.tell();
}

/** Whether something has happened since it was last asked. */
class News {
  #isThere = false;
  #wake = (): void => {};

  tell(): void {
    this.#isThere = true;
    this.#wake();
  }

  /** Resolves when there is news, or `late` does. */
  async wait(late: Promise<void>): Promise<void> {
    if (!this.#isThere) await Promise.race([new Promise<void>((resolve) => this.#wake = resolve), late]);
    this.#isThere = false;
  }
}
