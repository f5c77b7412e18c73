/**
 * The jobs of a queue as a table: only the rows that are seen come from the service.
 *
 * @module
 */

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { isShown, news, status } from "../live.ts";
import { act, Deed, deeds, isFailed, State, useRepeated } from "../parts.tsx";
import { place, placeText, say } from "../place.ts";
import { type JobsWindow, read, type Row, who } from "../service.ts";
import { batches, cms, conditions, duration, moment } from "../words.ts";

const ROWS = 100;
const STATES = ["undefined", "ready", "run", "start", "end", "kill", "crash", "fail_start"];
const COLUMNS: Readonly<Record<string, { title: string; cell: (row: Row) => JSX.Element | string }>> = {
  status: { title: "State", cell: ({ job }) => <State state={job.status} failed={isFailed(job)} /> },
  reason: { title: "Reason", cell: ({ reason }) => reason },
  host: { title: "Host", cell: ({ job }) => job.host ?? "" },
  duration: { title: "Duration", cell: ({ duration: seconds }) => duration(seconds) },
  exit_code: { title: "Code", cell: ({ job }) => job.exit_code === null ? "" : String(job.exit_code) },
  started: { title: "Started", cell: ({ job }) => moment(job.started) },
  ended: { title: "Ended", cell: ({ job }) => moment(job.ended) },
  attempt: { title: "Tries", cell: ({ job }) => String(job.attempt) },
  priority: { title: "Priority", cell: ({ job }) => String(job.priority ?? "") },
  command: { title: "Command", cell: ({ job }) => <code>{job.command.slice(0, 200)}</code> },
};
const SHOWN = "status,reason,host,duration,exit_code,started,command";

/** Names with a check mark: they stand in the address, too. */
function checkedIn(words: Readonly<Record<string, string>>): ReadonlySet<string> {
  return new Set((words.checked ?? "").split(",").filter((name) => name !== ""));
}

function check(names: Iterable<string>): void {
  say({ checked: [...names].join(",") });
}

/** The choice of the address as the service takes it, and as the commands do. */
function choice(
  words: Readonly<Record<string, string>>,
): { query: Record<string, string | readonly string[]>; options: string[] } {
  const { status: states = "", failed = "" } = words;
  const where = conditions(words.where ?? "");
  const query = {
    ...(states === "" ? {} : { status: states }),
    ...(failed === "" ? {} : { failed: "true" }),
    ...(where.length === 0 ? {} : { where }),
  };
  const options = [
    ...(states === "" ? [] : [`--status=${states}`]),
    ...(failed === "" ? [] : ["--failed"]),
    ...where.map((one) => `--where=${one}`),
  ];
  return { query, options };
}

/** The view. */
export function Jobs({ queue }: { queue: string }): JSX.Element {
  const { words } = place.value;
  const [found, setFound] = useState<JobsWindow | null>(null);
  const [failure, setFailure] = useState("");
  /** What stood when the rows were asked for that are shown. */
  const seen = useRef("");
  const offset = Math.max(0, Math.floor(Number(words.offset ?? 0) || 0));
  const { checked: _, ...asked } = words;
  const key = JSON.stringify([queue, asked]);
  useRepeated(
    async (signal) => {
      const now = JSON.stringify([key, news.peek(), deeds.peek()]);
      if (seen.current === now) return;
      const { search, sort } = words;
      try {
        const query = { ...choice(words).query, search, sort, offset, limit: ROWS, soon: !isShown.peek() };
        const window = await read<JobsWindow>(["queue", queue, "jobs"], query, signal);
        setFound(window);
        seen.current = now;
        isShown.value = true;
        setFailure("");
      } catch (error) {
        isShown.value = true;
        if (!signal.aborted) setFailure((error as Error).message);
      }
    },
    [key],
    1_000,
  );
  return (
    <main>
      <Choice found={found} words={words} />
      <p role="alert" class="bad">{failure}</p>
      {found !== null && <Bulk queue={queue} found={found} words={words} />}
      {found !== null && <Table queue={queue} found={found} words={words} offset={offset} />}
    </main>
  );
}

