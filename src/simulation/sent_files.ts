/**
 * The contents that jobs have sent to a simulated host, and what the far end of such a copy is asked for:
 * `src/link/send.sh`.
 *
 * @module
 */

import type { Host } from "./host.ts";
import { randomOf } from "./random.ts";

interface Store {
  boot: string;
  /** By key. What was not looked at since the boot may be torn. */
  readonly contents: Map<string, { text: string; isSure: boolean; isTorn: boolean }>;
  torn: number;
}

/** By home directory, which machines may share, and the agent's own directory in it. */
const stores = new WeakMap<object, Map<string, Store>>();

/** The agent's directory `sent` on a host. */
export class SentFiles {
  readonly #store: Store;
  readonly #host: Host;

  constructor(host: Host, own: string) {
    this.#host = host;
    const home = host.parts.home ?? host;
    const known = stores.get(home) ?? new Map<string, Store>();
    stores.set(home, known);
    this.#store = known.get(own) ?? { boot: "", contents: new Map(), torn: 0 };
    known.set(own, this.#store);
  }

  /** After a boot nothing counts before it was looked at: a power cut may have taken a part of it. */
  begin(boot: string): void {
    const store = this.#store;
    if (store.boot === boot) return;
    const random = randomOf(this.#host.machine.length, `torn ${store.boot} ${store.torn++}`);
    for (const content of store.contents.values()) {
      content.isSure = store.boot === "";
      if (!random.chance(0.5)) continue;
      content.isTorn = true;
      content.text = content.text.slice(0, -1);
    }
    store.boot = boot;
  }

  /** True if a content is there and whole. */
  has(key: string): boolean {
    const content = this.#store.contents.get(key);
    if (content === undefined) return false;
    if (!content.isSure) content.isSure = this.isWhole(content);
    return content.isSure;
  }

  /** What its hash says. */
  isWhole({ isTorn }: { readonly isTorn: boolean }): boolean {
    return !isTorn;
  }

  /** It has come. */
  keep(key: string, text: string): void {
    this.#store.contents.set(key, { text, isSure: true, isTorn: false });
  }

  /** All but these are removed. */
  forget(kept: ReadonlyMap<string, unknown>): void {
    for (const key of this.#store.contents.keys()) if (!kept.has(key)) this.#store.contents.delete(key);
  }

  /** Its text. */
  get(key: string): string {
    return this.#store.contents.get(key)?.text ?? "";
  }
}

/** True if the lines are those of `send.sh`, not of `stage.sh`. */
export function isSend(lines: readonly string[]): boolean {
  return lines[0]?.includes("/sent") === true;
}

/** The head of a request, and its contents: key, path in the stream. */
export function readSend(lines: readonly string[]): {
  own: string;
  boot: string;
  token: string;
  last: string;
  way: string;
  contents: ReadonlyMap<string, string>;
} {
  const [, , own = "", boot = "", token = "", last = "", way = "", ...rest] = lines;
  const contents = new Map(rest.map((line) => {
    const [key = "", , ...path] = line.split(" ");
    return [key, path.join(" ")];
  }));
  return { own, boot, token, last, way, contents };
}

/** Which files go where: of each job its number, its directory, and path and key of each file. */
export function sentJobs(
  todo: readonly string[],
): { number: string; place: string; files: [path: string, key: string][] }[] {
  const jobs: { number: string; place: string; files: [string, string][] }[] = [];
  for (const line of todo) {
    const [verb, ...words] = line.split(" ");
    if (verb === "J") jobs.push({ number: words[0]!, place: "", files: [] });
    else if (verb === "C") jobs.at(-1)?.files.push([words.slice(2).join(" "), words[1]!]);
    else if (verb === "P") jobs.at(-1)!.place = words.join(" ");
  }
  return jobs;
}
