/**
 * Opens links: over ssh, or to a local shell for localhost. Keeps the number of handshakes at once within what sshd and
 * the manager can take.
 *
 * @module
 */

import { isLocal, type Machine, machineKey } from "../cluster/machine.ts";
import { placeOf } from "../cluster/slurm_place.ts";
import type { Deps } from "../deps.ts";
import { openAgentLink } from "./agent_link.ts";
import { Gate } from "./gate.ts";
import type { Connect, ConnectOptions } from "./link.ts";
import { localTransport } from "./local.ts";
import type { SentReport } from "./send.ts";
import { Sender } from "./sender.ts";
import { Sources } from "./sources.ts";
import { explainSsh, sshCommand } from "./ssh.ts";
import { stageOverSsh } from "./stage.ts";
import { LINK_TIMES, type LinkTimes } from "./upkeep.ts";
import type { Transport } from "./transport.ts";

/** sshd lets about ten in that have not yet logged in. */
const HANDSHAKES_PER_MACHINE = 8;
const HANDSHAKES = 16;
/** Copies take long; they must not keep others from connecting. */
const COPIES = 8;
const SMALL_COPIES = 16;

/** Where the defaults do not fit, as in tests. */
export interface MakeConnectOptions {
  readonly times?: Partial<LinkTimes>;
  /** The shell of local links. @default ["sh"] */
  readonly localShell?: readonly string[];
  /** Is told what jobs have sent to a machine. */
  readonly onSent?: (machine: Machine, report: SentReport) => void;
}

/** Makes the function that opens links. Handshakes are counted per function: make one for a process. */
export function makeConnect(deps: Deps, options: MakeConnectOptions = {}): Connect {
  const times: LinkTimes = { ...LINK_TIMES, ...options.times };
  const all = new Gate(HANDSHAKES);
  const copies = new Gate(COPIES);
  const sends = { light: new Gate(SMALL_COPIES), heavy: new Gate(COPIES) };
  const sources = new Sources(deps);
  const machines = new Map<string, Gate>();

  async function passMachine<T>(machine: Machine, work: () => Promise<T>): Promise<T> {
    const key = machineKey(machine);
    const gate = machines.get(key) ?? new Gate(HANDSHAKES_PER_MACHINE);
    machines.set(key, gate);
    try {
      return await gate.pass(work);
    } finally {
      if (gate.isEmpty(HANDSHAKES_PER_MACHINE)) machines.delete(key);
    }
  }

  async function transportTo(machine: Machine, { directory, queueId }: ConnectOptions): Promise<Transport> {
    const place = placeOf(machine);
    // Only who uses Slurm loads what it needs.
    const slurm = place === null ? null : (await import("./slurm/transport.ts")).slurmWay(deps, place, directory);
    // The login host has the files of its nodes.
    const onSent = (report: SentReport): void => options.onSent?.(machine, report);
    const to = { machine: place?.login ?? machine, directory, queueId, onSent };
    const sender: Transport["sender"] = (ends) => new Sender(deps, { ...to, ...ends }, sources, sends);
    if (slurm === null && isLocal(machine)) return localTransport(options.localShell ?? ["sh"], sender);
    return {
      command: sshCommand(deps.environment, machine, "exec sh"),
      explain: (noise, code) => explainSsh(machine, noise, code),
      stage: (places, from, own) =>
        copies.pass(() => stageOverSsh(deps, { machine, directory, queueId, own, places }, from)),
      sender,
      ...slurm,
    };
  }

  return (machine, connectOptions) => {
    const open = async () => {
      const transport = await transportTo(machine, connectOptions);
      return await openAgentLink(deps, machine, { ...connectOptions, transport, times });
    };
    // First the machine's gate: those who wait for one machine must not take places from the others.
    return passMachine(machine, () => all.pass(open));
  };
}
