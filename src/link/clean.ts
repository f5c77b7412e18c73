/**
 * Removes files from the directories of jobs on a machine, but for those that some patterns fit, over a session of its
 * own. The far end is `clean.sh`.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import cleanText from "./clean.sh" with { type: "text" };
import { explainSsh, sshCommand } from "./ssh.ts";
import { startFor } from "./started.ts";
import { FAR_END, lineOf, textOf, withToken } from "./stage.ts";

/** Where. */
export interface CleanPlace {
  readonly machine: Machine;
  /** The experiment directory there, and here. */
  readonly directory: string;
  readonly from: string;
  readonly queueId: string;
}

const farText = lineOf(cleanText);

/**
 * Removes them; the program's own small files stay, too. Where no pattern fits anything nothing is removed.
 * @returns How many files stay, for each job; null where the directory is the manager's own, which is left alone.
 * @throws {LinkError} If the machine cannot be reached.
 */
export async function removeOthers(
  deps: Deps,
  { machine, directory, from, queueId }: CleanPlace,
  jobs: readonly { readonly job: JobName; readonly place: string }[],
  patterns: readonly string[],
): Promise<number[] | null> {
  if (isLocal(machine)) return null;
  return await withToken(deps, from, queueId, async (token) => {
    const far = startFor(deps, machine, sshCommand(deps.environment, machine, FAR_END));
    const [said, complained] = [textOf(far.stdout), textOf(far.stderr)];
    const lines = jobs.flatMap(({ job, place }) => [place, job, ...patterns, ""]);
    const writer = far.stdin.getWriter();
    writer.closed.catch(() => {});
    writer.write(new TextEncoder().encode([farText, directory, token, ...lines, "", ""].join("\n"))).catch(() => {});
    writer.close().catch(() => {});
    const { code, signal } = await far.ended;
    const answers = (await said).split("\n").filter((line) => line.startsWith(`${token} `))
      .map((line) => line.slice(token.length + 1));
    if (answers[0] === "same") return null;
    if (answers.at(-1) === "end") return answers.slice(0, -1).map(Number);
    const where = machineText(machine);
    if (signal !== null || code === 0) throw new LinkError(where, "the connection was lost", false);
    const { reason, lasting } = explainSsh(machine, await complained, code);
    throw new LinkError(where, reason, lasting);
  });
}
