/**
 * When jobs ran: progress as curves, and slots as lanes.
 *
 * @module
 */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { countsOver, lanesOf } from "../lanes.ts";
import { useRepeated } from "../parts.tsx";
import { go } from "../place.ts";
import { read, type Spans } from "../service.ts";
import { duration, moment } from "../words.ts";

const LANE = 14;
const MARGIN = 150;

function useSpans(queue: string): { spans: Spans | null; failure: string } {
  const [spans, setSpans] = useState<Spans | null>(null);
  const [failure, setFailure] = useState("");
  useRepeated(
    async (signal) => {
      try {
        setSpans(await read<Spans>(["queue", queue, "spans"], {}, signal));
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

/** Done, failed and running over time, from the records. */
export function Progress({ queue }: { queue: string }): JSX.Element {
  const { spans, failure } = useSpans(queue);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => () => {
    plot.current?.destroy();
    plot.current = null;
  }, [queue]);
  useEffect(() => {
    if (spans === null || box.current === null || spans.names.length === 0) return;
    const { times, done, failed, running } = countsOver(spans, Date.now() / 1000);
    const data: uPlot.AlignedData = [times, done, failed, running];
    if (plot.current !== null) return plot.current.setData(data);
    const axis = { stroke: style("--text"), grid: { stroke: style("--line") } };
    plot.current = new uPlot(
      {
        width: Math.max(280, box.current.clientWidth),
        height: 360,
        series: [
          {},
          { label: "done", stroke: style("--good"), width: 2 },
          { label: "failed", stroke: style("--bad"), width: 2 },
          { label: "running", stroke: style("--busy"), width: 2 },
        ],
        axes: [axis, axis],
        scales: { y: { range: (_, _min, max) => [0, Math.max(1, max)] } },
      },
      data,
      box.current,
    );
  }, [spans]);
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

function summary(spans: Spans): string {
  const ended = spans.end.filter((end) => end !== null).length;
  const failed = spans.failed.filter((one) => one === 1).length;
  const [first = 0] = spans.begin;
  const last = spans.end.reduce<number>((most, end) => Math.max(most, end ?? 0), first);
  const took = last - first;
  const rate = took > 0 ? `, ${Math.round(ended / took * 100) / 100} jobs/s on the whole` : "";
  return `${ended} done (${failed} failed), ${spans.names.length - ended} running, since ${
    moment(new Date(first * 1000).toISOString())
  }${rate}.`;
}

/** Who ran where and when. */
export function TimeLine({ queue }: { queue: string }): JSX.Element {
  const { spans, failure } = useSpans(queue);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [range, setRange] = useState<readonly [number, number] | null>(null);
  const [under, setUnder] = useState<number | null>(null);
  const drawn = useRef<{ at: (x: number, y: number) => number | null; range: readonly [number, number] } | null>(null);
  useEffect(() => {
    if (spans === null || canvas.current === null) return;
    const again = (): void => void (drawn.current = canvas.current && draw(canvas.current, spans, range));
    again();
    // Another width, or the colours of the night.
    const colours = matchMedia("(prefers-color-scheme: dark)");
    colours.addEventListener("change", again);
    addEventListener("resize", again);
    return () => {
      colours.removeEventListener("change", again);
      removeEventListener("resize", again);
    };
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
        <span role="status">{name === undefined || spans === null ? "" : about(spans, under!)}</span>
      </p>
      <div class="scroll lanes" role="region" aria-label="Time line" tabIndex={0}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={spans === null ? "Time line" : summary(spans)}
          onMouseMove={(event) => setUnder(drawn.current?.at(event.offsetX, event.offsetY) ?? null)}
          onClick={() => name !== undefined && go({ view: "job", job: name })}
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

function draw(
  canvas: HTMLCanvasElement,
  spans: Spans,
  wanted: readonly [number, number] | null,
): { at: (x: number, y: number) => number | null; range: readonly [number, number] } {
  const now = Date.now() / 1000;
  const lanes = lanesOf(spans, now);
  const width = Math.max(300, canvas.parentElement?.clientWidth ?? 800);
  const height = Math.max(LANE, lanes.count * LANE);
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = Math.min(height * scale, 16_000);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const paper = canvas.getContext("2d")!;
  paper.scale(scale, scale);
  paper.font = "11px sans-serif";
  const margin = Math.min(MARGIN, width / 3);
  const range = wanted ?? lanes.range;
  const perSecond = (width - margin) / Math.max(1, range[1] - range[0]);
  const [good, bad, busy, text] = ["--good", "--bad", "--busy", "--text"].map(style) as [
    string,
    string,
    string,
    string,
  ];
  paper.fillStyle = text;
  for (const [machine, lane] of lanes.titles) {
    paper.fillText(spans.machines[machine] ?? "", 2, lane * LANE + 11, margin - 4);
  }
  const xOf = (second: number): number => margin + (second - range[0]) * perSecond;
  for (let i = 0; i < spans.begin.length; i++) {
    const [from, to] = [spans.begin[i]!, spans.end[i] ?? now];
    if (to < range[0] || from > range[1]) continue;
    const x = Math.max(margin, xOf(from));
    paper.fillStyle = spans.end[i] === null ? busy : spans.failed[i] === 1 ? bad : good;
    paper.fillRect(x, lanes.lane[i]! * LANE + 1, Math.max(1, xOf(to) - x - 0.5), LANE - 3);
  }
  const at = (x: number, y: number): number | null => {
    const second = range[0] + (x - margin) / perSecond;
    const lane = Math.floor(y / LANE);
    if (x < margin) return null;
    for (const i of lanes.jobs[lane] ?? []) {
      if (spans.begin[i]! <= second && second <= (spans.end[i] ?? now) + 1 / perSecond) return i;
    }
    return null;
  };
  return { at, range };
}
