/**
 * What is shown, in the address: it can be sent to a colleague, and the browser's buttons go back and on.
 *
 * @module
 */

import { signal } from "@preact/signals";

/** The views of a queue. */
export const VIEWS = ["jobs", "hosts", "progress", "timeline", "add", "runs"] as const;
/** One of them, or one job. */
export type View = typeof VIEWS[number] | "job";

/** A place. */
export interface Place {
  readonly queue: string | null;
  readonly view: View;
  readonly job: string | null;
  readonly words: Readonly<Record<string, string>>;
}

/** `#/QUEUE/VIEW?words` or `#/QUEUE/job/JOB`. */
export function readPlace(hash: string): Place {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [queue = "", view = "jobs", job = ""] = path.split("/").map(decode);
  const words = Object.fromEntries(new URLSearchParams(search));
  if (view === "job" && job !== "") return { queue, view: "job", job, words };
  const known = VIEWS.find((one) => one === view) ?? "jobs";
  return { queue: queue === "" ? null : queue, view: known, job: null, words };
}

function decode(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** The address of a place. */
export function placeText({ queue, view, job, words }: Place): string {
  const path = [queue ?? "", view, ...(job === null ? [] : [job])].map(encodeURIComponent).join("/");
  const search = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== "")).toString();
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}

/** Where we are. */
export const place = signal<Place>(readPlace(location.hash));
addEventListener("hashchange", () => place.value = readPlace(location.hash));

/** Goes somewhere. `isSame`: the place is only said more closely, and takes the one before's place in the history. */
export function go(to: Partial<Place>, isSame = false): void {
  const next = { ...place.peek(), job: null, words: {}, ...to };
  const text = placeText(next);
  if (isSame) history.replaceState(null, "", text);
  else history.pushState(null, "", text);
  place.value = next;
}

/** Says more closely what is shown; an empty word is left out. */
export function say(words: Readonly<Record<string, string>>): void {
  const { view, job } = place.peek();
  go({ view, job, words: { ...place.peek().words, ...words } }, true);
}
