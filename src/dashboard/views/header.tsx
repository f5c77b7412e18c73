/**
 * What stands above each view: which queue, how it goes on, and what can be done with it as a whole.
 *
 * @module
 */

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { broken, type Experiment, experiments, findQueues, heardMs, status } from "../live.ts";
import { act, Deed, Said } from "../parts.tsx";
import { go, place, placeText, VIEWS } from "../place.ts";
import { logOut, read, who } from "../service.ts";
import { cms, duration, moment } from "../words.ts";

const TITLES: Readonly<Record<typeof VIEWS[number], string>> = {
  jobs: "Jobs",
  hosts: "Hosts",
  progress: "Progress",
  timeline: "Time line",
  add: "Add jobs",
  runs: "Runs",
};

/** The form of a run is open. */
const isAsking = signal(false);

/** The header. */
export function Header(): JSX.Element {
  const { queue, view } = place.value;
  return (
    <header>
      <div class="line">
        <label class="queue">
          <span class="hidden">Queue</span>
          <QueueMenu />
        </label>
        <NewQueue />
        {queue !== null && <Steer queue={queue} />}
        <span class="who">
          {who.value?.user}
          {who.value?.role === "viewer" ? " (may look)" : ""}{" "}
          <button type="button" class="quiet" onClick={() => void logOut()}>log out</button>
        </span>
      </div>
      {queue !== null && isAsking.value && status.value?.run === null && (
        <RunForm
          key={queue}
          queue={queue}
          onDone={() => isAsking.value = false}
        />
      )}
      {queue !== null && <Counts />}
      {queue !== null && (
        <nav aria-label="Views">
          {VIEWS.filter((one) => one !== "add" || who.value?.role !== "viewer").map((one) => (
            <a
              key={one}
              href={placeText({ queue, view: one, job: null, words: {} })}
              aria-current={one === view ? "page" : undefined}
            >
              {TITLES[one]}
            </a>
          ))}
        </nav>
      )}
      <Said />
    </header>
  );
}

function QueueMenu(): JSX.Element {
  const { experiment, queue } = place.value;
  const known = experiments.value ?? [];
  const isKnown = known.some((one) => one.experiment === experiment && (queue === null || one.queues.includes(queue)));
  const all: readonly Experiment[] = isKnown || queue === null ? known : [...known, { experiment, queues: [queue] }];
  const keyOf = (of: string, name: string): string => JSON.stringify([of, name]);
  const choose = (key: string): void => {
    const [of, name] = JSON.parse(key) as [string, string];
    go({ experiment: of, queue: name, view: "jobs" });
  };
  return (
    <select
      value={queue === null ? "" : keyOf(experiment, queue)}
      onFocus={() => void findQueues().catch(() => {})}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      {all.map(({ experiment: of, queues }) => (
        <optgroup key={of} label={of}>
          {queues.map((name) => <option key={name} value={keyOf(of, name)}>{name}</option>)}
        </optgroup>
      ))}
    </select>
  );
}

function NewQueue(): JSX.Element | null {
  const [name, setName] = useState<string | null>(null);
  if (who.value?.role === "viewer") return null;
  if (name === null) return <button type="button" class="quiet" onClick={() => setName("")}>new queue</button>;
  const make = async (): Promise<void> => {
    const about = { done: `Made the queue ${name}`, command: cms("queue", "create", name) };
    if (!await act(about, { method: "POST", path: ["queue", ""], query: { name } })) return;
    await findQueues();
    setName(null);
    go({ queue: name, view: "add" });
  };
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <label>
        <span class="hidden">Name of the new queue</span>
        <input value={name} onInput={(event) => setName(event.currentTarget.value)} placeholder="name" required />
      </label>
      <button type="submit">Make</button>
      <button type="button" class="quiet" onClick={() => setName(null)}>cancel</button>
    </form>
  );
}

function Counts(): JSX.Element {
  const now = status.value;
  if (now === null) return <p class="counts" role="status">{broken.value ?? "…"}</p>;
  const { run = 0, start = 0, undefined: fresh = 0, ready = 0 } = now.counts as Record<string, number>;
  const running = run + start;
  const waiting = fresh + ready;
  const done = now.total - running - waiting;
  const machines = Object.values(now.run?.machines ?? {});
  const up = machines.filter((one) => one === "up").length;
  const share = now.total === 0 ? 0 : done / now.total;
  return (
    <div class="counts">
      <progress value={share} aria-label={`${done} of ${now.total} jobs are done`} />
      <b>{now.run === null ? "no run" : now.pause === null ? "runs" : "paused"}</b>
      {now.pause !== null && <span>paused{now.pause.reason === null ? "" : `: ${now.pause.reason}`}</span>}
      <span>{done} done</span>
      <span class={now.failed > 0 ? "bad" : ""}>{now.failed} failed</span>
      <span>{running} running</span>
      <span>{waiting} waiting</span>
      <span>of {now.total}</span>
      {now.rate !== null && now.rate > 0 && <span>{Math.round(now.rate * 10) / 10} jobs/s</span>}
      {now.left !== null && <span>{ends(now.left)}</span>}
      {now.run !== null && <span>{up} of {machines.length} hosts up</span>}
      {broken.value !== null && (
        <span class="bad" role="alert">
          What is shown is of {moment(new Date(heardMs.value).toISOString())}: {broken.value}
        </span>
      )}
    </div>
  );
}

