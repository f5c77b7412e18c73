/**
 * What an entry of kind `slurm` asks of Slurm, beside what every host has. Pure.
 *
 * @module
 */

/** The fields of a Slurm entry. What is null is left to Slurm. */
export interface SlurmFields {
  readonly partition: string | null;
  readonly account: string | null;
  readonly qos: string | null;
  /** Time limit of an allocation, such as `4h`. */
  readonly time: string;
  /** Nodes of an allocation. Each is a machine of its own. */
  readonly nodes: number;
  /** GPUs of each node. */
  readonly gpus: number;
  /** CPUs of each node; 0: what Slurm gives. */
  readonly cpus: number;
  /** Memory of each node, such as `64G`. */
  readonly memory: string | null;
  readonly constraint: string | null;
  /** Further words for `sbatch`. */
  readonly extra: string | null;
  /** Allocations at once, pending ones among them. */
  readonly allocations: number;
  /** An allocation without jobs for so long is ended. */
  readonly idle: string;
  /** Jobs that an allocation gets in all; 0 for no limit. */
  readonly jobsPerAllocation: number;
}
