/**
 * Slurm by its own commands.
 *
 * @module
 */

import { withoutComments } from "../agent/shell_text.ts";
import type { Machine } from "../cluster/machine.ts";
import type { SlurmFields } from "../cluster/slurm_entry.ts";
import type { Deps } from "../deps.ts";
import { quote } from "../names/quote.ts";
import { FIELDS, parseSights, parseSubmitted, wordsOf } from "./parse.ts";
import spoolText from "./spool.sh" with { type: "text" };
import { type Said, Site } from "./site.ts";
import {
  NAME_PREFIX,
  type Sight,
  type Slurm,
  type SlurmFacts,
  type Spool,
  type SubmitRequest,
  type Submitted,
} from "./slurm.ts";
import { starterScript } from "./starter.ts";
import { entryWords } from "./words.ts";

const SPOOL = withoutComments(spoolText) + "\n";
/** A line that is in no starter. */
const END = "CMS_END_OF_STARTER";
/** The exit status of a shell where there is no such program. */
const NO_PROGRAM = 127;

/** Words of a command, quoted. */
function line(...words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** `sbatch` with the starter on its stdin. */
function sbatch(words: readonly string[], directory: string): string {
  return `${line("sbatch", ...words)} <<'${END}'\n${starterScript(directory)}${END}`;
}

const SQUEUE = ["squeue", "--noheader", "--array", "--states=all", `--Format=${FIELDS}`] as const;

/** Makes what asks the Slurm of a login host. */
export function makeSlurm(deps: Deps, login: Machine): Slurm {
  const site = new Site(deps, login);
  const noProgram = (program: string) => `Slurm has no command ${program} on ${site.name}`;

  async function one(command: string, program: string): Promise<Said | string> {
    const said = await site.run([command]);
    if (typeof said === "string") return said;
    return said[0]!.code === NO_PROGRAM ? noProgram(program) : said[0]!;
  }

  return {
    async submit({ name, count, entry, directory }: SubmitRequest): Promise<Submitted> {
      const words = ["--parsable", `--job-name=${name}`, ...entryWords(entry), `--array=0-${count - 1}`];
      const said = await site.run([sbatch(words, directory)]);
      if (typeof said === "string") return { type: "unknown", reason: said };
      if (said[0]!.code === NO_PROGRAM) return { type: "refused", reason: noProgram("sbatch") };
      return parseSubmitted(said[0]!);
    },

    async look(names: readonly string[]): Promise<readonly Sight[] | null> {
      if (names.length === 0) return [];
      const said = await one(line(...SQUEUE, `--name=${names.join(",")}`), "squeue");
      return typeof said === "string" || said.code !== 0 ? null : parseSights(said.out);
    },

    async cancel(allocations: readonly string[]): Promise<string | null> {
      if (allocations.length === 0) return null;
      const said = await one(line("scancel", "--quiet", ...allocations), "scancel");
      if (typeof said === "string") return said;
      return said.code === 0 ? null : wordsOf(said.err) || `scancel ended with ${said.code}`;
    },

    async spool(entry: SlurmFields, directory: string): Promise<Spool> {
      const token = deps.ids.hex(8);
      const path = directory.startsWith("/") ? quote(directory) : `"$HOME"/${quote(directory)}`;
      const script = `#!/bin/sh\n[ -e ${path}/.cms-check.${token} ] || exit 3`;
      const words = [`--job-name=cms.check-${token}`, ...entryWords(entry), "--time=1", "--nodes=1"];
      const said = await one(
        `${line("sh", "-s", directory, token, script, ...words)} <<'${END}'\n${SPOOL}${END}`,
        "sh",
      );
      if (typeof said === "string") return { type: "unknown", reason: said };
      const [, type, text = ""] = /^(shared|apart|unknown) (.*)$/m.exec(said.out) ?? [];
      if (type === "shared" || type === "apart") return { type, node: text };
      return { type: "unknown", reason: text || wordsOf(said.err) || `its shell ended with ${said.code}` };
    },

    async check(entry: SlurmFields, directory: string): Promise<SlurmFacts | string> {
      const said = await site.run([
        line("sbatch", "--version"),
        sbatch(["--test-only", ...entryWords(entry)], directory),
        `${line(...SQUEUE)} --user="$(id -u)"`,
      ]);
      if (typeof said === "string") return said;
      const [version, dry, all] = said as [Said, Said, Said];
      if (version.code === NO_PROGRAM) return noProgram("sbatch");
      if (version.code !== 0) return wordsOf(version.err) || `sbatch --version ended with ${version.code}`;
      if (all.code !== 0) return wordsOf(all.err) || `squeue ended with ${all.code}`;
      return {
        version: version.out.trim(),
        refusal: dry.code === 0 ? null : wordsOf(dry.err) || `sbatch --test-only ended with ${dry.code}`,
        ours: parseSights(all.out).filter(({ name }) => name.startsWith(NAME_PREFIX)),
      };
    },
  };
}
