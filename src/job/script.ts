/**
 * The script that runs a job on its host: `JOB/JOB.SHELL`. Pure text; the host's agent writes and starts it, keeps the log,
 * sends stdout and stderr to their files and sets the environment.
 *
 * @module
 */

import { quote } from "../names/quote.ts";

/** How a family of shells spells what the script needs. */
interface Family {
  readonly shells: readonly string[];
  readonly source: (pyenv: string) => string;
  readonly gpu: (value: string) => string;
  /** Last lines, see {@link jobScript}; null where the family has no way. */
  readonly epilogue: ((job: string) => string) | null;
}

/** The `: >` makes `JOB.ended`: the script itself came to its end with this code (the agent asks only above 128). */
const SH_EPILOGUE = (job: string): string => `cms_rc=$?; [ $cms_rc -le 128 ] || : > ${job}.ended; exit $cms_rc`;

const FAMILIES: readonly Family[] = [
  {
    shells: ["bash", "zsh", "ksh"],
    source: (pyenv) => `source ${pyenv}`,
    gpu: (value) => `export CUDA_VISIBLE_DEVICES=${value}`,
    epilogue: SH_EPILOGUE,
  },
  {
    shells: ["sh", "dash", "ash"],
    source: (pyenv) => `. ${pyenv}`,
    gpu: (value) => `export CUDA_VISIBLE_DEVICES=${value}`,
    epilogue: SH_EPILOGUE,
  },
  {
    shells: ["csh", "tcsh"],
    source: (pyenv) => `source ${pyenv}`,
    gpu: (value) => `setenv CUDA_VISIBLE_DEVICES ${value}`,
    epilogue: null,
  },
  {
    shells: ["fish"],
    source: (pyenv) => `source ${pyenv}`,
    gpu: (value) => `set -gx CUDA_VISIBLE_DEVICES ${value}`,
    epilogue: null,
  },
];

/** Shells whose scripts can activate a python environment, by base name. */
export const SOURCING_SHELLS: readonly string[] = FAMILIES.flatMap((family) => family.shells);

function plainOrQuoted(value: string): string {
  return /^[A-Za-z0-9,._:-]+$/.test(value) ? value : quote(value);
}

function familyOf(shell: string): Family | null {
  const name = shell.slice(shell.lastIndexOf("/") + 1);
  return FAMILIES.find((family) => family.shells.includes(name)) ?? null;
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
 * Makes a job's script. The GPU also stands in the job's environment (for a shell of no known family only there); the line here
 * lets a person run the script by hand and see the same.
 *
 * The last line tells a script that ended by itself with a code above 128 from one whose shell was ended by a signal. The blank
 * line before it takes the sting out of a command that ends in a backslash.
 */
export function jobScript(job: ScriptSpec): string {
  const family = familyOf(job.shell);
  const lines = [job.shell.startsWith("/") ? `#!${job.shell}` : `#!/usr/bin/env ${job.shell}`];
  if (family !== null && job.pyenv !== null && job.pyenv !== "") lines.push(family.source(job.pyenv));
  if (family !== null && job.gpu !== null && job.gpu !== "") lines.push(family.gpu(plainOrQuoted(job.gpu)));
  lines.push(job.command);
  if (family !== null && family.epilogue !== null) lines.push("", family.epilogue(job.name));
  return lines.join("\n") + "\n";
}
