/**
 * Requests of one link that wait for their answers.
 *
 * @module
 */

import type { GpuUse } from "../agent/gpu_use.ts";
import type { AgentEvent, Answer, Mark } from "../agent/protocol.ts";
import { Gathered } from "../bytes.ts";
import type { AttemptState, RemoveResult } from "./link.ts";

/** What came for one request, when it is complete. */
export interface Reply {
  readonly states: AttemptState[];
  readonly results: RemoveResult[];
  readonly directories: string[];
  readonly data: Gathered;
  readonly marks: Mark[];
  readonly gpus: GpuUse[];
  /** There is no such file. */
  absent: boolean;
  /** Why it could not be done; null if it was. */
  failure: string | null;
}

interface Pending {
  readonly reply: Reply;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Numbers requests, and brings each its answers. */
export class Requests {
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  /**
   * @param send Called with the request's number. @param mostBytes Of data. @returns What came for it; rejects when the
   * link goes down first.
   */
  open(send: (id: number) => void, mostBytes?: number): Promise<Reply> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const reply: Reply = {
        states: [],
        results: [],
        directories: [],
        data: new Gathered(mostBytes),
        marks: [],
        gpus: [],
        absent: false,
        failure: null,
      };
      this.#pending.set(id, { reply, resolve, reject });
      send(id);
    });
  }

  /** Takes in an answer or event; one that nobody waits for (of an earlier agent) is dropped. */
  take(
    message: Extract<Answer | AgentEvent, { request: number }>,
  ): void {
    const pending = this.#pending.get(message.request);
    if (pending === undefined) return;
    const { reply } = pending;
    switch (message.type) {
      case "state":
        reply.states[message.index] = message.state;
        return;
      case "removed":
        reply.results[message.index] = message.result;
        return;
      case "where":
        reply.directories[message.index] = message.directory;
        return;
      case "data":
        reply.data.add(message.bytes);
        return;
      case "gpu":
        reply.gpus.push(message.use);
        return;
      case "mark":
        reply.marks.push(message.mark);
        return;
      case "absent":
        reply.absent = true;
        break;
      case "failed":
        reply.failure = message.reason;
        break;
      case "done":
        break;
      default:
        message satisfies never;
    }
    this.#pending.delete(message.request);
    pending.resolve(reply);
  }

  /** Rejects all that wait. */
  fail(error: Error): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of all) pending.reject(error);
  }
}

/** The items in groups of `size`, the last one smaller. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
