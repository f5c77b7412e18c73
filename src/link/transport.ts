/**
 * The transport to a machine: everything in which a link over ssh and a local one differ.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";

/** Why a machine cannot be reached, in one line. `lasting`: trying again soon is of no use. */
export interface Cause {
  readonly reason: string;
  readonly lasting: boolean;
}

/** What became of the copies. */
export interface Staged {
  /** The directory there is the manager's own: nothing was copied, nor need be. */
  readonly isSame: boolean;
  /** Jobs whose files cannot be copied, each with the reason. */
  readonly failed: ReadonlyMap<JobName, string>;
}

/** Files that a job sends. */
export interface SendRequest {
  readonly job: JobName;
  /** Its directory there, below the experiment directory. */
  readonly place: string;
  /** Where it starts, if not there. */
  readonly workdir: string | null;
  /** Absolute paths on the manager, and what of them is kept there. */
  readonly paths: readonly { readonly source: string; readonly kept: string }[];
}

/** What sends files of jobs to one machine. */
export interface FileSender {
  /** Brings a job its files. @returns Why that cannot be done; null if it is. @throws {LinkError} */
  send(request: SendRequest): Promise<string | null>;
  /** Removes what was sent, but what is needed for these paths. @throws {LinkError} If that cannot be done. */
  forget(sources: Iterable<string>): Promise<void>;
  /** Ends the connections over which nothing is being sent, and begins no other. */
  close(): Promise<void>;
}

/** From where it sends, and what the agent says of itself, see `agent/boot.ts`. */
export interface SendEnds {
  /** The experiment directory here. */
  readonly from: string;
  /** Names the agent's own directory there. */
  readonly own: string;
  readonly boot: string;
}

/** How an agent is reached. */
export interface Transport {
  /** The program whose stdin is a POSIX shell's on the machine. */
  readonly command: readonly string[];
  /** What is written before all else: it makes way for that shell. */
  readonly prologue?: string;
  /** By what name its agent goes, where that is not the host's own. */
  readonly as?: string;
  /** What it means when that program has ended. */
  readonly explain: (noise: string, code: number) => Cause;
  /**
   * Copies job directories to those of these names there, see `Link.stage`. `own` is the machine, as its agent
   * says.
   */
  readonly stage: (places: ReadonlyMap<JobName, string>, from: string, own: string) => Promise<Staged>;
  /** What sends files of jobs there. */
  readonly sender: (ends: SendEnds) => FileSender;
}

/** For links over which nothing is sent. */
export function noSender(): FileSender {
  throw new Error("Nothing is sent over this link");
}

/** What is said where a shell ended for no reason that is known. `said`: its last words. */
export function shellEnded(code: number, said: string): string {
  return `its shell ended with ${code}${said === "" ? "" : `: ${said}`}`;
}