function ends([from = 0, to = 0]: readonly number[]): string {
  const at = (seconds: number): string => moment(new Date(Date.now() + seconds * 1000).toISOString());
  if (to < 1) return "ends soon";
  const [a, b] = [duration(from), duration(to)];
  return a === b ? `ends at ${at(from)} (in ${a})` : `ends at ${at(from)} to ${at(to)} (in ${a} to ${b})`;
}

function Steer({ queue }: { queue: string }): JSX.Element | null {
  const now = status.value;
  if (now === null) return null;
  const put = (
    verb: string,
    done: string,
    query: Record<string, string | boolean> = {},
    command = cms("queue", verb, queue),
  ) => void act({ done, command }, { method: "PUT", path: ["queue", queue, verb], query });
  return (
    <span class="steer">
      {now.run === null && <Deed onClick={() => isAsking.value = !isAsking.value}>Run…</Deed>}
      {now.run !== null && <Deed onClick={() => put("stop", "The run stops; what runs goes on")}>Stop</Deed>}
      {now.run !== null && (
        <Deed
          kind="bad"
          onClick={() => {
            if (!confirm("End the run and all its jobs?")) return;
            put("stop", "The run and its jobs end", { kill: true }, cms("queue", "stop", queue, "--kill"));
          }}
        >
          Stop and kill
        </Deed>
      )}
      {now.pause === null
        ? <Deed onClick={() => put("pause", "Paused: nothing starts until it is resumed")}>Pause</Deed>
        : <Deed onClick={() => put("resume", "Resumed")}>Resume</Deed>}
    </span>
  );
}

/** Options of a run, as the service and the command have them. */
const RUN_OPTIONS = [
  { name: "time_limit", flag: "time-limit", title: "Time limit", hint: "30m" },
  { name: "timeout", flag: "timeout", title: "How long a host may be silent", hint: "10m" },
  { name: "halt", flag: "halt", title: "Halt", hint: "soon,fail=3" },
  { name: "collect", flag: "collect", title: "Collect what jobs write", hint: "output" },
  { name: "on_fail", flag: "on-fail", title: "Command for each job that failed", hint: "logger $CMS_JOB" },
  { name: "on_end", flag: "on-end", title: "Command for each job that is over", hint: "logger $CMS_JOB" },
  { name: "on_done", flag: "on-done", title: "Command for the end of the run", hint: "logger done" },
  { name: "webhook", flag: "webhook", title: "Address that hears of all this", hint: "https://example.org/hook" },
] as const;

function RunForm({ queue, onDone }: { queue: string; onDone: () => void }): JSX.Element {
  const [clusters, setClusters] = useState<readonly string[] | null>(null);
  if (clusters === null) {
    read<{ clusters: string[] }>(["cluster", ""]).then(
      ({ clusters: files }) => setClusters(files.map((file) => file.replace(/-cluster\.yaml$/, ""))),
      () => setClusters([]),
    );
  }
  const run = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const word = (name: string): string => String(data.get(name) ?? "");
    const scheduler = word("scheduler");
    const isMulti = scheduler === "fifo_multi";
    const isIdle = isMulti && data.has("gpu_idle");
    const options = RUN_OPTIONS.filter(({ name }) => word(name) !== "");
    const pushed = word("push").split("\n").map((path) => path.trim()).filter((path) => path !== "");
    const query = {
      ...(isMulti ? { cluster: word("cluster") } : { max_parallel: word("most") }),
      ...(isIdle ? { gpu_idle: "true" } : {}),
      ...(pushed.length > 0 ? { push: pushed } : {}),
      ...Object.fromEntries(options.map(({ name }) => [name, word(name)])),
    };
    const command = cms(
      "queue",
      "run",
      scheduler,
      queue,
      isMulti ? `--hostfile=${word("cluster")}` : `--max_parallel=${word("most")}`,
      isIdle && "--gpu-idle",
      ...pushed.map((path) => `--push=${path}`),
      ...options.map(({ name, flag }) => `--${flag}=${word(name)}`),
    );
    const path = ["queue", queue, `run_${scheduler}`];
    if (await act({ done: "The run has begun", command }, { method: "PUT", path, query })) onDone();
  };
  return (
    <form class="panel" aria-label="Run" onSubmit={(event) => void run(event)}>
      <label>
        Scheduler{" "}
        <select name="scheduler">
          <option>fifo_multi</option>
          <option>fifo</option>
        </select>
      </label>
      <label>
        Cluster (fifo_multi){" "}
        <select name="cluster">{(clusters ?? []).map((name) => <option key={name}>{name}</option>)}</select>
      </label>
      <label>
        Jobs at once (fifo) <input name="most" type="number" min="1" value="1" />
      </label>
      <label>
        Time limit <input name="time_limit" placeholder="30m" />
      </label>
      <details>
        <summary>More</summary>
        <div>
          {RUN_OPTIONS.filter(({ name }) => name !== "time_limit").map(({ name, title, hint }) => (
            <label key={name}>
              {title} <input name={name} placeholder={hint} />
            </label>
          ))}
          <label>
            Files that each machine gets, a path in each line <textarea name="push" rows={2} placeholder="data" />
          </label>
          <label class="check">
            <input name="gpu_idle" type="checkbox" /> Leave GPUs alone that others use (fifo_multi)
          </label>
        </div>
      </details>
      <div class="steer">
        <button type="submit" disabled={clusters === null}>Run</button>
        <button type="button" class="quiet" onClick={onDone}>cancel</button>
      </div>
    </form>
  );
}
