/**
 * Nodes of allocations as machines: how they are named, and what a name says. A job's record holds the name, so that
 * every verb finds its way there. Pure.
 *
 * @module
 */

import type { Machine } from "./machine.ts";

/** Where a node of an allocation is. */
export interface SlurmPlace {
  readonly node: string;
  /** Slurm's own id of the allocation, never that of an array. */
  readonly job: string;
  /** The host on which Slurm's commands are called; `localhost` for the manager itself. */
  readonly login: Machine;
  /** What leads from the login host to the node: `srun`, a step of the allocation, or `ssh`. */
  readonly link: SlurmLink;
}

/** See {@link SlurmPlace}. */
export type SlurmLink = "srun" | "ssh";

/** Node, id, login host. A host name with such a middle is nobody's. */
const NAME = /^([A-Za-z0-9_][A-Za-z0-9_-]*)\.([0-9]{1,10})\.slurm(-ssh)?\.(.+)$/;

/** The machine that a node of an allocation is. */
export function machineOfPlace({ node, job, login, link }: SlurmPlace): Machine {
  const way = link === "ssh" ? "slurm-ssh" : "slurm";
  return { user: login.user, name: `${node}.${job}.${way}.${login.name}`, address: login.address };
}

/** Where a machine is, if it is a node of an allocation; else null. */
export function placeOf({ user, name, address }: Machine): SlurmPlace | null {
  const [, node, job, ssh, login] = name.includes(".slurm") ? NAME.exec(name) ?? [] : [];
  if (login === undefined) return null;
  return { node: node!, job: job!, login: { user, name: login, address }, link: ssh === undefined ? "srun" : "ssh" };
}

/** True for `USER@NAME` of a node of an allocation. */
export function isNodeName(text: string): boolean {
  return placeOf({ user: "", name: text.slice(text.lastIndexOf("@") + 1), address: null }) !== null;
}

/** The machine on which the files are that a machine works with: of a node its login host, which shares them. */
export function filesOf(machine: Machine): Machine {
  return placeOf(machine)?.login ?? machine;
}
