/**
 * Runs Slurm's commands where they are: on the manager, or on a login host over ssh. A login shell may say things of
 * its own, before and after, on both streams; so each command's output stands between lines with a token.
 *
 * @module
 */

import { isLocal, type Machine, machineText } from "../cluster/machine.ts";
import type { Child, Deps } from "../deps.ts";
import { explainSsh, lastWords, sshCommand } from "../link/ssh.ts";

/** What a command came to. */
export interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Seconds that a command may take. Slurm itself gives up after some ten, and tries some requests again. */
const COMMAND_S = 40;
/** The same for all of them, with the way there. */
const ALL_MS = 90_000;

/**
 * What comes before: who is in an allocation has variables of it, and of what he asks of Slurm by default; times come
 * as seconds since the epoch.
 */
const CLEAN = `for c_i in $(env | sed -n 's/^\\(S[A-Z]*_[A-Za-z0-9_]*\\)=.*/\\1/p'); do
  case $c_i in
  SLURM_CONF) ;;
  SLURM_* | SBATCH_* | SRUN_* | SALLOC_* | SQUEUE_* | SCANCEL_* | SINFO_*) unset "$c_i" ;;
  esac
done
SLURM_TIME_FORMAT=%s
export SLURM_TIME_FORMAT
if command -v timeout >/dev/null; then c_within() { timeout -k 5 ${COMMAND_S} "$@"; }; else c_within() { "$@"; }; fi
exec 3>&1
cd
`;

/**
 * The text of the shell that runs commands one after the other.
 * @param commands Each is text of POSIX sh: one simple command, whose here-document may follow.
 */
export function siteScript(commands: readonly string[], token: string): string {
  const parts = commands.map((command) =>
    `c_do() { c_within ${command}
}
printf '\\n%s out\\n' ${token}
c_said=$(c_do 2>&1 >&3 3>&-)
c_rc=$?
printf '\\n%s err\\n%s\\n%s end %s\\n' ${token} "$c_said" ${token} "$c_rc"
`
  );
  // In a function, so that it is read to its end before it begins, and nothing in it reads it.
  return `c_all() {\n${CLEAN}${parts.join("")}}\nc_all </dev/null\n`;
}

/** What each command came to, as far as they went. */
export function readSaid(text: string, token: string): Said[] {
  const one = new RegExp(
    `(?:^|\\n)${token} out\\n(.*?)\\n?${token} err\\n(.*?)\\n?${token} end ([0-9]{1,3})(?=\\n|$)`,
    "gs",
  );
  return [...text.matchAll(one)].map(([, out = "", err = "", code]) => ({ out, err, code: Number(code) }));
}

async function gather(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text().catch(() => "");
}

/** Commands of one site. */
export class Site {
  readonly #deps: Deps;
  readonly #login: Machine;

  constructor(deps: Deps, login: Machine) {
    this.#deps = deps;
    this.#login = login;
  }

  /** Its name for people. */
  get name(): string {
    return machineText(this.#login);
  }

  /** Runs them, one after the other, and gives what each said; or why nobody knows, as a text. */
  async run(commands: readonly string[]): Promise<Said[] | string> {
    const token = `cms-${this.#deps.ids.hex(8)}`;
    const local = isLocal(this.#login);
    let child: Child;
    try {
      child = this.#deps.processes.spawn(local ? ["sh"] : sshCommand(this.#deps.environment, this.#login, "exec sh"));
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause);
    }
    const outputs = Promise.all([gather(child.stdout), gather(child.stderr)]);
    const { clock } = this.#deps;
    const done = new AbortController();
    let isLate = false;
    const limit = clock.sleepUntil(clock.now() + ALL_MS, done.signal).then(() => {
      if (done.signal.aborted) return;
      isLate = true;
      child.kill("SIGKILL");
    });
    await this.#feed(child, siteScript(commands, token));
    const { code } = await child.ended;
    done.abort();
    await limit;
    const [out, noise] = await outputs;
    const said = readSaid(out, token);
    if (said.length === commands.length) return said;
    if (isLate) return `no answer within ${ALL_MS / 1000} s`;
    return local ? lastWords(noise) || `its shell ended with ${code}` : explainSsh(this.#login, noise, code).reason;
  }

  async #feed(child: Child, text: string): Promise<void> {
    const writer = child.stdin.getWriter();
    writer.closed.catch(() => {});
    try {
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
    } catch {
      // It has ended, which tells.
    }
  }
}
