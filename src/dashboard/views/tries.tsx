/**
 * The tries of a job: when and where each was, how it ended, and what it wrote. Files of earlier tries stay on their
 * hosts, and do not grow any more.
 *
 * @module
 */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isFailed } from "../parts.tsx";
import { place, say } from "../place.ts";
import { readBytes, type Story } from "../service.ts";
import { duration, moment } from "../words.ts";
import { FIRST_BYTES, MOST_BYTES, PART_BYTES, saveParts, Written } from "./output.tsx";

/** A try, as far as its line needs. */
interface Try {
  readonly try: number;
  readonly user?: string | null;
  readonly host?: string | null;
  readonly started?: string | null;
  readonly ended?: string | null;
  readonly status: string;
  readonly exit_code?: number | null;
  readonly reason?: string | null;
}

/** Files of a try, as the service and the command call them, and as the page does. */
const KINDS = { output: "output", error: "errors", log: "log" } as const;
type Kind = keyof typeof KINDS;

/** How many times as much of a file is shown each further time. */
const MORE = 8;

/** Tries as a time line: how long each took, where, and how it ended, with its files. None where there was but one. */
export function Tries({ queue, story }: { queue: string; story: Story }): JSX.Element | null {
  const { job } = story;
  const isRun = job.started !== null && job.started !== undefined;
  const past = (job.history ?? []) as readonly Try[];
  if (past.length === 0) return null;
  const last: Try = { ...job, try: story.try, reason: story.reason };
  const all = [...past, ...(isRun ? [last] : [])];
  const times = all.map((one) =>
    [Date.parse(one.started ?? ""), one.ended ? Date.parse(one.ended) : Date.now()] as const
  );
  const known = times.filter(([from]) => !Number.isNaN(from));
  const first = Math.min(...known.map(([from]) => from));
  const whole = Math.max(1, ...known.map(([, to]) => to - first));
  return (
    <section>
      <h3>Tries</h3>
      <ol class="tries">
        {all.map((one, i) => {
          const [from, to] = times[i]!;
          const isBad = isFailed({ status: one.status, exit_code: one.exit_code ?? null });
          return (
            <li key={one.try}>
              <span>{sentence(one, to - from)}</span>
              {!Number.isNaN(from) && (
                <svg
                  class={isBad ? "failed" : one.ended ? "end" : "run"}
                  viewBox="0 0 1000 8"
                  preserveAspectRatio="none"
                >
                  <rect class="all" width="1000" height="8" />
                  <rect
                    x={Math.min(996, 1000 * (from - first) / whole)}
                    width={Math.max(4, 1000 * (to - from) / whole)}
                    height="8"
                  />
                </svg>
              )}
              {one !== last && <Files queue={queue} job={job.name} number={one.try} />}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function sentence({ user, host, started, ended, ...one }: Try, tookMs: number): string {
  const parts = [
    ...(started ? [`began ${moment(started)}`, duration(tookMs / 1000)] : []),
    endOf(one),
    ...(ended ? [`ended ${moment(ended)}`] : []),
  ];
  return `Try ${one.try} on ${user ? `${user}@` : ""}${host ?? "?"}: ${parts.join(", ")}`;
}

function endOf({ reason, exit_code, status }: Pick<Try, "reason" | "exit_code" | "status">): string {
  const code = exit_code === null || exit_code === undefined ? null : `exit code ${exit_code}`;
  if (reason === null || reason === undefined) return code ?? status;
  return code === null || exit_code === 0 || reason.includes(code) ? reason : `${reason}, ${code}`;
}

/** The files of an earlier try, each behind its button. Which are open stands in the address. */
function Files({ queue, job, number }: { queue: string; job: string; number: number }): JSX.Element {
  const opened = (place.value.words.opened ?? "").split(",").filter((word) => word !== "");
  const wordOf = (kind: Kind): string => `${kind}-${number}`;
  const toggle = (kind: Kind): void => {
    const word = wordOf(kind);
    const others = opened.filter((one) => one !== word);
    say({ opened: (others.length < opened.length ? others : [...opened, word]).join(",") });
  };
  const kinds = Object.keys(KINDS) as Kind[];
  return (
    <>
      <div class="steer">
        {kinds.map((kind) => (
          <button
            key={kind}
            type="button"
            class="quiet"
            aria-expanded={opened.includes(wordOf(kind))}
            aria-label={`${KINDS[kind]} of try ${number}`}
            onClick={() => toggle(kind)}
          >
            {KINDS[kind]}
          </button>
        ))}
      </div>
      <div class="outputs">
        {kinds.filter((kind) => opened.includes(wordOf(kind))).map((kind) => (
          <PastFile key={kind} queue={queue} job={job} number={number} kind={kind} />
        ))}
      </div>
    </>
  );
}

/** A file of an earlier try: its end, more of it on demand, all as a download. */
function PastFile(
  { queue, job, number, kind }: { queue: string; job: string; number: number; kind: Kind },
): JSX.Element {
  const [bytes, setBytes] = useState<Uint8Array | null>(null);
  const [most, setMost] = useState(FIRST_BYTES);
  const [failure, setFailure] = useState("");
  const path = ["queue", queue, "job", job, kind];
  useEffect(() => {
    const ending = new AbortController();
    readBytes(path, { try: number, max: most }, ending.signal).then(
      (read) => {
        setBytes(read);
        setFailure("");
      },
      (error) => ending.signal.aborted || setFailure((error as Error).message),
    );
    return () => ending.abort();
  }, [queue, job, number, kind, most]);
  const download = async (): Promise<void> => {
    try {
      const parts: BlobPart[] = [];
      let length = PART_BYTES;
      for (let from = 0; length === PART_BYTES; from += length) {
        const part = await readBytes(path, { try: number, from, max: PART_BYTES });
        parts.push(part as Uint8Array<ArrayBuffer>);
        length = part.length;
      }
      saveParts(parts, `${job}-${kind}-try${number}`);
    } catch (error) {
      setFailure((error as Error).message);
    }
  };
  const title = `${KINDS[kind][0]!.toUpperCase()}${KINDS[kind].slice(1)} of try ${number}`;
  const isCut = bytes !== null && bytes.length >= most;
  return (
    <section>
      <h4>
        {title} <button type="button" class="quiet" onClick={() => void download()}>download</button>
        {isCut && most < MOST_BYTES && (
          <button
            type="button"
            class="quiet"
            onClick={() => setMost(Math.min(most * MORE, MOST_BYTES))}
          >
            more
          </button>
        )}
      </h4>
      {isCut && <p class="hint">The last {bytes.length} bytes.</p>}
      {bytes?.length === 0 && <p class="hint">It is empty.</p>}
      {failure !== "" && <p class="bad" role="alert">{failure}</p>}
      {bytes !== null && bytes.length > 0 && <Written bytes={bytes} isCut={isCut} title={title} isLive={false} />}
    </section>
  );
}
