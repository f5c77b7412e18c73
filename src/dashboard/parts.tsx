/**
 * Small parts that several views share.
 *
 * @module
 */

import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { experiment } from "./experiment.ts";
import { change, DEFAULT_EXPERIMENT, who } from "./service.ts";
import { quote } from "./words.ts";

const COPIED_MS = 2_000;

/** What was done last, or failed: said to all, and to screen readers. */
export const said = signal<
  { readonly text: string; readonly isFailure: boolean; readonly command: string | null } | null
>(
  null,
);

/** Counts what was done here: all that is shown is read anew. */
export const deeds = signal(0);

/** A request that changes something. */
export interface Request {
  readonly method: string;
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly body?: unknown;
}

/**
 * Carries out what a person asked for, one request after the other, and says what came of it.
 * @param about `done`: what is said then, or how that is made of the last reply. @returns True if all was done.
 */
export async function act(
  about: { readonly done: string | ((reply: unknown) => string); readonly command: string },
  ...requests: readonly Request[]
): Promise<boolean> {
  const texts: string[] = [];
  try {
    let reply: unknown = null;
    for (const { method, path, query, body } of requests) {
      reply = await change(method, path, query ?? {}, body);
      texts.push(...(reply as { warnings?: string[] } | null)?.warnings ?? []);
    }
    const done = typeof about.done === "string" ? about.done : about.done(reply);
    said.value = { text: [done, ...texts].join("; "), isFailure: texts.length > 0, command: about.command };
    deeds.value++;
    return true;
  } catch (error) {
    if (requests.length > 1) deeds.value++;
    said.value = { text: (error as Error).message, isFailure: true, command: about.command };
    return false;
  }
}

/** The line that says what was done. */
export function Said(): JSX.Element {
  const now = said.value;
  return (
    <div class={`said ${now?.isFailure === true ? "bad" : ""}`} role="status" aria-live="polite">
      {now !== null && (
        <>
          <span>{now.text}</span>
          {now.command !== null && <Command text={now.command} />}
          <button type="button" class="quiet" onClick={() => said.value = null} aria-label="Close this message">
            ×
          </button>
        </>
      )}
    </div>
  );
}

/** A command that does the same, to be copied. */
export function Command({ text: plain }: { text: string }): JSX.Element {
  const isCms = plain.startsWith("cms ") && experiment.value !== DEFAULT_EXPERIMENT;
  const text = isCms ? `${plain} ${quote(`--experiment=${experiment.value}`)}` : plain;
  const code = useRef<HTMLElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    // Without TLS browsers give the clipboard to localhost alone; the older way needs a selection.
    const isDone = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (isDone !== true) {
      getSelection()?.selectAllChildren(code.current!);
      document.execCommand("copy");
    }
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <span class="command">
      <code ref={code}>{text}</code>
      <button type="button" class="quiet" onClick={() => void copy()} title="Copy">
        {isCopied ? "copied" : "copy"}
      </button>
    </span>
  );
}

/** A button of something that viewers may not do. */
export function Deed(
  { onClick, children, kind, disabled, title }: {
    onClick: () => void;
    children: ComponentChildren;
    kind?: "bad";
    disabled?: boolean;
    title?: string;
  },
): JSX.Element | null {
  if (who.value?.role === "viewer") return null;
  return (
    <button type="button" class={kind ?? ""} onClick={onClick} disabled={disabled === true} title={title}>
      {children}
    </button>
  );
}

/** What is asked again and again takes no more than one part of so many of the service's time. */
const PARTS = 8;
/** Nor is it asked more seldom than this for that reason. */
const LONGEST_MS = 5_000;

/**
 * Calls `read` at once, when `keys` change, and again every so often while the page is seen, less often where it takes
 * long; also after each deed, unless `isApart`.
 */
export function useRepeated(
  read: (signal: AbortSignal) => Promise<void>,
  keys: readonly unknown[],
  everyMs: number,
  isApart = false,
): void {
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    const ending = new AbortController();
    void (async () => {
      while (!ending.signal.aborted) {
        const beganMs = performance.now();
        if (!document.hidden) await latest.current(ending.signal).catch(() => {});
        const tookMs = performance.now() - beganMs;
        await new Promise((resolve) => setTimeout(resolve, Math.max(everyMs, Math.min(tookMs * PARTS, LONGEST_MS))));
      }
    })();
    return () => ending.abort();
  }, [...keys, isApart ? 0 : deeds.value]);
}

/** The badge of a state. */
export function State({ state, failed }: { state: string; failed: boolean }): JSX.Element {
  return <span class={`state ${failed ? "failed" : state}`}>{state}</span>;
}

/** True if a job is over and did not end well. */
export function isFailed(job: { status: string; exit_code?: number | null }): boolean {
  return ["kill", "crash", "fail_start"].includes(job.status) || (job.status === "end" && job.exit_code !== 0);
}
