/**
 * A queue on files, opened: the YAML that people see and the journal of what happened since it was written, see
 * `journal.ts` for its text and `merge.ts` for what both together mean.
 *
 * Order of writes of a checkpoint, each durable before the next: a `fold` record with the new YAML's hash, the YAML, a
 * new journal. A crash between any two leaves a state that reads the same. Who runs the queue goes on meanwhile: what
 * is written after the jobs were taken for the YAML is carried over into the new journal. Whoever writes holds the
 * lock. Whoever reads holds none, see `snapshot.ts`; that nothing changed is seen from the files' stamps.
 *
 * @module
 */

import type { Deps, FileLock, FileStamp } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { someNames } from "../names/some_names.ts";
import type { Change, ExternalChanges, Jobs } from "./changes.ts";
import { idsOfOthers } from "./copied_jobs.ts";
import { notFound } from "./file_errors.ts";
import type { CarriedRecords, JournalMark } from "./journal/journal_place.ts";
import { recordsOf, stamped } from "./journal/journal_records.ts";
import type { OwnJournal } from "./journal/own_journal.ts";
import { isCheckpointDue, SMALL_YAML_BYTES } from "./large/checkpoint_due.ts";
import { locked, sameStamp, takeLock } from "./lock.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { QueueSync } from "./queue_sync.ts";
import { readLastRun, type RunClaim, sweepTemporaries } from "./run_claim.ts";
import type { LastRun, RunAbout, Runner } from "./run_status.ts";
import type { QueueState } from "./state/queue_state.ts";
import type { CheckpointPolicy, QueueStore, StoreRef } from "./store.ts";
import type { YamlFile } from "./yaml/yaml_file.ts";

/** How often a checkpoint is made anew because somebody wrote meanwhile. */
const TRIES = 5;

/** The queue at one place of its journal: what a checkpoint writes into the YAML. */
interface Cut {
  readonly jobs: readonly Job[];
  readonly mark: JournalMark;
  /** The YAML as it was then. */
  readonly yaml: { readonly stamp: FileStamp | null; readonly hash: string };
}

/** The {@link QueueStore} on real files. Made by `openQueue`. */
export class JournaledQueue implements QueueStore {
  /** Where the queue stands. */
  readonly ref: StoreRef;
  readonly #deps: Deps;
  readonly #at: string;
  readonly #paths: StorePaths;
  readonly #state: QueueState;
  readonly #journal: OwnJournal;
  readonly #yaml: YamlFile;
  readonly #claim: RunClaim;
  readonly #sync: QueueSync;

