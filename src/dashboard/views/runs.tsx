/**
 * The runs that a queue had.
 *
 * @module
 */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useRepeated } from "../parts.tsx";
import { read, type Reply } from "../service.ts";
import { moment } from "../words.ts";

type Runs = Reply<"/queue/{queue}/history">["runs"];

/** Machines of a run that are named. */
const NAMED = 8;

/** The view. */
export function RunsView({ queue }: { queue: string }): JSX.Element {
  const [runs, setRuns] = useState<Runs | null>(null);
  const [failure, setFailure] = useState("");
  useRepeated(
    async (signal) => {
      try {
        setRuns((await read<{ runs: Runs }>(["queue", queue, "history"], {}, signal)).runs);
      } catch (error) {
        if (!signal.aborted) setFailure((error as Error).message);
      }
    },
    [queue],
    10_000,
  );
  return (
    <main>
      <h2>Runs</h2>
      <p role="alert" class="bad">{failure}</p>
      {runs?.length === 0 && <p>There was none.</p>}
      {runs !== null && runs.length > 0 && (
        <div class="scroll" role="region" aria-label="Runs" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {["Began", "Ended", "By", "Scheduler", "Machines", "Ran", "Failed", "Waiting", "Outcome"].map((one) => (
                  <th key={one}>{one}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {runs.map((run) => (
                <tr key={run.run}>
                  <td>{moment(run.began)}</td>
                  <td>{moment(run.ended)}</td>
                  <td>{run.by}</td>
                  <td>{run.scheduler}</td>
                  <td>{someOf(run.machines)}</td>
                  <td>{run.ran}</td>
                  <td>{run.failed}</td>
                  <td>{run.waiting}</td>
                  <td>{run.outcome}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
}

function someOf(machines: readonly string[]): string {
  const more = machines.length > NAMED ? ` and ${machines.length - NAMED} more` : "";
  return machines.slice(0, NAMED).join(", ") + more;
}
