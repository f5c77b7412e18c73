/**
 * Everything of one job: its state in words, its fields, what it wrote, the jobs around it.
 *
 * @module
 */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { act, Command, Deed, isFailed, State, useRepeated } from "../parts.tsx";
import { go, placeText } from "../place.ts";
import { read, type Story, who } from "../service.ts";
import { cms, duration, moment } from "../words.ts";
import { Output } from "./output.tsx";
import { Tries } from "./tries.tsx";

/** What a person may change of a job that waits. */
const EDITABLE = [
  "command",
  "priority",
  "user",
  "host",
  "time_limit",
  "grace",
  "retries",
  "retry_delay",
  "gpus",
  "cpus",
  "memory",
  "slots",
  "workdir",
  "shell",
  "gpu",
  "pyenv",
] as const;
/** And of one that runs. */
const LIVE_EDITABLE: readonly string[] = ["priority", "time_limit", "grace", "retries", "retry_delay"];

/** The view. */
export function JobView({ queue, job: name }: { queue: string; job: string }): JSX.Element {
  const [story, setStory] = useState<Story | null>(null);
  const [failure, setFailure] = useState("");
  useRepeated(
    async (signal) => {
      try {
        setStory(await read<Story>(["queue", queue, "job", name, "show"], {}, signal));
        setFailure("");
      } catch (error) {
        if (!signal.aborted) setFailure((error as Error).message);
      }
    },
    [queue, name],
    2_000,
  );
  if (story === null) {
    return (
      <main>
        <p role="alert" class="bad">{failure}</p>
      </main>
    );
  }
  const { job } = story;
  const isOver = ["end", "kill", "crash", "fail_start"].includes(job.status);
  const runs = job.status === "run" || job.status === "start";
  const put = (verb: string, done: string): void =>
    void act({ done, command: cms("queue", verb, queue, name) }, {
      method: "PUT",
      path: ["queue", queue, verb],
      query: { name },
    });
  const output = { queue, job: name, attempt: job.attempt, isLive: runs };
  return (
    <main class="job">
      <h2>
        {name} <State state={job.status} failed={isFailed(job)} />
      </h2>
      <p>
        {story.reason}
        {story.tries > 1 ? `, try ${story.try} of ${story.tries}` : ""}
        {job.host ? ` on ${job.user ? `${job.user}@` : ""}${job.host}` : ""}
        {story.duration === null ? "" : `, ${duration(story.duration)}`}
        {job.started ? `, began ${moment(job.started)}` : ""}
        {job.ended ? `, ended ${moment(job.ended)}` : ""}
      </p>
      <p class="steer">
        {isOver && <Deed onClick={() => put("reset", `Reset ${name}`)}>Reset: run it again</Deed>}
        {runs && <Deed kind="bad" onClick={() => confirm(`Kill ${name}?`) && put("kill", `Killed ${name}`)}>Kill</Deed>}
        {!isOver && !runs && (job.hold === true
          ? <Deed onClick={() => put("release", `Released ${name}`)}>Release</Deed>
          : <Deed onClick={() => put("hold", `Held ${name}`)}>Hold</Deed>)}
      </p>
      <p>
        <Command text={job.command} /> <Command text={cms("queue", "log", queue, name)} />
      </p>
      <Around queue={queue} story={story} />
      <Tries queue={queue} story={story} />
      {["start", "end", "kill", "crash"].includes(job.status) && (
        <div class="outputs">
          <Output {...output} kind="output" file={job.output ?? `${name}.out`} />
          <Output {...output} kind="error" file={`${name}-nohup.log`} />
        </div>
      )}
      <Fields story={story} />
      {!isOver && who.value?.role !== "viewer" && <Edit queue={queue} story={story} isLive={runs} />}
    </main>
  );
}

function Around({ queue, story }: { queue: string; story: Story }): JSX.Element {
  const list = (title: string, jobs: Story["waits_for"]): JSX.Element | null =>
    jobs.length === 0 ? null : (
      <p>
        {title}: {jobs.slice(0, 50).map(({ name, status }) => (
          <span key={name}>
            <a href={placeText({ queue, view: "job", job: name, words: {} })}>{name}</a> ({status ?? "not there"}){" "}
          </span>
        ))}
        {jobs.length > 50 ? `and ${jobs.length - 50} more` : ""}
      </p>
    );
  return <>{list("Waits for", story.waits_for)}{list("Waited for by", story.needed_by)}</>;
}

function Fields({ story }: { story: Story }): JSX.Element {
  const fields = Object.entries(story.job).filter(([field, value]) => field !== "params" && value !== null);
  const params = Object.entries(story.job.params ?? {});
  return (
    <details>
      <summary>Fields</summary>
      <dl>
        {params.map(([name, value]) => (
          <div key={`param.${name}`}>
            <dt>param.{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
        {fields.map(([field, value]) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Edit({ queue, story, isLive }: { queue: string; story: Story; isLive: boolean }): JSX.Element {
  const { job } = story;
  const editable = EDITABLE.filter((field) => !isLive || LIVE_EDITABLE.includes(field));
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const fields = editable.filter((field) => String(data.get(field)) !== String(job[field] ?? ""));
    if (fields.length === 0) return;
    const body = Object.fromEntries(fields.map((field) => [field, String(data.get(field)) || null]));
    const sets = fields.map((field) => `--set=${field}=${String(data.get(field))}`);
    const about = { done: `Changed ${job.name}`, command: cms("queue", "set", queue, job.name, ...sets) };
    const request = { method: "PATCH", path: ["queue", queue, "jobs"], query: { name: job.name }, body };
    if (await act(about, request)) go({ view: "job", job: job.name }, true);
  };
  return (
    <details>
      <summary>Change</summary>
      <form class="panel" key={job.id} onSubmit={(event) => void save(event)}>
        {editable.map((field) => (
          <label key={field}>
            {field} {field === "command"
              ? <textarea name={field} rows={3} defaultValue={job.command} />
              : <input name={field} defaultValue={String(job[field] ?? "")} />}
          </label>
        ))}
        <button type="submit">Save</button>
      </form>
    </details>
  );
}
