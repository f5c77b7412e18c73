/**
 * The fields of a Slurm entry in words: for commands and REST alike. Pure.
 *
 * @module
 */

/** A field: its name in the file, what stands for its value, what it means, and an example. */
export interface SlurmWord {
  readonly key: string;
  readonly value: string;
  readonly text: string;
  readonly example: string;
}

/** All of them, in the order in which they are written. */
export const SLURM_WORDS: readonly SlurmWord[] = [
  { key: "kind", value: "kind", text: "slurm: the entry stands for allocations of Slurm", example: "slurm" },
  { key: "partition", value: "name", text: "Slurm: partition of the allocations", example: "gpu" },
  { key: "account", value: "name", text: "Slurm: account that they are charged to", example: "physics" },
  { key: "qos", value: "name", text: "Slurm: quality of service", example: "normal" },
  { key: "time", value: "duration", text: "Slurm: time limit of an allocation (default: 1h)", example: "4h" },
  { key: "nodes", value: "number", text: "Slurm: nodes of an allocation (default: 1)", example: "1" },
  { key: "constraint", value: "features", text: "Slurm: features that nodes must have", example: "a100" },
  { key: "extra", value: "words", text: "Slurm: further options of sbatch", example: "--exclusive" },
  { key: "allocations", value: "number", text: "Slurm: allocations at once, at most (default: 1)", example: "10" },
  {
    key: "idle",
    value: "duration",
    text: "Slurm: an allocation without jobs for so long is ended (default: 5m)",
    example: "5m",
  },
  {
    key: "jobs_per_allocation",
    value: "number",
    text: "Slurm: jobs that an allocation gets in all; 0 for no limit (default: 0)",
    example: "0",
  },
  {
    key: "link",
    value: "way",
    text: "Slurm: what leads to a node, srun or, where its steps are forbidden, ssh (default: srun)",
    example: "srun",
  },
];
