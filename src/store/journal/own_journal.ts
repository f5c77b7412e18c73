/**
 * The journal as whoever writes the queue has it: with the queue's id, and begun anew where that is due.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import type { Jobs } from "../changes.ts";
import type { StorePaths } from "../paths.ts";
import type { YamlFile } from "../yaml/yaml_file.ts";
import type { JournalHeader, JournalRecord } from "./journal.ts";
import { JournalFile } from "./journal_file.ts";
import type { CarriedRecords } from "./journal_place.ts";
import { flightRecords } from "./journal_records.ts";

/** See the module. What writes is called under the queue's lock. */
export class OwnJournal extends JournalFile {
  readonly #deps: Deps;
  readonly #yaml: YamlFile;
  readonly #at: string;
  readonly #freshId: string;
  /** Names a journal that is being begun here, or whose beginning failed; `""` where all is well. */
  #begun = "";

  /** Touches no file. `at`: the host and directory where the queue lives. */
  constructor(deps: Deps, paths: StorePaths, experiment: string, yaml: YamlFile, at: string) {
    super(deps.files, paths, experiment);
    this.#deps = deps;
    this.#yaml = yaml;
    this.#at = at;
    this.#freshId = deps.ids.hex(8);
  }

  /** The queue's id; stable once there is a journal that says it. */
  get id(): string {
    return this.header?.at === this.#at ? this.header.queue : this.#freshId;
  }

  /** True if this is the header of a journal that was begun here, and whose beginning seemed to fail. */
  isBegun(header: JournalHeader | null): boolean {
    return header !== null && header.begun === this.#begun;
  }

  /** Sees to it that the journal on the disk says our id and place. */
  async ensure(jobs: Jobs): Promise<void> {
    const { header } = this;
    if (header?.at === this.#at) return;
    const ours = { ...this.#newHeader(), queue: this.#freshId, yaml: header?.yaml ?? this.#yaml.hash };
    if (header === null) await this.begin(ours, flightRecords(jobs.values()));
    else await this.rename(ours);
    this.#begun = "";
  }

  /**
   * A new journal for the YAML as it is, with these records and one for each job in flight.
   * @param jobs As the YAML has them. @param carried What was written since.
   */
  async beginAnew(records: readonly JournalRecord[], jobs: Iterable<Job>, carried?: CarriedRecords): Promise<void> {
    await this.begin(this.#newHeader(), [...records, ...flightRecords(jobs)], carried);
    this.#begun = "";
  }

  #newHeader(): JournalHeader {
    const { hash, written } = this.#yaml;
    this.#begun = this.#deps.ids.hex(6);
    const header = { queue: this.id, at: this.#at, yaml: hash, begun: this.#begun };
    return written === null ? header : { ...header, written };
  }
}
