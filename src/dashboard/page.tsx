/**
 * The dashboard: a page to watch and steer queues.
 *
 * @module
 */

import { effect, signal } from "@preact/signals";
import { type JSX, render } from "preact";
import { experiments, findQueues, isShown } from "./live.ts";
import { said } from "./parts.tsx";
import { go, place, say } from "./place.ts";
import { findWho, who } from "./service.ts";
import { Add } from "./views/add.tsx";
import { Header } from "./views/header.tsx";
import { Hosts } from "./views/hosts.tsx";
import { JobView } from "./views/job.tsx";
import { Jobs } from "./views/jobs.tsx";
import { Login } from "./views/login.tsx";
import { RunsView } from "./views/runs.tsx";
import { Progress, TimeLine } from "./views/spans.tsx";

const isHelpShown = signal(false);

function Page(): JSX.Element {
  if (who.value === undefined) {
    return (
      <main>
        <p role="status">…</p>
      </main>
    );
  }
  if (who.value === null) return <Login />;
  return (
    <>
      <Header />
      {isHelpShown.value && <Help />}
      <ViewOf />
    </>
  );
}

function ViewOf(): JSX.Element {
  const { experiment: of, queue, view, job } = place.value;
  if (queue === null) {
    return (
      <main>
        <p>There is no queue yet. Make one, or say: cms queue create a</p>
      </main>
    );
  }
  switch (view) {
    case "job":
      return <JobView key={`${of} ${queue} ${job}`} queue={queue} job={job ?? ""} />;
    case "hosts":
      return <Hosts key={of} queue={queue} />;
    case "progress":
      return <Progress key={`${of} ${queue}`} queue={queue} />;
    case "timeline":
      return <TimeLine key={`${of} ${queue}`} queue={queue} />;
    case "add":
      return <Add key={`${of} ${queue}`} queue={queue} />;
    case "runs":
      return <RunsView key={`${of} ${queue}`} queue={queue} />;
    case "jobs":
      return <Jobs key={`${of} ${queue}`} queue={queue} />;
  }
}

function Help(): JSX.Element {
  return (
    <aside class="panel" aria-label="Keys">
      <dl>
        <div>
          <dt>/</dt>
          <dd>search</dd>
        </div>
        <div>
          <dt>f</dt>
          <dd>only those that failed</dd>
        </div>
        <div>
          <dt>↑ ↓</dt>
          <dd>from job to job</dd>
        </div>
        <div>
          <dt>Enter</dt>
          <dd>opens the job</dd>
        </div>
        <div>
          <dt>?</dt>
          <dd>these lines</dd>
        </div>
      </dl>
    </aside>
  );
}

// What was done in one view says nothing in the next.
addEventListener("hashchange", () => said.value = null);
addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
  if (event.key === "?") isHelpShown.value = !isHelpShown.value;
  else if (event.key === "/" && place.value.view === "jobs") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (event.key === "f" && place.value.view === "jobs") {
    say({ failed: place.value.words.failed === "true" ? "" : "true", status: "", offset: "" });
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const links = [...document.querySelectorAll<HTMLElement>("tbody th a")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = links[at < 0 ? 0 : at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  }
});

effect(() => {
  if (!who.value) return;
  void findQueues().catch(() => {});
});
effect(() => {
  if (place.value.queue !== null) return;
  const { experiment } = place.value;
  const all = experiments.value ?? [];
  const of = all.find((one) => one.experiment === experiment) ?? all[0];
  const [first] = of?.queues ?? [];
  if (of !== undefined && first !== undefined) go({ experiment: of.experiment, queue: first, view: "jobs" }, true);
});
effect(() => {
  if (!who.value) isShown.value = false;
  else if (place.value.view !== "jobs") isShown.value = true;
});

void findWho();
render(<Page />, document.getElementById("page")!);
