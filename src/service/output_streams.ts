/**
 * What jobs write, as streams: Server-Sent Events that go on until the jobs are over. Who takes them slowly is read for
 * slowly, so that nothing gathers here.
 *
 * @module
 */

import { LinkError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import type { Connect } from "../link/link.ts";
import { machineText } from "../cluster/machine.ts";
import type { JobName } from "../names/grammar.ts";
import { followOutput, type FollowRequest } from "../operations/follow_output.ts";
import type { JobFile } from "../operations/output_files.ts";
import { Refusal } from "./errors.ts";
import { isNarrow, LARGE_BYTES } from "./heavy.ts";
import type { Service } from "./service.ts";
import { tooMany } from "./turns.ts";

/** Half of the links that `hosts.ts` lets requests have to one machine. */
const MOST_STREAMS = 4;
const MOST_LINKS = 16;
/** The queue of each is kept in memory: so many bytes of files, or one queue. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Pieces of a stream, to be taken. */
const BUFFER_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 15_000;

const encoder = new TextEncoder();

/** What is followed. */
export interface StreamRequest extends FollowRequest {
  readonly names: ReadonlySet<JobName>;
  /** Of the queue's file. */
  readonly sizeBytes: number;
}

/** The streams of one service. */
export class OutputStreams {
  readonly #service: Service;
  readonly #open = new Set<{ readonly sizeBytes: number }>();
  #links = 0;

  /** Reads nothing yet. */
  constructor(service: Service) {
    this.#service = service;
  }

  /** A stream. @throws {Refusal} 503 if there are too many, or of too large queues. */
  open(request: StreamRequest): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { stopping } = this.#service;
    const bytes = [...this.#open].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (this.#open.size >= MOST_STREAMS || (bytes > 0 && bytes + request.sizeBytes > MOST_BYTES)) {
      throw new Refusal(503, "Too many follow what jobs write; try again", { "Retry-After": "10" });
    }
    if (request.sizeBytes > LARGE_BYTES && isNarrow(this.#service)) throw tooMany();
    const own = { sizeBytes: request.sizeBytes };
    this.#open.add(own);
    const gone = new AbortController();
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>(
      undefined,
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
    );
    const writer = writable.getWriter();
    writer.closed.catch(() => gone.abort());
    void this.#follow(request, writer, AbortSignal.any([stopping, gone.signal]))
      .catch((error: Error) => this.#service.log.warning(error.message))
      .finally(() => {
        gone.abort();
        this.#open.delete(own);
        writer.close().catch(() => {});
      });
    return readable;
  }

  async #follow(
    request: StreamRequest,
    writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
    stop: AbortSignal,
  ): Promise<void> {
    const { deps } = this.#service;
    const ended = new AbortController();
    const say = async (text: string): Promise<void> => {
      await writer.ready.catch(() => {});
      // Who has gone is noticed by `stop`.
      void writer.write(encoder.encode(text)).catch(() => {});
    };
    const event = (type: string, data: object): Promise<void> =>
      say(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    const decoders = new Map<string, { readonly attempt: number; readonly decoder: TextDecoder }>();
    const decoderOf = (job: Job, file: JobFile): TextDecoder => {
      const known = decoders.get(`${job.name}/${file}`);
      if (known?.attempt === job.attempt) return known.decoder;
      const made = { attempt: job.attempt, decoder: new TextDecoder() };
      decoders.set(`${job.name}/${file}`, made);
      return made.decoder;
    };
    void this.#keepAlive(say, AbortSignal.any([stop, ended.signal]));
    try {
      const jobs = await followOutput(deps, request, {
        stop,
        onPart: async (job, file, bytes) => {
          const text = decoderOf(job, file).decode(bytes, { stream: true });
          await event("output", { job: job.name, attempt: job.attempt, file, text });
        },
        onAttempt: (job) => void event("attempt", { job: job.name, attempt: job.attempt }),
        onSilence: (machine, reason) => void event("host", { machine, reason }),
      }, this.#connect);
      if (stop.aborted) return;
      const [first] = jobs;
      await event("end", {
        failed: jobs.filter(isFailed).length,
        exit_code: jobs.length === 1 ? first!.exit_code : null,
      });
    } finally {
      ended.abort();
    }
  }

  /** Says something now and then, so that it is noticed when nobody listens any more. */
  async #keepAlive(say: (text: string) => Promise<void>, stop: AbortSignal): Promise<void> {
    const { clock } = this.#service.deps;
    await say("retry: 2000\n\n");
    while (!stop.aborted) {
      await clock.sleepUntil(clock.now() + KEEP_ALIVE_MS, stop);
      if (!stop.aborted) await say(":\n\n");
    }
  }

  /** Streams last: they must not take the links of those who ask for a moment. */
  readonly #connect: Connect = async (machine, options) => {
    if (this.#links >= MOST_LINKS) {
      throw new LinkError(machineText(machine), "too many machines are followed; trying again", false);
    }
    this.#links++;
    try {
      const link = await this.#service.connect(machine, options);
      const { close } = link;
      let isOpen = true;
      const closed = (): void => {
        if (isOpen) this.#links--;
        isOpen = false;
      };
      return Object.assign(link, { close: () => close.call(link).finally(closed) });
    } catch (error) {
      this.#links--;
      throw error;
    }
  };
}
