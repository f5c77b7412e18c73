/**
 * Jobs are added: one, or all of a sweep, which the service shows before.
 *
 * @module
 */

import { Fragment, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { act, Command } from "../parts.tsx";
import { go } from "../place.ts";
import { address, type paths, send } from "../service.ts";
import { cms } from "../words.ts";

/** How long nothing is typed before the service is asked. */
const PAUSE_MS = 300;
const SHOWN = 20;

/** Fields that jobs may have, as the service and the command name them. The first are always seen. */
const OPTIONS = [
  ["time_limit", "Time limit", "30m"],
  ["retries", "Retries", "0"],
  ["after", "After these jobs ended well", "prep[1-3]"],
  ["priority", "Priority (higher goes first)", "0"],
  ["user", "User (fifo)", "pi"],
  ["host", "Host (fifo)", "red"],
  ["gpus", "GPUs", "1"],
  ["cpus", "CPUs", "4"],
  ["memory", "Memory", "8G"],
  ["workdir", "Directory on the host", "~/project"],
] as const;
const SEEN = 2;

type Would = NonNullable<
  paths["/queue/{queue}/jobs"]["post"]["responses"][200]["content"]["application/json"]["would_add"]
>;

/** The view. */
export function Add({ queue }: { queue: string }): JSX.Element {
  const [name, setName] = useState("job-{n}");
  const [command, setCommand] = useState("");
  const [params, setParams] = useState("n=1-12");
  const [more, setMore] = useState<Readonly<Record<string, string>>>({});
  const [would, setWould] = useState<Would>([]);
  const [problem, setProblem] = useState("");
  const lines = params.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const given = Object.entries(more).filter(([, value]) => value !== "");
  const words = cms(
    "queue",
    "add",
    queue,
    `--name=${name}`,
    ...lines.flatMap((line) => ["--param", line]),
    `--command=${command}`,
    ...given.map(([field, value]) => `--${field.replaceAll("_", "-")}=${value}`),
  );
  const body = JSON.stringify({
    jobs: [{
      name,
      command,
      ...(lines.length === 0 ? {} : { sweep: { params: Object.fromEntries(lines.map(pairOf)) } }),
      ...Object.fromEntries(given),
    }],
  });
  const path = ["queue", queue, "jobs"];
  useEffect(() => {
    const ending = new AbortController();
    const timer = setTimeout(() => {
      if (command === "") return;
      const init = { method: "POST", body, headers: { "Content-Type": "application/json" }, signal: ending.signal };
      send(address(path, { dry_run: true }), init).then((reply) => reply.json()).then(
        ({ would_add }: { would_add: Would }) => {
          setWould(would_add);
          setProblem("");
        },
      ).catch((error: Error) => {
        if (ending.signal.aborted) return;
        setWould([]);
        setProblem(error.message);
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [body, queue]);
  const add = async (): Promise<void> => {
    const about = { done: `Added ${would.length} jobs`, command: words };
    if (await act(about, { method: "POST", path, body: JSON.parse(body) })) go({ view: "jobs" });
  };
  const field = (title: string, value: string, set: (value: string) => void, hint = "") => (
    <label>
      {title} <input value={value} placeholder={hint} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
  const option = ([name, title, hint]: typeof OPTIONS[number]) => (
    <Fragment key={name}>
      {field(title, more[name] ?? "", (value) => setMore({ ...more, [name]: value }), hint)}
    </Fragment>
  );
  const area = (title: string, value: string, set: (value: string) => void, hint: string) => (
    <label>
      {title} <textarea rows={3} value={value} placeholder={hint} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
  return (
    <main>
      <h2>Add jobs to {queue}</h2>
      <form
        class="panel wide"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        {field("Name", name, setName)}
        {area("Command", command, setCommand, "python train.py --seed {n}")}
        {area("Parameters, one in each line", params, setParams, "lr=0.1,0.01\nseed=1-5")}
        {OPTIONS.slice(0, SEEN).map(option)}
        <details>
          <summary>More</summary>
          <div>{OPTIONS.slice(SEEN).map(option)}</div>
        </details>
        <button type="submit" disabled={would.length === 0}>
          Add {would.length} {would.length === 1 ? "job" : "jobs"}
        </button>
        <p role="alert" class="bad">{problem}</p>
      </form>
      <Command text={words} />
      <h3>What would be added</h3>
      <ol>
        {would.slice(0, SHOWN).map((job) => (
          <li key={job.name}>
            {job.name}: <code>{job.command}</code>
          </li>
        ))}
      </ol>
      {would.length > SHOWN && <p>and {would.length - SHOWN} more</p>}
    </main>
  );
}

function pairOf(line: string): [name: string, values: string] {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
