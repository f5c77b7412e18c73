/**
 * A machine: what `user@name` reaches. Several hosts of a cluster may name the same machine; they share one link.
 *
 * @module
 */

import { bareAddress, machineName, userName } from "../names/grammar.ts";

/**
 * A machine. `user` is empty where ssh's own default is meant; `address` is the IP to connect to in place of the
 * name's. `alias` is the name for ssh where `name` is the address, see {@link tellApart}.
 */
export interface Machine {
  readonly user: string;
  readonly name: string;
  readonly address: string | null;
  readonly alias?: string;
}

/** The machine under the name of its address. */
export function byAddress(machine: Machine): Machine {
  const { user, name, address } = machine;
  return address === null ? machine : { user, name: bareAddress(address), address, alias: name };
}

/**
 * Where one name stands for several addresses, or for one and for whatever it resolves to, those with an address are
 * named by it.
 */
export function tellApart(machines: readonly Machine[]): Machine[] {
  const addresses = new Map<string, Set<string | null>>();
  for (const machine of machines) {
    const key = machineKey(machine);
    const known = addresses.get(key);
    if (known === undefined) addresses.set(key, new Set([machine.address]));
    else known.add(machine.address);
  }
  return machines.map((machine) =>
    isLocal(machine) || addresses.get(machineKey(machine))!.size < 2 ? machine : byAddress(machine)
  );
}

/** `user@name`, or `name` without a user: how a machine is shown. */
export function machineText(machine: { user: string; name: string }): string {
  return machine.user === "" ? machine.name : `${machine.user}@${machine.name}`;
}

/**
 * The key under which links are kept: equal for all that one link serves. localhost is one machine whatever the user
 * says.
 */
export function machineKey(machine: { user: string; name: string }): string {
  return machine.name === "localhost" ? "localhost" : machineText(machine);
}

/** The user of a machine's key, with the `@`. */
export function userOf(key: string): string {
  return key.slice(0, key.lastIndexOf("@") + 1);
}

/**
 * True if jobs work there in the manager's own directories, and no ssh is needed: on the manager itself, and in an
 * allocation of the Slurm that it belongs to.
 */
export function isLocal({ name }: { name: string }): boolean {
  return name === "localhost" || name.endsWith(".slurm.localhost");
}

/** The machine on which a job runs or ran; null if it names none that can be reached. */
export function machineOfJob({ user, host }: { user: string | null; host: string | null }): Machine | null {
  if (!host) return null;
  try {
    return parseMachine(user ? `${user}@${host}` : host);
  } catch {
    return null;
  }
}

/** Reads `user@name` or `name`. @throws {InvalidError} If either part is not in the grammar of names. */
export function parseMachine(text: string): Machine {
  const at = text.lastIndexOf("@");
  const user = at < 0 ? "" : userName(text.slice(0, at));
  return { user, name: machineName(text.slice(at + 1)), address: null };
}
