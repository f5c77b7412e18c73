/**
 * The words of Slurm's commands. Pure.
 *
 * @module
 */

import type { SlurmFields } from "../cluster/slurm_entry.ts";
import { parseDuration, parseSize } from "../names/units.ts";

/**
 * What an entry is in the words of `sbatch`: the same for a submit and for a dry run.
 *
 * Nothing is requeued: the allocator decides what is asked for again. Nothing of the caller's environment goes there.
 */
export function entryWords(entry: SlurmFields): string[] {
  const { partition, account, qos, time, nodes, gpus, cpus, memory, constraint, extra } = entry;
  const word = (option: string, value: string | null) => value === null ? [] : [`--${option}=${value}`];
  return [
    "--no-requeue",
    "--export=NIL",
    "--output=/dev/null",
    "--signal=B:USR1@60",
    // Slurm's limits are whole minutes.
    `--time=${Math.max(1, Math.ceil(parseDuration(time) / 60_000))}`,
    `--nodes=${nodes}`,
    "--ntasks-per-node=1",
    ...word("partition", partition),
    ...word("account", account),
    ...word("qos", qos),
    ...word("constraint", constraint),
    ...(cpus > 0 ? [`--cpus-per-task=${cpus}`] : []),
    ...(memory === null ? [] : [`--mem=${Math.ceil(parseSize(memory) / 1024 ** 2)}M`]),
    ...(gpus > 0 ? [`--gres=gpu:${gpus}`] : []),
    // Last: of a word that is given twice Slurm takes the second.
    ...(extra ?? "").split(/\s+/).filter((each) => each !== ""),
  ];
}
