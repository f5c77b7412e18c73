/**
 * The script that runs a job on its host: `JOB/JOB.SHELL`. Pure text; the host's agent writes and starts it, keeps the
 * log, sends stdout and stderr to their files and sets the environment.
 *
 * @module
 */

import { quote } from "../names/quote.ts";

/** How a family of shells spells what the script needs. */
interface Family {
  readonly shells: readonly string[];
  /**
   * Sources the environment; where that fails the command does not run, and the script ends with {@link
   * PYENV_EXIT_CODE}.
   */
  readonly source: (pyenv: string) => string;
  readonly gpu: (value: string) => string;
}

/**
 * Exit code of a script whose environment could not be sourced: no signal has this number, and hardly a program uses
 * it.
 */
export const PYENV_EXIT_CODE = 248;

const complain = (pyenv: string): string =>
  `echo ${quote(`cms: cannot source the pyenv ${pyenv}; the command was not run`)} >&2; exit ${PYENV_EXIT_CODE}`;

const FAMILIES: readonly Family[] = [
  {
    shells: ["bash", "zsh", "ksh"],
    source: (pyenv) => `{ source ${pyenv}\n} || { ${complain(pyenv)}; }`,
    gpu: (value) => `export CUDA_VISIBLE_DEVICES=${value}`,
  },
  {
    shells: ["sh", "dash", "ash"],
    // Without `command`, a file that is not there would end these shells with a code of their own.
    source: (pyenv) => `{ command . ${pyenv}\n} || { ${complain(pyenv)}; }`,
    gpu: (value) => `export CUDA_VISIBLE_DEVICES=${value}`,
  },
  {
    shells: ["csh", "tcsh"],
    // These cannot write to stderr, but say themselves what they did not find.
    source: (pyenv) => `source ${pyenv.replace(/[;\s]{1,100}$/, "")} || exit ${PYENV_EXIT_CODE}`,
    gpu: (value) => `setenv CUDA_VISIBLE_DEVICES ${value}`,
  },
  {
    shells: ["fish"],
    source: (pyenv) => `begin\nsource ${pyenv}\nend\nor begin; ${complain(pyenv)}; end`,
    gpu: (value) => `set -gx CUDA_VISIBLE_DEVICES ${value}`,
  },
];

/** Shells whose scripts can activate a python environment, by base name. */
export const SOURCING_SHELLS: readonly string[] = FAMILIES.flatMap((family) => family.shells);

function plainOrQuoted(value: string): string {
  return /^[A-Za-z0-9,._:-]+$/.test(value) ? value : quote(value);
}

function familyOf(shell: string): Family | null {
  return FAMILIES.find((family) => family.shells.includes(baseName(shell))) ?? null;
}

function baseName(shell: string): string {
  return shell.slice(shell.lastIndexOf("/") + 1);
}

/** Name of a job's script in its directory. */
export function scriptName(job: string, shell: string): string {
  return `${job}.${baseName(shell)}`;
}

/** True if the script of this shell can activate a python environment (`pyenv`). */
export function canSource(shell: string): boolean {
  return familyOf(shell) !== null;
}

/** What the script is made from. `gpu` and `pyenv` null or empty: none. */
export interface ScriptSpec {
  readonly name: string;
  readonly shell: string;
  readonly command: string;
  readonly pyenv: string | null;
  readonly gpu: string | null;
}

/**
 * Makes a job's script. The GPU also stands in the job's environment (for a shell of no known family only there); the
 * line here lets a person run the script by hand and see the same. The command's own lines are the last: nothing of
 * ours runs after it, so that its end is the job's.
 */
export function jobScript(job: ScriptSpec): string {
  const family = familyOf(job.shell);
  const lines = [job.shell.startsWith("/") ? `#!${job.shell}` : `#!/usr/bin/env ${job.shell}`];
  if (family !== null && job.pyenv !== null && job.pyenv !== "") lines.push(family.source(job.pyenv));
  if (family !== null && job.gpu !== null && job.gpu !== "") lines.push(family.gpu(plainOrQuoted(job.gpu)));
  lines.push(job.command);
  return lines.join("\n") + "\n";
}
