/**
 * What an entry of kind `slurm` asks of Slurm, beside what every host has. In the cluster's file these are fields of
 * the entry like others; a plain host has none of them. Pure.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { shortened } from "../names/some_names.ts";
import { durationField, parseDuration } from "../names/units.ts";
import type { SlurmLink } from "./slurm_place.ts";

/** An entry of a cluster, as far as it matters here. */
interface EntryFields {
  readonly gpus?: string | null | undefined;
  readonly cpus?: number | null | undefined;
  readonly memory?: string | null | undefined;
  /** What not every host has. */
  readonly extra: Readonly<Record<string, unknown>>;
}

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
  /** What leads from the login host to a node. */
  readonly link: SlurmLink;
}

type Reader = (text: string, key: string) => string | number;

/** How the text of each field is read, in the order in which they are written. */
const READERS: Readonly<Record<string, Reader>> = {
  kind: (text, key) => text === "slurm" ? text : fail(key, text, "slurm, or leave it out for a host over ssh"),
  partition: word,
  account: word,
  qos: word,
  time: (text, key) => parseDuration(text) < 60_000 ? fail(key, text, "a minute or more") : durationField(text),
  nodes: (text, key) => integer(text, key, 1),
  constraint: line,
  extra: (text, key) =>
    /^--?[A-Za-z]/.test(text) ? line(text, key) : fail(key, text, "options of sbatch, such as --exclusive"),
  allocations: (text, key) => integer(text, key, 0),
  idle: (text) => durationField(text),
  jobs_per_allocation: (text, key) => integer(text, key, 0),
  link: (text, key) => text === "srun" || text === "ssh" ? text : fail(key, text, "srun or ssh"),
};

/** The fields that only entries of Slurm have, as the file and `cluster set` name them. */
export const SLURM_FIELDS: readonly string[] = Object.keys(READERS);

/** Reads the text of one of {@link SLURM_FIELDS}. @throws {InvalidError} If it cannot be used. */
export function slurmField(key: string, text: string): string | number {
  return READERS[key]!(text, key);
}

/** True if the entry stands for allocations of Slurm. */
export function isSlurm({ extra }: Pick<EntryFields, "extra">): boolean {
  return extra["kind"] === "slurm";
}

/** What an entry asks of Slurm; null for a host over ssh. Its fields have been read. */
export function slurmOf(host: EntryFields): SlurmFields | null {
  const { extra } = host;
  if (!isSlurm(host)) return null;
  const text = (key: string): string | null => {
    const value = extra[key];
    return value === undefined || value === null || value === "" ? null : String(value);
  };
  return {
    partition: text("partition"),
    account: text("account"),
    qos: text("qos"),
    time: text("time") ?? "1h",
    nodes: Number(text("nodes") ?? 1),
    gpus: Number(host.gpus ?? 0),
    cpus: host.cpus ?? 0,
    memory: host.memory ?? null,
    constraint: text("constraint"),
    extra: text("extra"),
    allocations: Number(text("allocations") ?? 1),
    idle: text("idle") ?? "5m",
    jobsPerAllocation: Number(text("jobs_per_allocation") ?? 0),
    link: text("link") === "ssh" ? "ssh" : "srun",
  };
}

/** What is wrong with fields that are right each by itself; null if nothing is. */
export function slurmConflict(fields: Readonly<Record<string, unknown>>): string | null {
  if (fields["link"] !== "ssh" || Number(fields["nodes"] ?? 1) === 1) return null;
  return "link ssh and nodes cannot be used together: the other nodes of an allocation are reached by srun";
}

/** GPUs of a node as an entry of Slurm has them: a number. @throws {InvalidError} If it is none. */
export function slurmGpus(text: string): string {
  return String(integer(text, "gpus", 0));
}

/** Slots of a node where the entry does not say: as many as it has GPUs, or CPUs, or one. */
export function slurmCapacity({ gpus, cpus }: Pick<EntryFields, "gpus" | "cpus">): number {
  return Number(gpus ?? 0) || (cpus ?? 0) || 1;
}

function word(text: string, key: string): string {
  return /^[A-Za-z0-9_][A-Za-z0-9_.,:@+-]{0,199}$/.test(text) ? text : fail(key, text, "a name without blanks");
}

function line(text: string, key: string): string {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text) || text.length > 2_000 ? fail(key, text, "text of one line") : text;
}

function integer(text: string, key: string, least: number): number {
  const number = /^[0-9]{1,6}$/.test(text) ? Number(text) : -1;
  return number < least ? fail(key, text, `a whole number, ${least} or more`) : number;
}

function fail(key: string, text: string, wanted: string): never {
  throw new InvalidError([`Cannot use ${JSON.stringify(shortened(text))} as ${key}: give ${wanted}`]);
}
