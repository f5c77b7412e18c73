/**
 * What the tests need of the machine: finds out what is missing and, as root on Debian, installs it.
 *
 * @module
 */

/** Programs and Perl modules that the tests use, and the Debian packages they come in. */
const ofTests: Readonly<Record<string, string>> = {
  sshd: "openssh-server",
  ssh: "openssh-client",
  rsync: "rsync",
  ip: "iproute2",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  losetup: "mount",
  "mount.exfat-fuse": "exfat-fuse",
  "mkfs.exfat": "exfatprogs",
  "mkfs.ext2": "e2fsprogs",
  ps: "procps",
  busybox: "busybox",
  bash: "bash",
  dash: "dash",
  zsh: "zsh",
  fish: "fish",
  tcsh: "tcsh",
  git: "git",
  cc: "gcc",
  chromium: "chromium",
  openssl: "openssl",
  curl: "curl",
  script: "bsdutils",
  nginx: "nginx-light",
  parallel: "parallel",
  tmux: "tmux",
  "Text::CSV": "libtext-csv-perl",
  munged: "munge",
  slurmctld: "slurm-wlm",
  sbatch: "slurm-wlm",
};

/**
 * Installs what is missing if it can. Never throws: tests that need a thing are skipped where it is not there.
 * @param say Called with each line for the reader.
 * @param needed Package by program; what the tests need unless given.
 */
export async function installNeeded(
  say: (line: string) => void,
  needed: Readonly<Record<string, string>> = ofTests,
): Promise<void> {
  const programs = Object.keys(needed);
  const missing = await findMissing(programs);
  if (missing.length === 0) return;
  if (Deno.build.os === "linux" && Deno.uid() === 0 && (await findMissing(["apt-get"])).length === 0) {
    await install([...new Set(missing.map((program) => needed[program] ?? program))], say);
  }
  const still = await findMissing(programs);
  if (still.length === 0) return;
  say(`Not installed here: ${still.join(", ")}. Tests that need them are skipped.`);
}

/** Those that are not there. sshd and ip are often outside a user's PATH. */
async function findMissing(programs: readonly string[]): Promise<string[]> {
  const script = 'PATH=$PATH:/usr/sbin:/sbin; for p; do case $p in *::*) perl -M"$p" -e 1 ;; ' +
    '*) command -v "$p" >/dev/null ;; esac || echo "$p"; done';
  const { stdout } = await run("sh", "-c", script, "sh", ...programs);
  return stdout.split("\n").filter(Boolean);
}

async function install(packages: readonly string[], say: (line: string) => void): Promise<void> {
  say(`Installing what the tests need: ${packages.join(" ")}`);
  const update = await run("apt-get", "-qq", "update");
  if (!update.ok) say(`Cannot update the package lists: ${lastLine(update.stderr)}`);
  if ((await aptInstall(packages)).ok) return;
  // One that is not to be had must not keep the others away.
  for (const each of packages) {
    const { ok, stderr } = await aptInstall([each]);
    if (!ok) say(`Cannot install ${each}: ${lastLine(stderr)}`);
  }
}

function aptInstall(packages: readonly string[]): Promise<Outcome> {
  return run("apt-get", "-qq", "-y", "--no-install-recommends", "install", ...packages);
}

interface Outcome {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: string, ...args: string[]): Promise<Outcome> {
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
    const output = await new Deno.Command(program, { args, env, stdin: "null" }).output();
    const decoder = new TextDecoder();
    return { ok: output.success, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
  } catch (error) {
    return { ok: false, stdout: "", stderr: `${program}: ${(error as Error).message}` };
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
