/**
 * When jobs ran: progress as curves, and slots as lanes.
 *
 * @module
 */

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { countsOver, type Lanes, lanesOf } from "../lanes.ts";
import { news } from "../live.ts";
import { useRepeated } from "../parts.tsx";
import { go } from "../place.ts";
import { read, type Spans } from "../service.ts";
import { duration, moment } from "../words.ts";

const LANE = 14;
const MARGIN = 150;
/** Height of the line with the times. */
const AXIS = 18;

function useSpans(queue: string): { spans: Spans | null; failure: string } {
  const [spans, setSpans] = useState<Spans | null>(null);
  const [failure, setFailure] = useState("");
  const seen = useRef(-1);
  useRepeated(
    async (signal) => {
      // Nothing has happened since.
      const now = news.peek();
      if (seen.current === now) return;
      try {
        setSpans(await read<Spans>(["queue", queue, "spans"], {}, signal));
        seen.current = now;
        setFailure("");
      } catch (error) {
        if (!signal.aborted) setFailure((error as Error).message);
      }
    },
    [queue],
    10_000,
  );
  return { spans, failure };
}

function style(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Calls `again` when the page gets another width, or other colours. @returns The function that ends it. */
function onOtherLook(again: () => void): () => void {
  const colours = matchMedia("(prefers-color-scheme: dark)");
  colours.addEventListener("change", again);
  addEventListener("resize", again);
  return () => {
    colours.removeEventListener("change", again);
    removeEventListener("resize", again);
  };
}

/** Done, failed and running over time, from the records. */
export function Progress({ queue }: { queue: string }): JSX.Element {
  const { spans, failure } = useSpans(queue);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [look, setLook] = useState(0);
  const forget = (): void => {
    plot.current?.destroy();
    plot.current = null;
  };
  useEffect(() => forget, [queue]);
  // Another width, or the colours of the night.
  useEffect(() =>
    onOtherLook(() => {
      forget();
      setLook((count) => count + 1);
    }), []);
  useEffect(() => {
    if (spans === null || box.current === null || spans.names.length === 0) return;
    const { times, done, failed, running, rate } = countsOver(spans, Date.now() / 1000);
    const data: uPlot.AlignedData = [times, done, failed, running, rate];
    if (plot.current !== null) return plot.current.setData(data);
    const axis = { stroke: style("--text"), grid: { stroke: style("--line") } };
    const times24 = (_: uPlot, ticks: number[]): string[] => ticks.map(momentOf);
    plot.current = new uPlot(
      {
        width: Math.max(280, box.current.clientWidth),
        height: 360,
        series: [
          { value: (_, v) => v === null ? "--" : momentOf(v) },
          { label: "done", stroke: style("--good"), width: 2 },
          { label: "failed", stroke: style("--bad"), width: 2 },
          { label: "running", stroke: style("--busy"), width: 2 },
          { label: "jobs/s", stroke: style("--wait"), width: 1, scale: "rate", value: (_, v) => round(v) },
        ],
        axes: [{ ...axis, space: 110, values: times24 }, axis, {
          ...axis,
          scale: "rate",
          side: 1,
          grid: { show: false },
        }],
        scales: { y: { range: fromZero }, rate: { range: fromZero } },
      },
      data,
      box.current,
    );
  }, [spans, look]);
  const count = spans?.names.length ?? 0;
  return (
    <main>
      <h2>Progress</h2>
      <p role="alert" class="bad">{failure}</p>
      {spans !== null && <p>{count === 0 ? "No job has been started yet." : summary(spans)}</p>}
      <div ref={box} class="plot" role="img" aria-label={spans === null ? "Progress" : summary(spans)} />
    </main>
  );
}

function momentOf(second: number): string {
  return moment(new Date(second * 1000).toISOString());
}

function fromZero(_plot: uPlot, _min: number | null, max: number | null): [number, number] {
  return [0, Math.max(1, max ?? 0)];
}

function round(value: number | null): string {
  return value === null ? "--" : String(Math.round(value * 100) / 100);
}

function summary(spans: Spans): string {
  const ended = spans.end.filter((end) => end !== null).length;
  const failed = spans.failed.filter((one) => one === 1).length;
  const [first = 0] = spans.begin;
  const last = spans.end.reduce<number>((most, end) => Math.max(most, end ?? 0), first);
  const took = last - first;
  const rate = took > 0 ? `, ${Math.round(ended / took * 100) / 100} jobs/s on the whole` : "";
  return `${ended} done (${failed} failed), ${spans.names.length - ended} running, since ${momentOf(first)}${rate}.`;
}

/** Who ran where and when. */
export function TimeLine({ queue }: { queue: string }): JSX.Element {
  const { spans, failure } = useSpans(queue);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [range, setRange] = useState<readonly [number, number] | null>(null);
  const [under, setUnder] = useState<number | null>(null);
  const drawn = useRef<Drawn | null>(null);
  const drag = useRef<{ x: number; range: readonly [number, number]; isMoved: boolean } | null>(null);
  const lanes = useMemo(() => spans === null ? null : lanesOf(spans, Date.now() / 1000), [spans]);
  useEffect(() => {
    if (spans === null || lanes === null || canvas.current === null) return;
    const again = (): void => void (drawn.current = canvas.current && draw(canvas.current, spans, lanes, range));
    again();
    return onOtherLook(again);
  }, [spans, range]);
  const zoom = (factor: number, x = 0.5): void => {
    const [from, to] = drawn.current?.range ?? [0, 1];
    const at = from + (to - from) * x;
    setRange([at - (at - from) * factor, at + (to - at) * factor]);
  };
  const move = (share: number): void => {
    const [from, to] = drawn.current?.range ?? [0, 1];
    const by = (to - from) * share;
    setRange([from + by, to + by]);
  };
  const pull = (event: PointerEvent): void => {
    const from = drag.current;
    if (from === null || drawn.current === null) return;
    if (Math.abs(event.offsetX - from.x) > 4) from.isMoved = true;
    if (!from.isMoved) return;
    const by = (from.x - event.offsetX) / drawn.current.perSecond;
    setRange([from.range[0] + by, from.range[1] + by]);
  };
  const name = under === null ? undefined : spans?.names[under];
  return (
    <main>
      <h2>Time line</h2>
      <p role="alert" class="bad">{failure}</p>
      <p class="steer">
        <button type="button" onClick={() => zoom(0.5)}>Zoom in</button>
        <button type="button" onClick={() => zoom(2)}>Zoom out</button>
        <button type="button" onClick={() => move(-0.25)}>Earlier</button>
        <button type="button" onClick={() => move(0.25)}>Later</button>
        <button type="button" onClick={() => setRange(null)}>All</button>
        <span class="legend">
          <i class="good" /> ended well <i class="bad" /> failed <i class="busy" /> runs
        </span>
        <span role="status">{name === undefined || spans === null ? "" : about(spans, under!)}</span>
      </p>
      <div class="scroll lanes" role="region" aria-label="Time line" tabIndex={0}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={spans === null ? "Time line" : summary(spans)}
          onMouseMove={(event) => setUnder(drawn.current?.at(event.offsetX, event.offsetY) ?? null)}
          onPointerDown={(event) => {
            if (drawn.current === null) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            drag.current = { x: event.offsetX, range: drawn.current.range, isMoved: false };
          }}
          onPointerMove={pull}
          onPointerUp={() => {
            const wasMoved = drag.current?.isMoved === true;
            drag.current = null;
            if (!wasMoved && name !== undefined) go({ view: "job", job: name });
          }}
          onWheel={(event) => {
            if (!event.ctrlKey) return;
            event.preventDefault();
            zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX / event.currentTarget.clientWidth);
          }}
        />
      </div>
    </main>
  );
}

