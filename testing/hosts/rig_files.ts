/**
 * The files of a rig: keys, sshd's configuration, the user's account as the hosts see it, and the manager's ssh config.
 * The machine's own accounts are not touched: the hosts get copies with the user `pi` in them.
 *
 * @module
 */

import { must, outcomeOf } from "./shell.ts";

/** The user of every test host. */
export const testUser = "pi" as const;

/** One host, as the files name it. */
export interface HostEntry {
  /** Host name. */
  readonly name: string;
  /** IPv4 address. */
  readonly address: string;
}

/** What a test may choose about its hosts. */
export interface HostsOptions {
  /** pi's login shell, an absolute path; `/bin/sh` unless given. */
  readonly loginShell?: string;
  /** sshd's MaxStartups; `500` unless given (sshd's own default is `10:30:100`). */
  readonly maxStartups?: string;
  /** Further lines for sshd_config; they come first, and there the first one counts. */
  readonly sshdOptions?: readonly string[];
  /**
   * One home directory for all hosts, from which each reaches the others by name with plain `ssh`; own ones unless
   * given.
   */
  readonly sharedHome?: boolean;
}

/** Where the home directory of a host is on this machine. */
export function homeOf(rig: string, name: string, options: HostsOptions): string {
  return options.sharedHome ? `${rig}/home` : `${rig}/${name}/home`;
}

/** Writes everything below the rig directory; returns the path of the ssh config. */
export async function writeRigFiles(
  rig: string,
  hosts: readonly HostEntry[],
  options: HostsOptions,
): Promise<string> {
  await Deno.mkdir(`${rig}/etc`);
  const [, , account] = await Promise.all([
    must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test-host", "-f", `${rig}/etc/host_key`]),
    must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test-manager", "-f", `${rig}/id`]),
    writeAccounts(rig, options.loginShell ?? "/bin/sh"),
  ]);
  const hostKey = (await Deno.readTextFile(`${rig}/etc/host_key.pub`)).trim();
  await Deno.writeTextFile(`${rig}/known_hosts`, `* ${hostKey}\n`);
  await Deno.writeTextFile(`${rig}/etc/hosts`, hostsFile(hosts));
  await Deno.writeTextFile(`${rig}/etc/sshd_config`, await sshdConfig(options));
  for (const { name } of hosts) {
    const home = homeOf(rig, name, options);
    await Deno.mkdir(`${rig}/${name}`);
    await Deno.mkdir(`${home}/.ssh`, { recursive: true });
    await writeAuthorizedKeys(home, `${rig}/id.pub`, account);
  }
  if (options.sharedHome) await writeClientFiles(rig, `${rig}/home/.ssh`, hosts, account);
  await Deno.writeTextFile(`${rig}/ssh_config`, sshConfig(rig, hosts));
  return `${rig}/ssh_config`;
}

/** Numbers of the account `pi`. */
export interface Account {
  /** User number, that of the machine's own pi if there is one. */
  readonly uid: number;
  /** Group number. */
  readonly gid: number;
}

async function writeAuthorizedKeys(home: string, publicKey: string, { uid, gid }: Account): Promise<void> {
  const file = `${home}/.ssh/authorized_keys`;
  await Deno.copyFile(publicKey, file);
  for (const [path, mode] of [[file, 0o600], [`${home}/.ssh`, 0o700], [home, 0o755]] as const) {
    await Deno.chmod(path, mode);
    await Deno.chown(path, uid, gid);
  }
}

/** What ssh needs to reach the other hosts from a host with a shared home, in `.ssh` there. */
export const clientFiles = ["id", "known_hosts", "config"] as const;

async function writeClientFiles(
  rig: string,
  directory: string,
  hosts: readonly HostEntry[],
  { uid, gid }: Account,
): Promise<void> {
  await Deno.copyFile(`${rig}/id`, `${directory}/id`);
  await Deno.copyFile(`${rig}/known_hosts`, `${directory}/known_hosts`);
  await Deno.writeTextFile(`${directory}/config`, sshConfig(`/home/${testUser}/.ssh`, hosts));
  for (const name of clientFiles) {
    await Deno.chmod(`${directory}/${name}`, 0o600);
    await Deno.chown(`${directory}/${name}`, uid, gid);
  }
}

/** Copies the machine's accounts with `pi` put in (or replaced). */
async function writeAccounts(rig: string, shell: string): Promise<Account> {
  const passwd = (await Deno.readTextFile("/etc/passwd")).trimEnd().split("\n");
  const known = passwd.find((line) => line.startsWith(`${testUser}:`))?.split(":");
  const used = new Set(passwd.map((line) => line.split(":")[2]));
  let uid = Number(known?.[2] ?? 1000);
  while (!known && used.has(String(uid))) uid++;
  const put = async (name: string, line: string, mode: number) => {
    const text = await Deno.readTextFile(`/etc/${name}`).catch(() => "");
    const others = text.split("\n").filter((other) => other !== "" && !other.startsWith(`${testUser}:`));
    await Deno.writeTextFile(`${rig}/etc/${name}`, [...others, line, ""].join("\n"), { mode });
  };
  await put("passwd", `${testUser}:x:${uid}:${uid}::/home/${testUser}:${shell}`, 0o644);
  await put("group", `${testUser}:x:${uid}:`, 0o644);
  // "*" is no password; "!" would be a locked account, which sshd refuses also for keys.
  await put("shadow", `${testUser}:*:19000:0:99999:7:::`, 0o640);
  return { uid, gid: uid };
}

function hostsFile(hosts: readonly HostEntry[]): string {
  return ["127.0.0.1 localhost", ...hosts.map(({ name, address }) => `${address} ${name}`), ""].join("\n");
}

async function sshdConfig(options: HostsOptions): Promise<string> {
  const lines = [
    ...(options.sshdOptions ?? []),
    `MaxStartups ${options.maxStartups ?? "500"}`,
    "HostKey /run/sshd/host_key",
    "PidFile /run/sshd.pid",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "UsePAM no",
    "UseDNS no",
    "PrintMotd no",
    "PrintLastLog no",
    "Subsystem sftp internal-sftp",
  ];
  // Newer ones hold back an address whose connections broke off, and that is what tests do to them.
  const { stderr } = await outcomeOf(["ssh", "-V"]);
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(stderr) ?? [];
  if (Number(major) * 100 + Number(minor) >= 908) lines.push("PerSourcePenalties no");
  return [...lines, ""].join("\n");
}

/** @param directory Where the key and the known hosts are. */
function sshConfig(directory: string, hosts: readonly HostEntry[]): string {
  const entries = hosts.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`);
  return `${entries.join("")}Host *
  User ${testUser}
  IdentityFile ${directory}/id
  IdentitiesOnly yes
  UserKnownHostsFile ${directory}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
  # A third of the time of a connection is the default's key exchange.
  KexAlgorithms curve25519-sha256
`;
}
