/**
 * The system's own ssh: how it is called, and what its words mean.
 *
 * The user's ssh_config decides all that is not given here (aliases, jump hosts, keys). A person's control master is not used: it
 * would carry the agent, and end it.
 *
 * @module
 */

import type { Environment } from "../deps.ts";
import { type Machine, machineText } from "../cluster/machine.ts";
import type { Cause } from "./way.ts";

const OPTIONS = [
  "BatchMode=yes",
  "ConnectTimeout=10",
  "ControlPath=none",
  "ServerAliveInterval=15",
  "ServerAliveCountMax=3",
  "LogLevel=ERROR",
  // From the user's config these would bind ports a second time, or run something in place of the agent.
  "ClearAllForwardings=yes",
  "RemoteCommand=none",
];

/**
 * The command that runs `remote` on a machine. The ssh to use is `CMS_SSH`, split at blanks, or `ssh`; options in it win.
 * @param remote Plain words: the user's login shell over there may be any.
 */
export function sshCommand(environment: Environment, machine: Machine, remote: string): string[] {
  const program = (environment.get("CMS_SSH") ?? "").split(/\s+/).filter((word) => word !== "");
  // In brackets is how people write an IPv6 address; ssh wants it bare.
  const bare = (address: string) => address.replace(/^\[(.*)\]$/, "$1");
  return [
    ...(program.length > 0 ? program : ["ssh"]),
    "-T",
    ...OPTIONS.flatMap((option) => ["-o", option]),
    ...(machine.address === null ? [] : ["-o", `HostName=${bare(machine.address)}`]),
    ...(machine.user === "" ? [] : ["-l", machine.user]),
    "--",
    bare(machine.name),
    remote,
  ];
}

const CAUSES: readonly (readonly [pattern: RegExp, lasting: boolean, reason: (machine: string) => string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    true,
    (machine) =>
      `its host key has changed; if that is right, run ssh-keygen -R ${
        machine.replace(/^.*@/, "")
      }, then ssh ${machine} once`,
  ],
  [
    /Host key verification failed|host key is known for|authenticity of host/,
    true,
    (machine) => `its host key is not known; run ssh ${machine} once, or add the key to ~/.ssh/known_hosts`,
  ],
  [
    /Permission denied/,
    true,
    (machine) => `permission denied; ssh ${machine} must work without a password (ssh-copy-id ${machine})`,
  ],
  [/Too many authentication failures/, true, () => "permission denied: ssh offered too many keys"],
  [/Could not resolve hostname|Name or service not known/, false, () => "its name cannot be resolved"],
  [/Connection refused/, false, () => "connection refused"],
  [/No route to host|Network is unreachable/, false, () => "no route to it"],
  [/timed out|Timeout, server/, false, () => "connection timed out"],
  [/kex_exchange_identification|Connection reset|Connection closed/, false, () => "it closed the connection"],
  [
    /Bad configuration option|Bad owner or permissions|no argument after keyword/,
    true,
    () => "ssh cannot use its configuration",
  ],
];

/** Makes foreign text fit for one line of a message. */
export function oneLine(text: string): string {
  const lines = text.split("\n").map((line) => line.replaceAll(/\p{Cc}+/gu, " ").trim()).filter((line) => line !== "");
  return (lines.at(-1) ?? "").slice(0, 200);
}

/** What the end of ssh means. @param noise What it (and the far login shell) wrote on stderr. @param code Its exit code. */
export function explainSsh(machine: Machine, noise: string, code: number): Cause {
  for (const [pattern, lasting, reason] of CAUSES) {
    if (pattern.test(noise)) return { reason: reason(machineText(machine)), lasting };
  }
  const last = oneLine(noise);
  if (code === 255) return { reason: last === "" ? "the connection was lost" : last, lasting: false };
  return { reason: `its shell ended with ${code}${last === "" ? "" : `: ${last}`}`, lasting: false };
}
