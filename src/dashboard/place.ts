/**
 * What is shown, in the address: it can be sent to a colleague, and the browser's buttons go back and on.
 *
 * @module
 */

import { batch, signal } from "@preact/signals";
import { experiment } from "./experiment.ts";

/** The views of a queue. */
export const VIEWS = ["jobs", "hosts", "progress", "timeline", "add", "runs"] as const;
/** One of them, or one job. */
export type View = typeof VIEWS[number] | "job";

/** A place. */
export interface Place {
  readonly experiment: string;
  readonly queue: string | null;
  readonly view: View;
  readonly job: string | null;
  readonly words: Readonly<Record<string, string>>;
}

const DEFAULT_EXPERIMENT = "experiment";

/** `#/QUEUE/VIEW?words` or `#/QUEUE/job/JOB`; `in=EXPERIMENT` where it is another than usual. */
export function readPlace(hash: string): Place {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [queue = "", view = "jobs", job = ""] = path.split("/").map(decode);
  const { in: of = DEFAULT_EXPERIMENT, ...words } = Object.fromEntries(new URLSearchParams(search));
  if (view === "job" && job !== "") return { experiment: of, queue, view: "job", job, words };
  const known = VIEWS.find((one) => one === view) ?? "jobs";
  return { experiment: of, queue: queue === "" ? null : queue, view: known, job: null, words };
}

function decode(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** The address of a place, in the present experiment unless another is named. */
export function placeText({ queue, view, job, words, ...place }: Omit<Place, "experiment"> & Partial<Place>): string {
  const path = [queue ?? "", view, ...(job === null ? [] : [job])].map(encodeURIComponent).join("/");
  const of = place.experiment ?? experiment.value;
  const all = of === DEFAULT_EXPERIMENT ? words : { ...words, in: of };
  const search = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== "")).toString();
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}

/** Where we are. */
export const place = signal<Place>(readPlace(location.hash));
experiment.value = place.peek().experiment;
addEventListener("hashchange", () => set(readPlace(location.hash)));

function set(next: Place): void {
  batch(() => {
    experiment.value = next.experiment;
    place.value = next;
  });
}

/** Goes somewhere. `isSame`: the place is only said more closely, and takes the one before's place in the history. */
export function go(to: Partial<Place>, isSame = false): void {
  const next = { ...place.peek(), job: null, words: {}, ...to };
  const text = placeText(next);
  if (isSame) history.replaceState(null, "", text);
  else history.pushState(null, "", text);
  set(next);
}

/** Says more closely what is shown; an empty word is left out. */
export function say(words: Readonly<Record<string, string>>): void {
  const { view, job } = place.peek();
  go({ view, job, words: { ...place.peek().words, ...words } }, true);
}
