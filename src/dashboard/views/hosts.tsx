/**
 * The machines: their slots, what runs in them, and whether they answer.
 *
 * @module
 */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { status } from "../live.ts";
import { act, Command, Deed, useRepeated } from "../parts.tsx";
import { placeText } from "../place.ts";
import { type HostStatus, read, type Reply } from "../service.ts";
import { cms, duration, moment } from "../words.ts";

/** Slots of one host that are drawn. */
const MOST_SLOTS = 256;

/** How a host stands, where its other lines say it. */
const SAID = /^(?:free|full|inactive|runs)/;

type HostCheck = Reply<"/cluster/{cluster}/check">["hosts"][number];

type Clusters = readonly { readonly name: string; readonly hosts: readonly HostStatus[] }[];

/** The view. */
export function Hosts({ queue }: { queue: string }): JSX.Element {
  const [clusters, setClusters] = useState<Clusters | null>(null);
  const [failure, setFailure] = useState("");
  useRepeated(
    async (signal) => {
      try {
        const { clusters: files } = await read<{ clusters: string[] }>(["cluster", ""], {}, signal);
        const names = files.map((file) => file.replace(/-cluster\.yaml$/, ""));
        setClusters(
          await Promise.all(names.map(async (name) => ({
            name,
            hosts: (await read<{ hosts: HostStatus[] }>(["cluster", name, "status"], {}, signal)).hosts,
          }))),
        );
        setFailure("");
      } catch (error) {
        if (!signal.aborted) setFailure((error as Error).message);
      }
    },
    [queue],
    2_000,
  );
  const known = new Set(
    (clusters ?? []).flatMap(({ hosts }) => hosts.flatMap(({ machine, nodes }) => [machine, ...nodes.map(nameOf)])),
  );
  const machines = Object.entries(status.value?.run?.machines ?? {}).filter(([machine]) => !known.has(machine));
  return (
    <main>
      <p role="alert" class="bad">{failure}</p>
      {clusters?.length === 0 && <p>There is no cluster; the hosts of the run are these.</p>}
      {(clusters ?? []).map(({ name, hosts }) => (
        <section key={name}>
          <h2>{name}</h2>
          <ul class="hosts">
            {hosts.map((host) => <HostCard key={host.id} {...{ queue, cluster: name, host }} />)}
          </ul>
        </section>
      ))}
      {machines.length > 0 && (
        <section>
          <h2>Machines of the run</h2>
          <ul class="machines">
            {machines.map(([machine, link]) => (
              <li key={machine} class={link === "up" ? "" : "bad"}>
                {machine}: {link === "up" ? "answers" : "silent"}
              </li>
            ))}
          </ul>
        </section>
      )}
    </main>
  );
}

function nameOf({ machine }: { machine: string }): string {
  return machine;
}

