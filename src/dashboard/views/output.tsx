/**
 * What a job writes: the end of it first, more on demand, and what is added while it runs. Bytes come once.
 *
 * @module
 */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useRepeated } from "../parts.tsx";
import { address, Failure, read, readBytes, type Reply, send } from "../service.ts";
import { paint, terminalHtml } from "../terminal_text.ts";

/** How much of the end of a file is shown first. */
export const FIRST_BYTES = 64 * 1024;
/** More than this is not shown at once; the begin goes. */
export const MOST_BYTES = 4 * 1024 * 1024;
/** What the service gives of a file at once. */
export const PART_BYTES = 16 * 1024 * 1024;
const LOOK_MS = 2_000;
const OVER_MS = 3_600_000;

/** A part of a file: where it begins, and its bytes. */
interface Part {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** Which file of which try. */
interface Place {
  readonly queue: string;
  readonly job: string;
  readonly kind: "output" | "error";
  /** Name of the file in the job's directory. */
  readonly file: string;
  readonly attempt: number;
  readonly isLive: boolean;
}

/** The view of one of the two. */
export function Output({ queue, job, kind, file, attempt, isLive }: Place): JSX.Element {
  const [part, setPart] = useState<Part | null>(null);
  const [failure, setFailure] = useState("");
  const latest = useRef<Part | null>(null);
  const path = ["queue", queue, "job", job, kind];
  const show = (next: Part | null): void => {
    latest.current = next;
    setPart(next);
  };
  useEffect(() => show(null), [queue, job, kind, attempt]);
  useRepeated(
    async (signal) => {
      try {
        const next = await nextPart(path, file, latest.current, signal);
        if (next !== latest.current) show(next);
        setFailure("");
      } catch (error) {
        if (!signal.aborted) setFailure((error as Error).message);
      }
    },
    [queue, job, kind, attempt, isLive],
    isLive ? LOOK_MS : OVER_MS,
    true,
  );
  const more = async (): Promise<void> => {
    const now = latest.current;
    if (now === null) return;
    const from = Math.max(0, now.from - 7 * now.bytes.length);
    try {
      const before = await readBytes(path, { from, max: now.from - from });
      if (latest.current?.from === now.from) show({ from, bytes: joined(before, latest.current.bytes) });
    } catch (error) {
      setFailure((error as Error).message);
    }
  };
  const title = kind === "output" ? "Output" : "Errors";
  return (
    <section>
      <h3>
        {title}{" "}
        <button type="button" class="quiet" onClick={() => void download(queue, job, file, setFailure)}>
          download
        </button>
        {part !== null && part.from > 0 && part.bytes.length < MOST_BYTES && (
          <button
            type="button"
            class="quiet"
            onClick={() => void more()}
          >
            more
          </button>
        )}
        {isLive ? " (live)" : ""}
      </h3>
      {part !== null && part.from > 0 && <p class="hint">Without the first {part.from} bytes.</p>}
      {failure !== "" && <p class="bad">{failure}</p>}
      <Written bytes={part?.bytes ?? null} isCut={part !== null && part.from > 0} title={title} isLive={isLive} />
    </section>
  );
}

/** Bytes as a terminal would show them. `isCut`: there is more before them. */
export function Written(
  { bytes, isCut, title, isLive }: { bytes: Uint8Array | null; isCut: boolean; title: string; isLive: boolean },
): JSX.Element {
  const shown = useRef<HTMLPreElement>(null);
  const html = bytes === null ? "" : terminalHtml(textOf(bytes, isCut));
  useEffect(() => {
    const element = shown.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    // The text is escaped by the library; there is no way in for markup.
    element.innerHTML = html;
    paint(element);
    if (isLive && isAtEnd) element.scrollTop = element.scrollHeight;
  }, [html]);
  return <pre ref={shown} tabIndex={0} role="region" aria-label={title} />;
}

/** What is known, with what was added to it. The end of the file, if nothing is known yet. */
async function nextPart(
  path: readonly string[],
  file: string,
  known: Part | null,
  signal: AbortSignal,
): Promise<Part | null> {
  if (known === null) {
    const bytes = await readBytes(path, { max: FIRST_BYTES }, signal);
    if (bytes.length < FIRST_BYTES) return { from: 0, bytes };
    // Only the list says how long it is by now.
    const size = (await filesOf(path, signal)).find((one) => one.path === file)?.size ?? 0;
    const from = Math.max(0, size - FIRST_BYTES);
    return { from, bytes: await readBytes(path, { from, max: PART_BYTES }, signal) };
  }
  const added = await readBytes(path, { from: known.from + known.bytes.length, max: MOST_BYTES }, signal);
  if (added.length === 0) return known;
  const bytes = joined(known.bytes, added);
  const cut = Math.max(0, bytes.length - MOST_BYTES);
  return { from: known.from + cut, bytes: bytes.subarray(cut) };
}

async function filesOf(path: readonly string[], signal?: AbortSignal) {
  const list = [...path.slice(0, -1), "files"];
  return (await read<Reply<"/queue/{queue}/job/{job}/files">>(list, {}, signal)).files;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** A character that was cut at the begin is left out. */
function textOf(bytes: Uint8Array, isCut: boolean): string {
  let begin = 0;
  while (isCut && begin < 3 && begin < bytes.length && (bytes[begin]! & 0xc0) === 0x80) begin++;
  return new TextDecoder().decode(bytes.subarray(begin));
}

/** All of a file, in parts, as a download. */
async function download(queue: string, job: string, file: string, fail: (why: string) => void): Promise<void> {
  try {
    const path = ["queue", queue, "job", job];
    const size = (await filesOf([...path, file])).find((one) => one.path === file)?.size;
    if (size === undefined) throw new Failure(404, "There is no such file any more");
    const parts: BlobPart[] = [];
    for (let from = 0; from < size; from += PART_BYTES) {
      const range = `bytes=${from}-${Math.min(size, from + PART_BYTES) - 1}`;
      const headers = { Range: range, Accept: "application/octet-stream" };
      parts.push(await (await send(address([...path, "files", file]), { headers })).blob());
    }
    saveParts(parts, file);
  } catch (error) {
    fail((error as Error).message);
  }
}

/** Gives the browser a file to keep. */
export function saveParts(parts: BlobPart[], name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