  /** Touches no file; {@link JournaledQueue.load} comes next. `at`: the host and directory where the queue lives. */
  constructor(deps: Deps, ref: StoreRef, at: string) {
    this.#deps = deps;
    this.#at = at;
    this.ref = ref;
    this.#paths = storePaths(ref, "queue");
    this.#sync = new QueueSync(deps, this.#paths, ref.experiment, at);
    ({ state: this.#state, yaml: this.#yaml, journal: this.#journal, claim: this.#claim } = this.#sync);
  }

  /** Stable once there is a journal that says it, which {@link JournaledQueue.claimRun} and the first commit see to. */
  get id(): string {
    return this.#journal.id;
  }

  get jobs(): Jobs {
    return this.#state.jobs;
  }

  get isBroken(): boolean {
    return this.#sync.isBroken;
  }

  /** Reads all for the first time. */
  async load(): Promise<void> {
    await this.#sync.refresh(null);
    if (this.#journal.header?.at !== this.#at) await this.#partFromOthers();
    const { warnings } = this.#state.takeExternal();
    this.#state.external.forgetWarnings();
    for (const text of warnings) this.#state.external.warn(text);
  }

  /**
   * Gives jobs that this queue has as a copy of another's an id of their own, before anything is done with them: else
   * what is done with a job here would be done with that of the other queue.
   */
  async #partFromOthers(): Promise<void> {
    // Where the file has no ids there is nothing to look for.
    if (this.#state.idRecords().length === this.#state.jobs.size) return;
    const others = await idsOfOthers(this.#deps, this.ref, this.#journal);
    const copies = (): Job[] => [...this.#state.jobs.values()].filter(({ id }) => others.has(id));
    const names = copies().map(({ name }) => name);
    if (names.length === 0) return;
    const { external } = this.#state;
    let warnings: readonly string[] = [];
    await this.commit((found) => {
      ({ warnings } = found);
      // Looked for anew under the lock: another command may have done it meanwhile.
      return copies().map(({ name }) => ({
        type: "set",
        job: name,
        fields: { id: this.#deps.ids.hex(16), job_directory: null, replaced: null },
      }));
    });
    external.forgetWarnings();
    for (const text of warnings) external.warn(text);
    external.warn(`${this.#paths.shown} is a copy: what hosts have of ${someNames(names)} is the other queue's`);
  }

  async sync(): Promise<ExternalChanges> {
    await this.#sync.refresh(null);
    return this.#state.takeExternal();
  }

  async commit(
    decide: (external: ExternalChanges) => readonly Change[],
    options: { durable?: boolean } = {},
  ): Promise<void> {
    await locked(this.#deps, this.#paths, async (lock) => {
      await this.#sync.refresh(lock);
      this.#sync.needCurrent();
      if (await this.#claim.keep()) this.#state.external.warn(`${this.#paths.shownRun} was removed; it was made anew`);
      const records = recordsOf(decide(this.#state.takeExternal()), this.#state.jobs);
      await this.#sync.writeRepairs();
      if (records.length === 0) return;
      const ids = this.#state.idRecords();
      await this.#journal.ensure(this.#state.jobs);
      await this.#journal.append([...ids, ...stamped(records, this.#deps.clock.epochMs())], {
        durable: options.durable ?? true,
        yamlBytes: this.#yaml.stamp?.sizeBytes ?? 0,
      });
      this.#state.committed(ids, records);
    });
  }

  async makeDurable(): Promise<void> {
    await this.#journal.sync();
  }

  async checkpoint(policy: CheckpointPolicy): Promise<boolean> {
    // Who runs the queue writes often, and nobody is to wait for it. Of others nobody sees the temporary file, as they
    // hold the lock.
    for (let i = 1; this.#claim.isOurs && i < TRIES; i++) {
      const plan = await locked(this.#deps, this.#paths, (lock) => this.#plan(policy, lock));
      if (typeof plan === "string") return plan === "done";
      if (await this.#writeYaml(plan, null) && (policy === "beside" || !this.#state.differs)) return true;
    }
    return await locked(this.#deps, this.#paths, (lock) => this.#checkpoint(policy, lock));
  }

  async endRun(
    policy: CheckpointPolicy,
    mayEnd: (external: ExternalChanges) => boolean = () => true,
  ): Promise<boolean> {
    if (!this.#claim.isOurs) return await this.checkpoint(policy).then(() => true);
    // After this nothing is left to write under the lock, as a rule. What fails here fails there too.
    if ((this.#yaml.stamp?.sizeBytes ?? 0) >= SMALL_YAML_BYTES) await this.checkpoint(policy).catch(() => false);
    return await locked(this.#deps, this.#paths, async (lock) => {
      await this.#claim.keep().catch(() => false);
      if (!this.#claim.isOurs) return true;
      await this.#sync.refresh(lock);
      if (!mayEnd(this.#state.takeExternal())) return false;
      try {
        await this.#checkpoint(policy, lock);
      } finally {
        await this.#claim.end();
      }
      return true;
    });
  }

  claimRun(run: string, about?: RunAbout): Promise<Runner | null> {
    return locked(this.#deps, this.#paths, async (lock) => {
      if (this.#claim.isOurs) return await this.#claim.runner();
      await this.#sync.refresh(lock);
      // A run is not to begin without the file, whatever the journal says.
      if (this.#yaml.stamp === null) throw notFound("queue", this.#paths.shown);
      await this.#journal.ensure(this.#state.jobs);
      const other = await this.#claim.take(run, about);
      if (other !== null) return other;
      // A run that was killed need not have made durable all that we have read, and that we are about to act on.
      await this.#journal.sync();
      await sweepTemporaries(this.#deps, this.ref, this.id);
      return null;
    });
  }

  tellRun(about: RunAbout): Promise<void> {
    return this.#claim.tell(about);
  }

  runner(): Promise<Runner | null> {
    return this.#claim.runner();
  }

  lastRun(): Promise<LastRun | null> {
    return readLastRun(this.#deps, this.#paths);
  }

  /** Releases all that is held; the files stay as they are. */
  close(): void {
    this.#journal.close();
    this.#claim.release();
  }

  async #checkpoint(policy: CheckpointPolicy, lock: FileLock): Promise<boolean> {
    for (let i = 0; i < TRIES; i++) {
      const plan = await this.#plan(i === 0 ? policy : "always", lock);
      if (typeof plan === "string") return plan === "done";
      if (await this.#writeYaml(plan, lock)) return true;
    }
    return false;
  }

  /** What a checkpoint has to write now. `done`: it was the journal alone, and that is written. */
  async #plan(policy: CheckpointPolicy, lock: FileLock): Promise<"nothing" | "done" | Cut> {
    await this.#sync.refresh(lock);
    await this.#sync.writeRepairs();
    // Who runs the queue knows all of it, and nobody else may take the file away.
    const isToMake = this.#sync.isGone && this.#claim.isOurs;
    const { differs } = this.#state;
    if (!isToMake && (this.#sync.isBroken || !(differs || this.#sync.isEdited))) return "nothing";
    const yamlBytes = this.#yaml.stamp?.sizeBytes ?? 0;
    if (policy === "cheap" && !isCheckpointDue({ yamlBytes, journalBytes: this.#journal.bytes })) return "nothing";
    if (!this.#claim.isOurs && await this.runner() !== null) return "nothing";
    if (isToMake || differs) return await this.#cut();
    // Only a person changed something: the file stays as it was saved, with its comments.
    await this.#sync.beginJournal();
    return "done";
  }

  /** The queue as it is now; called under the lock. */
  async #cut(): Promise<Cut> {
    await this.#journal.ensure(this.#state.jobs);
    const { stamp, hash } = this.#yaml;
    return { jobs: [...this.#state.jobs.values()], mark: this.#journal.mark, yaml: { stamp, hash } };
  }

  /** True if since then the journal has only grown, and nobody changed the YAML. */
  #follows({ mark, yaml }: Cut): boolean {
    return this.#journal.continues(mark) && sameStamp(yaml.stamp, this.#yaml.stamp) && yaml.hash === this.#yaml.hash;
  }

  /**
   * Writes the YAML of a cut and begins a new journal with what was written since, unless a person edited the YAML
   * meanwhile. For a large queue it takes a while to make the text.
   * @param lock null if it is not held: then it is taken only when the temporary file is complete.
   */
  async #writeYaml(cut: Cut, lock: FileLock | null): Promise<boolean> {
    const text = await this.#yaml.render(cut.jobs);
    const hash = await this.#deps.files.hash(text.pieces);
    let own: FileLock | null = null;
    let carried: CarriedRecords | undefined;
    const announce = async (): Promise<boolean> => {
      if (lock === null) {
        own = await takeLock(this.#deps, this.#paths);
        await this.#sync.refresh(own);
        if (!this.#follows(cut)) return false;
        carried = await this.#journal.since(cut.mark);
      }
      await this.#journal.append([{ type: "fold", yaml: hash, records: cut.mark.records }], { durable: true });
      return true;
    };
    try {
      if (!await this.#yaml.isStill() || !await this.#yaml.write(text, hash, announce)) return false;
      await this.#sync.yamlWritten(cut.jobs, carried);
      return true;
    } finally {
      (own as FileLock | null)?.release();
    }
  }
}
