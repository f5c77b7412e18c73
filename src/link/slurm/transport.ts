/**
 * The transport to a node of an allocation of Slurm: a process on the login host, the door, which joins the link with a
 * shell of the allocation's starter, by a step of srun or by ssh from there. Of an allocation that is over it leads to
 * a shell of the login host itself, see docs/architecture.md, "Slurm".
 *
 * @module
 */

import { isLocal } from "../../cluster/machine.ts";
import { machineOfPlace, type SlurmPlace } from "../../cluster/slurm_place.ts";
import type { Deps } from "../../deps.ts";
import { explainSsh, lastWords, sshCommand } from "../ssh.ts";
import { FAR_END, FAR_END_HERE, lineOf } from "../stage.ts";
import { shellEnded, type Transport } from "../transport.ts";
import doorText from "./door.sh" with { type: "text" };
import relayText from "./relay.sh" with { type: "text" };

/** The door's exit status where the allocation cannot be entered now, or nobody can say how it stands. */
const NOT_NOW = 75;
/** The same where Slurm's commands are missing, or ssh would lead out of the allocation. */
const NO_WAY = 69;

/** All of the transport but for the copies, which go to the login host as to any other. */
export function slurmWay(deps: Deps, place: SlurmPlace, directory: string): Omit<Transport, "stage" | "sender"> {
  const { login, job, node, link } = place;
  const lines = [lineOf(doorText), job, node, directory, link, lineOf(relayText)];
  if (link === "ssh") lines.push(directory, job, node);
  return {
    command: isLocal(login) ? ["sh", "-c", FAR_END_HERE] : sshCommand(deps.environment, login, FAR_END),
    prologue: lines.map((line) => `${line}\n`).join(""),
    as: machineOfPlace(place).name,
    explain: (noise, code) => {
      const last = lastWords(noise);
      // One of two ssh: its own words say which.
      if (code === 255 && link === "ssh" && last !== "") return { reason: last, lasting: false };
      if (code === 255 && !isLocal(login)) return explainSsh(login, noise, code);
      const reason = last === "" || (code !== NOT_NOW && code !== NO_WAY) ? shellEnded(code, last) : last;
      return { reason, lasting: code === NO_WAY };
    },
  };
}