function HostCard(
  { queue, cluster, host }: { queue: string; cluster: string; host: HostStatus },
): JSX.Element {
  const { stand } = host;
  const isActive = host.status === "active";
  const put = (verb: string, done: string | ((reply: unknown) => string), query = {}): void => {
    const command = cms("cluster", verb, cluster, `--id=${host.id}`);
    void act({ done, command }, { method: "PUT", path: ["cluster", cluster, "id", host.id, verb], query });
  };
  const drained = (reply: unknown): string => {
    const { running } = reply as { running: unknown[] };
    const left = running.length === 1 ? "1 job still runs" : `${running.length} jobs still run`;
    return running.length === 0 ? `${host.id} is drained` : `${host.id} gets no more jobs; ${left} there`;
  };
  const [found, setFound] = useState<HostCheck | string | null>(null);
  const check = async (): Promise<void> => {
    setFound("asking …");
    try {
      const { hosts } = await read<Reply<"/cluster/{cluster}/check">>(["cluster", cluster, "check"], { id: host.id });
      setFound(hosts[0] ?? null);
    } catch (error) {
      setFound((error as Error).message);
    }
  };
  const link = host.link === null ? "" : `, ${linkText(host)}`;
  const { ended, failed } = host.last_hour;
  return (
    <li class={`host ${host.link === "down" ? "silent" : ""} ${isActive ? "" : "idle"}`}>
      <h3>
        {host.id} <small>{host.machine}</small>
      </h3>
      <p>{host.status}{link}: {host.jobs.length} of {host.slots} slots used</p>
      {host.allocations !== null && <p>Slurm: {stand}</p>}
      {host.allocations === null && stand !== null && !SAID.test(stand) && <p class="bad">Gets nothing: {stand}</p>}
      {host.nodes.map((node) => (
        <div key={node.machine}>
          <p class="hint">{node.machine}{node.link === null ? "" : `, ${linkText(node)}`}</p>
          <Slots queue={queue} jobs={node.jobs} slots={host.slots / host.nodes.length} />
        </div>
      ))}
      {host.nodes.length === 0 && <Slots queue={queue} jobs={host.jobs} slots={host.slots} />}
      {host.gpus.length > 0 && (
        <div class="slots" role="group" aria-label="GPUs">
          {host.gpus.map(({ device, jobs }) => (
            <span key={device} class={`gpu ${jobs.length > 0 ? "own" : "free"}`} title={jobs.join(", ") || "free"}>
              GPU {device}
            </span>
          ))}
        </div>
      )}
      <p class="hint">
        In the last hour: {ended} done{failed > 0 ? `, ${failed} failed` : ""}
      </p>
      <p class="steer">
        {isActive
          ? <Deed onClick={() => put("deactivate", `${host.id} gets no more jobs`)}>Deactivate</Deed>
          : <Deed onClick={() => put("activate", `${host.id} gets jobs`)}>Activate</Deed>}
        {isActive && <Deed onClick={() => put("drain", drained, { timeout: 1 })}>Drain</Deed>}
        <button type="button" onClick={() => void check()}>Check</button>
      </p>
      {found !== null && <Found found={found} command={cms("cluster", "check", cluster, `--id=${host.id}`)} />}
    </li>
  );
}

function linkText({ link, link_since_ms: sinceMs }: Pick<HostStatus, "link" | "link_since_ms">): string {
  const since = sinceMs === null ? "" : ` since ${moment(new Date(sinceMs).toISOString())}`;
  return `${link === "up" ? "answers" : "silent"}${since}`;
}

/** A filled square for each job, an empty one for each slot that is free. */
function Slots({ queue, jobs, slots }: { queue: string; jobs: HostStatus["jobs"]; slots: number }): JSX.Element {
  const free = Math.max(0, slots - jobs.length);
  return (
    <div class="slots">
      {jobs.slice(0, MOST_SLOTS).map(({ queue: of, job, started_ms }) => (
        <a
          key={`${of}/${job}`}
          class={`slot ${of === queue ? "own" : "other"}`}
          href={placeText({ queue: of, view: "job", job, words: {} })}
          aria-label={`${job} of ${of}`}
          title={`${job}${of === queue ? "" : ` of ${of}`}${
            started_ms === null ? "" : `, ${duration((Date.now() - started_ms) / 1000)}`
          }`}
        />
      ))}
      {Array.from({ length: Math.min(free, MOST_SLOTS) }, (_, i) => <span key={i} class="slot free" />)}
    </div>
  );
}

function Found({ found, command }: { found: HostCheck | string; command: string }): JSX.Element {
  if (typeof found === "string") return <p role="status">{found}</p>;
  return (
    <div role="status">
      <p class={found.well ? "" : "bad"}>
        {found.well ? "ok" : found.troubles.join("; ")}
        {found.connect_ms === null ? "" : `, answers in ${Math.round(found.connect_ms)} ms`}
        {found.room === null ? "" : `, ${Math.round(found.room / 1024 / 1024 * 10) / 10} GB free`}
      </p>
      {found.notes.map((note) => <p key={note} class="hint">{note}</p>)}
      <Command text={command} />
    </div>
  );
}