function Choice({ found, words }: { found: JobsWindow | null; words: Readonly<Record<string, string>> }): JSX.Element {
  const chosen = new Set((words.status ?? "").split(",").filter((state) => state !== ""));
  const counts = (status.value?.counts ?? found?.counts ?? {}) as Record<string, number>;
  const failed = status.value?.failed ?? found?.failed ?? 0;
  const toggle = (state: string): void => {
    const next = new Set(chosen);
    if (!next.delete(state)) next.add(state);
    say({ status: [...next].join(","), failed: "", offset: "" });
  };
  return (
    <div class="choice">
      <div class="chips" role="group" aria-label="States">
        <button
          type="button"
          class="chip failed"
          aria-pressed={words.failed === "true"}
          onClick={() => say({ failed: words.failed === "true" ? "" : "true", status: "", offset: "" })}
        >
          failed {failed}
        </button>
        {STATES.filter((state) => (counts[state] ?? 0) > 0 || chosen.has(state)).map((state) => (
          <button
            key={state}
            type="button"
            class={`chip ${state}`}
            aria-pressed={chosen.has(state)}
            onClick={() => toggle(state)}
          >
            {state} {counts[state] ?? 0}
          </button>
        ))}
      </div>
      <label>
        Search{" "}
        <input
          id="search"
          type="search"
          value={words.search ?? ""}
          placeholder="name or command"
          onInput={(event) => say({ search: event.currentTarget.value, offset: "" })}
        />
      </label>
      <label>
        Where{" "}
        <input
          value={words.where ?? ""}
          placeholder="param.lr<0.1 and host=red"
          onChange={(event) => say({ where: event.currentTarget.value, offset: "" })}
        />
      </label>
      <details>
        <summary>Columns</summary>
        <Columns found={found} words={words} />
      </details>
    </div>
  );
}

function columnsOf(words: Readonly<Record<string, string>>): string[] {
  return (words.columns ?? SHOWN).split(",").filter((column) => column in COLUMNS || column.startsWith("param."));
}

function Columns({ found, words }: { found: JobsWindow | null; words: Readonly<Record<string, string>> }): JSX.Element {
  const shown = columnsOf(words);
  const params = new Set((found?.rows ?? []).flatMap(({ job }) => Object.keys(job.params ?? {})));
  const all = [...Object.keys(COLUMNS), ...[...params].map((name) => `param.${name}`)];
  return (
    <div class="columns">
      {all.map((column) => (
        <label key={column}>
          <input
            type="checkbox"
            checked={shown.includes(column)}
            onChange={(event) => {
              const next = event.currentTarget.checked ? [...shown, column] : shown.filter((one) => one !== column);
              say({ columns: next.join(",") });
            }}
          />
          {COLUMNS[column]?.title ?? column}
        </label>
      ))}
    </div>
  );
}

function Bulk(
  { queue, found, words }: { queue: string; found: JobsWindow; words: Readonly<Record<string, string>> },
): JSX.Element | null {
  if (who.value?.role === "viewer") return null;
  const names = [...checkedIn(words)];
  const isAll = names.length === 0;
  const { query, options } = choice(words);
  const isNarrow = Object.keys(query).length > 0 && !words.search;
  if (isAll && !isNarrow) return <p class="bulk hint">Check jobs, or choose states, to change several at once.</p>;
  const count = isAll ? found.total ?? 0 : names.length;
  const chosen = isAll ? [query] : batches(names).map((some) => ({ name: some.join(",") }));
  const of = isAll ? options : [names.join(",")];
  const what = count === 1 ? "1 job" : `${count} jobs`;
  const put = async (verb: string, done: string, isGrave = false): Promise<void> => {
    if (isGrave && !confirm(`${verb} ${what}?`)) return;
    const command = cms("queue", verb, queue, ...of);
    const requests = chosen.map((query) =>
      verb === "delete"
        ? { method: "DELETE", path: ["queue", queue, "jobs"], query }
        : { method: "PUT", path: ["queue", queue, verb], query }
    );
    if (await act({ done: `${done} ${what}`, command }, ...requests)) check([]);
  };
  const setPriority = async (): Promise<void> => {
    const value = prompt("Priority (a whole number; higher goes first)", "10");
    if (value === null) return;
    const command = cms("queue", "set", queue, ...of, "--key=priority", `--value=${value}`);
    const requests = chosen.map((query) => (
      { method: "PATCH", path: ["queue", queue, "jobs"], query, body: { priority: value } }
    ));
    if (await act({ done: `Set the priority of ${what}`, command }, ...requests)) check([]);
  };
  return (
    <div class="bulk" role="group" aria-label="Change the chosen jobs">
      <span>{what} chosen</span>
      <Deed onClick={() => void put("reset", "Reset", count > 20)}>Reset</Deed>
      <Deed onClick={() => void put("kill", "Killed", true)} kind="bad">Kill</Deed>
      <Deed onClick={() => void put("hold", "Held")}>Hold</Deed>
      <Deed onClick={() => void put("release", "Released")}>Release</Deed>
      <Deed onClick={() => void setPriority()}>Priority…</Deed>
      <Deed onClick={() => void put("delete", "Deleted", true)} kind="bad">Delete</Deed>
      {!isAll && <button type="button" class="quiet" onClick={() => check([])}>none</button>}
    </div>
  );
}