function about(spans: Spans, i: number): string {
  const end = spans.end[i] ?? Date.now() / 1000;
  const state = spans.states[spans.state[i]!];
  return `${spans.names[i]}: ${state} on ${spans.machines[spans.machine[i]!]}, ${duration(end - spans.begin[i]!)}`;
}

/** What is drawn: which job is where, and of which time. */
interface Drawn {
  readonly at: (x: number, y: number) => number | null;
  readonly range: readonly [number, number];
  readonly perSecond: number;
}

function draw(
  canvas: HTMLCanvasElement,
  spans: Spans,
  lanes: Lanes,
  wanted: readonly [number, number] | null,
): Drawn {
  const now = Date.now() / 1000;
  const width = Math.max(300, canvas.parentElement?.clientWidth ?? 800);
  const height = AXIS + Math.max(LANE, lanes.count * LANE);
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = Math.min(height * scale, 16_000);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const paper = canvas.getContext("2d")!;
  paper.scale(scale, scale);
  paper.font = "11px sans-serif";
  const margin = Math.min(MARGIN, width / 3);
  // What ends last is seen, too.
  const range = wanted ?? [lanes.range[0], lanes.range[1] + (lanes.range[1] - lanes.range[0]) * 0.01];
  const perSecond = (width - margin) / Math.max(0.001, range[1] - range[0]);
  const colours = ["--good", "--bad", "--busy", "--text", "--line"].map(style);
  const [good = "", bad = "", busy = "", text = "", line = ""] = colours;
  for (const [machine, lane] of lanes.titles) {
    const y = AXIS + lane * LANE;
    paper.fillStyle = line;
    paper.fillRect(0, y - 1, width, 1);
    paper.fillStyle = text;
    paper.fillText(spans.machines[machine] ?? "", 2, y + 11, margin - 4);
  }
  for (let x = margin; x < width - 60; x += 120) {
    paper.fillStyle = line;
    paper.fillRect(x, 0, 1, height);
    paper.fillStyle = text;
    paper.fillText(momentOf(range[0] + (x - margin) / perSecond), x + 3, 11);
  }
  // What falls on a pixel that has this colour already need not be drawn.
  const full = new Int32Array(lanes.count * 3).fill(-1);
  const xOf = (second: number): number => margin + (second - range[0]) * perSecond;
  for (let i = 0; i < spans.begin.length; i++) {
    const [from, to] = [spans.begin[i]!, spans.end[i] ?? now];
    if (to < range[0] || from > range[1]) continue;
    const x = Math.max(margin, xOf(from));
    const wide = Math.max(1, xOf(to) - x - 0.5);
    const kind = spans.end[i] === null ? 2 : spans.failed[i] === 1 ? 1 : 0;
    const place = lanes.lane[i]! * 3 + kind;
    if (wide <= 1 && full[place] === Math.round(x)) continue;
    full[place] = Math.round(x);
    paper.fillStyle = kind === 2 ? busy : kind === 1 ? bad : good;
    paper.fillRect(x, AXIS + lanes.lane[i]! * LANE + 1, wide, LANE - 3);
  }
  const at = (x: number, y: number): number | null => {
    const second = range[0] + (x - margin) / perSecond;
    const lane = Math.floor((y - AXIS) / LANE);
    if (x < margin) return null;
    for (const i of lanes.jobs[lane] ?? []) {
      if (spans.begin[i]! <= second && second <= (spans.end[i] ?? now) + 1 / perSecond) return i;
    }
    return null;
  };
  return { at, range, perSecond };
}
