/**
 * The system's own ssh: how it is called, and what its words mean.
 *
 * The user's ssh_config decides all that is not given here (aliases, jump hosts, keys). A person's control master is
 * not used: it would carry the agent, and end it.
 *
 * @module
 */

import type { Environment } from "../deps.ts";
import { type Machine, machineText } from "../cluster/machine.ts";
import { filesOf } from "../cluster/slurm_place.ts";
import { bareAddress } from "../names/grammar.ts";
import { type Cause, shellEnded } from "./transport.ts";

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
 * The command that runs `remote` on a machine. The ssh to use is `CMS_SSH`, split at blanks, or `ssh`; options in it
 * win.
 * @param of Of a node of an allocation it is the login host that is reached.
 * @param remote Plain words: the user's login shell over there may be any.
 */
export function sshCommand(environment: Environment, of: Machine, remote: string): string[] {
  const machine = filesOf(of);
  const program = (environment.get("CMS_SSH") ?? "").split(/\s+/).filter((word) => word !== "");
  return [
    ...(program.length > 0 ? program : ["ssh"]),
    "-T",
    ...OPTIONS.flatMap((option) => ["-o", option]),
    // In a HostName `%` begins a token.
    ...(machine.address === null ? [] : ["-o", `HostName=${bareAddress(machine.address).replaceAll("%", "%%")}`]),
    ...(machine.user === "" ? [] : ["-l", machine.user]),
    "--",
    bareAddress(machine.alias ?? machine.name),
    remote,
  ];
}

/**
 * ssh names the line of the old key, which may stand under an address or another name, and often the command that
 * removes it.
 */
function keyChanged(machine: string, noise: string): string {
  const [, line] = /^\s*(Offending .{0,20}key in .{1,300}:\d+)\s*$/m.exec(noise) ?? [];
  const [, command] = /^\s*(ssh-keygen (?:-f .{1,300} )?-R .{1,300}?)\s*$/m.exec(noise) ?? [];
  const remove = command === undefined ? "remove that line" : `run ${command}`;
  return `its host key has changed${
    line === undefined ? "" : ` (${line})`
  }; if that is right, ${remove}, then ssh ${machine} once`;
}

const CAUSES: readonly (readonly [
  pattern: RegExp,
  lasting: boolean,
  reason: (machine: string, noise: string) => string,
])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, true, keyChanged],
  [
    /Host key verification failed|host key is known for|authenticity of host/,
    true,
    (machine) => `its host key is not known; run ssh ${machine} once, or add the key to ~/.ssh/known_hosts`,
  ],
  [
    /Permission denied/,
    true,
    (machine) =>
      `permission denied; ssh ${machine} must work without a password (ssh-copy-id ${machine}; ssh-add for a key with a pass phrase)`,
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

/** Where to look when a login does not lead to a plain shell. */
export const START_UP = "look at its login shell, and at what .bashrc, .profile and the like do there";

/** The last line that says something: some shells end their errors with a line of marks. */
export function lastWords(text: string): string {
  return oneLine(text.split("\n").filter((line) => /\p{L}{2}/u.test(line)).join("\n"));
}

/** What is said where a shell has not answered for so long. @param noise What came from there. */
export function lateReason(ms: number, noise: string): string {
  const last = lastWords(noise);
  return `no answer within ${Math.ceil(ms / 1000)} s${
    last === "" ? "" : `; the last that came: ${last}`
  } (${START_UP})`;
}

/**
 * What the end of ssh means. @param noise What it (and the far login shell) wrote on stderr. @param code Its exit code.
 */
export function explainSsh(machine: Machine, noise: string, code: number): Cause {
  for (const [pattern, lasting, reason] of CAUSES) {
    if (pattern.test(noise)) return { reason: reason(machineText(machine), noise), lasting };
  }
  const last = lastWords(noise);
  if (code === 255) return { reason: last === "" ? "the connection was lost" : last, lasting: false };
  return { reason: `${shellEnded(code, last)} (${START_UP})`, lasting: false };
}