function Table(
  { queue, found, words, offset }: {
    queue: string;
    found: JobsWindow;
    words: Readonly<Record<string, string>>;
    offset: number;
  },
): JSX.Element {
  const columns = columnsOf(words);
  const { total } = found;
  const sort = words.sort ?? "";
  const checked = checkedIn(words);
  const mark = (names: readonly string[], isOn: boolean): void => {
    const next = new Set(checked);
    for (const name of names) {
      if (isOn) next.add(name);
      else next.delete(name);
    }
    check(next);
  };
  const shown = found.rows.map(({ job }) => job.name);
  const all = shown.length > 0 && shown.every((name) => checked.has(name));
  return (
    <>
      <div class="scroll" role="region" aria-label="Jobs" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>
                <input
                  type="checkbox"
                  aria-label="All rows that are shown"
                  checked={all}
                  onChange={(event) => mark(shown, event.currentTarget.checked)}
                />
              </th>
              {["name", ...columns].map((column) => <Head key={column} column={column} sort={sort} />)}
            </tr>
          </thead>
          <tbody>
            {found.rows.map((row) => (
              <tr key={row.job.name}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={row.job.name}
                    checked={checked.has(row.job.name)}
                    onChange={(event) => mark([row.job.name], event.currentTarget.checked)}
                  />
                </td>
                <th scope="row">
                  <a href={placeText({ queue, view: "job", job: row.job.name, words: {} })}>{row.job.name}</a>
                </th>
                {columns.map((column) => <td key={column}>{cellOf(row, column)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="pages">
        {found.rows.length === 0 ? "No jobs" : `${offset + 1} to ${offset + found.rows.length}`}
        {total === null || total === 0 ? "" : ` of ${total}`}{" "}
        <button
          type="button"
          disabled={offset === 0}
          onClick={() => say({ offset: String(Math.max(0, offset - ROWS)) })}
        >
          Before
        </button>{" "}
        <button
          type="button"
          disabled={total !== null && offset + ROWS >= total}
          onClick={() => say({ offset: String(offset + ROWS) })}
        >
          Next
        </button>
      </p>
    </>
  );
}

function cellOf(row: Row, column: string): JSX.Element | string {
  const known = COLUMNS[column];
  if (known !== undefined) return known.cell(row);
  const name = column.slice("param.".length);
  return String(Object.entries(row.job.params ?? {}).find(([one]) => one === name)?.[1] ?? "");
}

function Head({ column, sort }: { column: string; sort: string }): JSX.Element {
  const title = column === "name" ? "Name" : COLUMNS[column]?.title ?? column;
  const isUp = sort === column;
  const isDown = sort === `-${column}`;
  return (
    <th aria-sort={isUp ? "ascending" : isDown ? "descending" : "none"}>
      <button
        type="button"
        class="quiet"
        onClick={() => say({ sort: isUp ? `-${column}` : isDown ? "" : column, offset: "" })}
      >
        {title}
        {isUp ? " ▲" : isDown ? " ▼" : ""}
      </button>
    </th>
  );
}
