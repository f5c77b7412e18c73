/**
 * Hosts for benches: those of the tests, with ssh as it comes, and a new disk for every run.
 *
 * The disk is an ext4 in RAM. It is new each time because ext4, after many files were removed, makes new ones two to
 * five times as slowly for minutes: a bench that cleans up behind itself measures that. And it is in RAM so that the
 * hosts do not share one disk with the manager, as they would not.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { makeHosts, type TestHost, whyNoHosts } from "../../testing/hosts.ts";

/** Names for three of them. */
export const THREE: readonly string[] = ["red", "red01", "red02"];

/** The hosts of a bench. */
export interface Rig {
  /** In the order of their names. */
  readonly hosts: readonly TestHost[];
  /** The ssh to use, as words. */
  readonly ssh: readonly string[];
}

/**
 * Makes hosts. They are taken down with the stack.
 * @param directory For the ssh config.
 * @throws {Error} If there can be none here.
 */
export async function openRig(
  names: readonly string[],
  directory: string,
  stack: AsyncDisposableStack,
): Promise<Rig> {
  const reason = await whyNoHosts();
  if (reason !== null) throw new Error(`Cannot run the bench: ${reason}`);
  const made = stack.use(await makeHosts(names));
  // The tests choose a quicker key exchange than ssh does by itself, which would flatter whoever connects often.
  const config = (await Deno.readTextFile(made.sshConfig)).replaceAll(/^ *KexAlgorithms .*$/gm, "");
  const file = `${directory}/ssh_config`;
  await Deno.writeTextFile(file, config);
  return { hosts: names.map((name) => made.host(name)), ssh: ["ssh", "-F", file] };
}

/** The same hosts behind a line that takes `roundTripMs` there and back. @param directory For the ssh config. */
export async function withLine(rig: Rig, directory: string, roundTripMs: number): Promise<Rig> {
  const proxy = fileURLToPath(new URL("./delay_proxy.ts", import.meta.url));
  const command = `${Deno.execPath()} run --allow-net ${proxy} %h %p ${roundTripMs / 2}`;
  const file = `${directory}/ssh_config_far`;
  const [, , config = ""] = rig.ssh;
  await Deno.writeTextFile(file, `ProxyCommand ${command}\n${await Deno.readTextFile(config)}`);
  return { ...rig, ssh: ["ssh", "-F", file] };
}

const MAKE_DISK = `set -e
mkdir "/home/pi/$1"
truncate -s 2G "/dev/shm/$1"
mkfs.ext4 -q -F -b 4096 -N "$2" -E lazy_itable_init=0,lazy_journal_init=0 "/dev/shm/$1"
mount -o loop "/dev/shm/$1" "/home/pi/$1"
rm "/dev/shm/$1"
rmdir "/home/pi/$1/lost+found"
chown pi: "/home/pi/$1"`;

/**
 * Does something with a new disk mounted at `~/NAME` on each host.
 * @param name Not used before. @param jobs How many job directories there must be room for.
 */
export async function withNewDisks<T>(
  hosts: readonly TestHost[],
  { name, jobs }: { name: string; jobs: number },
  body: () => Promise<T>,
): Promise<T> {
  const inRoot = async (host: TestHost, script: string) => {
    const { code, stderr } = await host.run(script, { user: "root" });
    if (code !== 0) throw new Error(`Cannot make a disk for "${host.name}": ${stderr.trim()}`);
  };
  // One after the other: two at once may ask for the same loop device.
  for (const host of hosts) await inRoot(host, `set -- ${name} ${jobs * 16 + 1000}; ${MAKE_DISK}`);
  try {
    return await body();
  } finally {
    // What still follows a file there for a moment must not hold it.
    for (const host of hosts) await inRoot(host, `umount -l /home/pi/${name}`);
  }
}

/** How many jobs below `~/NAME` have a log that says they ended with 0, over all hosts. */
export async function countEnded(hosts: readonly TestHost[], name: string): Promise<number> {
  // Tens of thousands of names are too many for one command.
  const script = `find ~/${name} -mindepth 2 -name '*.log' -exec grep -lsx '# exit: 0' {} + | wc -l`;
  const counts = await Promise.all(hosts.map(async (host) => Number((await host.run(script)).stdout)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Milliseconds from the first job's script below `~/NAME`, which is written as it starts, to the last change of a log,
 * over all hosts.
 */
export async function spanOf(hosts: readonly TestHost[], name: string): Promise<number> {
  const find = (files: string) => `find ~/${name} -mindepth 2 -name '${files}' -printf '%T@\\n' | sort -n`;
  const script = `{ ${find("*.run")} | head -1; ${find("*.log")} | tail -1; }`;
  const times = await Promise.all(
    hosts.map(async (host) => (await host.run(script)).stdout.trim().split("\n").map(Number)),
  );
  return (Math.max(...times.map((each) => each[1]!)) - Math.min(...times.map((each) => each[0]!))) * 1000;
}
