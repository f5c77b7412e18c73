/**
 * The files beside the queue that a run looks at now and then: the list of hosts, and the pause.
 *
 * @module
 */

import type { Files } from "../deps.ts";
import type { CoreEvent } from "./events.ts";
import type { SlotHost } from "./slot_host.ts";

/** What there is to look at. */
export interface FilesToWatch {
  /** Reads the list of hosts again, if it can change; null if not. A rejection is reported and the old list stays. */
  readonly readHosts: (() => Promise<readonly SlotHost[]>) | null;
  /** The files that `readHosts` reads. */
  readonly hostFiles: readonly string[];
  /** True if the hosts are others than those last read, whatever their file says; left out where that cannot be. */
  readonly haveHostsChanged?: () => boolean;
  /** Called when the run decides by the hosts that were read last; `stamp`: those of their files, as lines of JSON. */
  readonly onHostsTaken?: (stamp: string) => void;
  /** The file that is there while the queue is paused, and what it says; left out where a queue cannot be paused. */
  readonly pause?: { readonly file: string; read(): Promise<{ readonly reason: string | null } | null> };
}

/** Looks whether they are others now. */
export class WatchedFiles {
  readonly #files: Files;
  readonly #watched: FilesToWatch;
  readonly #warn: (text: string) => void;
  /** What was last known of the file of hosts; `""` before the first look. */
  #hostStamp = "";
  /** Stamp of hosts that were read and not decided by yet. */
  #hostsRead: string | null = null;
  /** What was last known of the file of a pause. */
  #pauseStamp = "null";

  constructor(files: Files, watched: FilesToWatch, warn: (text: string) => void) {
    this.#files = files;
    this.#watched = watched;
    this.#warn = warn;
  }

  /** What has changed since the last look. */
  async look(): Promise<CoreEvent[]> {
    const found = [await this.#lookAtHosts(), await this.#lookAtPause()];
    return found.filter((event) => event !== null);
  }

  /** The run has decided by all that {@link WatchedFiles.look} found. */
  taken(): void {
    if (this.#hostsRead !== null) this.#watched.onHostsTaken?.(this.#hostsRead);
    this.#hostsRead = null;
  }

  /**
   * Reads the hosts anew if one of their files was changed. The first look reads them, too: opening a large queue took
   * a while.
   */
  async #lookAtHosts(): Promise<CoreEvent | null> {
    const { readHosts, hostFiles, haveHostsChanged } = this.#watched;
    if (readHosts === null || hostFiles.length === 0) return null;
    const stamps = await Promise.all(hostFiles.map((file) => this.#files.stamp(file)));
    const stamp = stamps.map((one) => JSON.stringify(one)).join("\n");
    if (stamp === this.#hostStamp && haveHostsChanged?.() !== true) return null;
    this.#hostStamp = stamp;
    try {
      const hosts = await readHosts();
      this.#hostsRead = stamp;
      return { type: "hosts", hosts };
    } catch (error) {
      this.#warn(`${(error as Error).message}; the hosts stay as they were`);
      return null;
    }
  }

  /** Takes notice of a pause and its end. The first look comes before the run begins. */
  async #lookAtPause(): Promise<CoreEvent | null> {
    const { pause } = this.#watched;
    if (pause === undefined) return null;
    const stamp = JSON.stringify(await this.#files.stamp(pause.file));
    if (stamp === this.#pauseStamp) return null;
    const now = await pause.read();
    // Where it came or went between the two, the next look must not take the same for known.
    this.#pauseStamp = (now === null) === (stamp === "null") ? stamp : "";
    return { type: "pause", isPaused: now !== null, reason: now?.reason ?? null };
  }
}
