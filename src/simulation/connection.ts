/**
 * A simulated `ssh` (or local `sh`): the manager's child at one end, an agent at the other, between them a network that
 * is slow, can be cut and mended, and can lose a connection. Bytes come in order or not at all, as TCP has it; what the
 * manager's kernel has taken goes on to the host even when ssh is dead, and may arrive much later.
 *
 * @module
 */

import { Agent, type FarEnd, type Terminal } from "./agent.ts";
import type { Host } from "./host.ts";
import { ReadPipe, writePipe } from "./pipes.ts";
import { Stager } from "./copy_inputs.ts";
import type { SimChild, SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** Pauses between tries to connect: ten seconds in all. */
const KNOCKS_MS = [1_000, 2_000, 4_000, 3_000];
/** A write waits while so much is on its way. */
const WINDOW_BYTES = 256 * 1024;
const LOCAL_LATENCY_MS = 0.1;

const encoder = new TextEncoder();

/** Something on its way: bytes for the agent or from it, or an end. */
type Parcel = {
  readonly dueMs: number;
  readonly bytes: number;
  readonly arrive: () => void;
  /** For the agent: what it gets if only so many bytes arrive. */
  readonly torn?: Uint8Array;
};

/** One direction of a connection. */
class Lane {
  readonly #timeline: Timeline;
  readonly #isOpen: () => boolean;
  readonly #parcels: Parcel[] = [];
  #isPlanned = false;
  bytes = 0;

  constructor(timeline: Timeline, isOpen: () => boolean) {
    this.#timeline = timeline;
    this.#isOpen = isOpen;
  }

  send(delayMs: number, bytes: number, arrive: () => void, torn?: Uint8Array): void {
    const dueMs = this.#timeline.nowMs + delayMs;
    this.#parcels.push(torn === undefined ? { dueMs, bytes, arrive } : { dueMs, bytes, arrive, torn });
    this.bytes += bytes;
    this.pump();
  }

  /** Loses the last parcels: all but the first `keep`. @returns The bytes of the first that is lost. */
  cut(keep: number): Uint8Array | undefined {
    const lost = this.#parcels.splice(keep);
    for (const parcel of lost) this.bytes -= parcel.bytes;
    return lost[0]?.torn;
  }

  get count(): number {
    return this.#parcels.length;
  }

  /** Plans the next arrival, if the network lets anything through. */
  pump(delayMs = 0): void {
    const first = this.#parcels[0];
    if (first === undefined || this.#isPlanned || !this.#isOpen()) return;
    this.#isPlanned = true;
    this.#timeline.at(Math.max(first.dueMs, this.#timeline.nowMs + delayMs), () => {
      this.#isPlanned = false;
      if (!this.#isOpen()) return;
      while (this.#parcels[0] !== undefined && this.#parcels[0].dueMs <= this.#timeline.nowMs) {
        const parcel = this.#parcels.shift()!;
        this.bytes -= parcel.bytes;
        parcel.arrive();
        if (!this.#isOpen()) return;
      }
      this.pump();
    });
  }
}

/** What a world gives a connection. */
export interface ConnectionParts {
  readonly process: SimProcess;
  readonly host: Host;
  readonly timeline: Timeline;
  readonly random: Random;
  /** To which name of the host. */
  readonly name: string;
  readonly isLocal: boolean;
  /** A copy of input files in place of an agent. */
  readonly isCopy: boolean;
  /** Changes what the manager sends, for variants that are broken on purpose. */
  readonly garble: ((text: string) => string) | null;
  readonly onClosed: (connection: Connection) => void;
}

/** One connection. */
export class Connection {
  readonly host: Host;
  readonly child: SimChild;
  agent: FarEnd | null = null;
  readonly #parts: ConnectionParts;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #stdout = new ReadPipe();
  readonly #stderr = new ReadPipe();
  readonly #ended = Promise.withResolvers<{ code: number; signal: string | null }>();
  #boot = "";
  /** The manager's end is there. */
  #isHere = true;
  /** The host's end knows the connection. */
  #isThere = false;
  #waiting: { bytes: Uint8Array; go: () => void; fail: (error: Error) => void }[] = [];
  #toAgent: Uint8Array[] = [];
  #endOfInput = false;
  #hasGreeted = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { host, timeline, random, isLocal, isCopy } = parts;
    this.host = host;
    const isOpen = (): boolean => host.isUp && (isLocal || host.isReachable);
    this.#up = new Lane(timeline, isOpen);
    this.#down = new Lane(timeline, isOpen);
    this.child = {
      pid: 1,
      stdin: writePipe({ write: (bytes) => this.#write(bytes), close: () => this.#closeInput() }),
      stdout: isCopy ? this.#stdout.whole : this.#stdout.stream,
      stderr: isCopy ? this.#stderr.whole : this.#stderr.stream,
      ended: this.#ended.promise,
      kill: () => this.#endHere(137, "SIGKILL"),
      orphaned: () => this.#orphaned(),
    };
    host.onChange.add(this.#onChange);
    const handshakeMs = isLocal ? 2 : host.parts.latencyMs * 6 + random.between(10, 60);
    timeline.after(handshakeMs, () => this.#connect(isOpen));
  }

  get #latencyMs(): number {
    if (this.#parts.isLocal) return LOCAL_LATENCY_MS;
    if (this.host.parts.isSteady) return this.host.parts.latencyMs;
    const { random } = this.#parts;
    return this.host.parts.latencyMs * (random.chance(0.02) ? random.between(2, 30) : random.between(0.8, 1.3));
  }

  /** The manager's machine has lost its power: nothing comes any more, and the host is not told. */
  powerLost(): void {
    this.#isHere = false;
    this.#up.cut(0);
    this.#down.cut(0);
    this.#forget();
  }

  /** True while both ends take each other for alive. */
  get isOpen(): boolean {
    return this.#isHere && this.#isThere;
  }

  /** The network loses the connection: both ends are told, what was on its way is gone but for a first part. */
  reset(): void {
    if (!this.#isThere) return;
    this.#loseSome(this.#up);
    this.#loseSome(this.#down);
    this.#hangUp();
    this.#endHere(255, null, "Connection reset by peer");
  }

  #connect(isOpen: () => boolean, knocks = 0): void {
    if (!this.#isHere) return this.#forget();
    const { host } = this;
    const { timeline, random } = this.#parts;
    if (!isOpen()) {
      const pauseMs = KNOCKS_MS[knocks];
      // TCP knocks a few times.
      if (pauseMs !== undefined) return void timeline.after(pauseMs, () => this.#connect(isOpen, knocks + 1));
      this.#endHere(255, null, `ssh: connect to host ${host.key} port 22: Connection timed out`);
      return this.#forget();
    }
    if (host.isRefusing) {
      this.#endHere(255, null, `ssh: connect to host ${host.key} port 22: Connection refused`);
      return this.#forget();
    }
    this.#isThere = true;
    this.#boot = host.boot;
    const terminal: Terminal = {
      stdout: (text) => this.#send(this.#stdout, text),
      stderr: (text) => this.#send(this.#stderr, text),
      exited: (code) =>
        this.#down.send(this.#latencyMs, 0, () => {
          this.#isThere = false;
          this.#endHere(code, null);
          this.#forget();
        }),
    };
    this.agent = this.#parts.isCopy ? new Stager(host, terminal) : new Agent(host, terminal);
    if (random.chance(0.2)) this.#send(this.#stderr, "Welcome to the machine\nlast login: yesterday");
    if (random.chance(0.05)) this.#send(this.#stdout, "You have new mail.");
    const waiting = this.#toAgent.splice(0);
    for (const bytes of waiting) this.#deliver(bytes);
    if (this.#endOfInput) this.#up.send(this.#latencyMs, 0, () => this.agent?.endOfInput());
  }

  #send(pipe: ReadPipe, text: string): void {
    const { process, name, timeline } = this.#parts;
    this.#down.send(this.#latencyMs, text.length, () => {
      // A link is one from its hello on.
      this.#hasGreeted ||= text.includes(" hello 1 ");
      // What comes after its end nobody hears.
      if (this.#hasGreeted && this.#isHere) this.host.heard.hear(process, name, timeline.nowMs);
      process.resume(() => pipe.push(encoder.encode(text)));
    });
  }

  #write(bytes: Uint8Array): Promise<void> {
    const { process, garble } = this.#parts;
    if (!process.step()) return new Promise(() => {});
    if (!this.#isHere) return Promise.reject(Object.assign(new Error("Broken pipe"), { code: "EPIPE" }));
    const sent = garble === null ? bytes : encoder.encode(garble(new TextDecoder().decode(bytes)));
    if (this.#up.bytes > WINDOW_BYTES) {
      return new Promise((go, fail) => this.#waiting.push({ bytes: sent, go, fail }));
    }
    if (this.agent === null) this.#toAgent.push(sent);
    else this.#deliver(sent);
    return Promise.resolve();
  }

  #deliver(bytes: Uint8Array): void {
    this.#up.send(this.#latencyMs, bytes.length, () => {
      this.agent?.input(bytes);
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#deliver(next.bytes);
      this.#parts.process.resume(next.go);
    }, bytes);
  }

  #closeInput(): void {
    if (this.#endOfInput) return;
    this.#endOfInput = true;
    if (this.agent !== null) this.#up.send(this.#latencyMs, 0, () => this.agent?.endOfInput());
  }

  /** The manager's process has ended: its ssh finds an end of input, and goes on to send what it was given. */
  #orphaned(): void {
    this.#closeInput();
    if (this.agent === null) this.#forget();
    this.#isHere = false;
  }

  /** Ends the manager's side. What its kernel has taken may still arrive. */
  #endHere(code: number, signal: string | null, words = ""): void {
    if (!this.#isHere) return;
    this.#isHere = false;
    const { process, random } = this.#parts;
    process.resume(() => {
      if (words !== "") this.#stderr.push(encoder.encode(`${words}\n`));
      this.#stdout.end();
      this.#stderr.end();
      for (const { fail } of this.#waiting.splice(0)) fail(new Error("Broken pipe"));
      this.#ended.resolve({ code, signal });
    });
    if (this.#isThere) {
      // A part of the last piece is how a stream ends that was cut: the agent must not carry out half a request.
      const torn = this.#up.cut(random.below(this.#up.count + 1));
      if (torn !== undefined) {
        const part = torn.subarray(0, random.below(torn.length));
        this.#up.send(this.#latencyMs, part.length, () => this.agent?.input(part));
      }
      this.#endOfInput = true;
      this.#up.send(this.#latencyMs, 0, () => this.agent?.endOfInput());
    } else this.#forget();
  }

  #hangUp(): void {
    this.#isThere = false;
    this.agent?.endOfInput();
    this.#forget();
  }

  #loseSome(lane: Lane): void {
    lane.cut(this.#parts.random.below(lane.count + 1));
  }

  #forget(): void {
    this.host.onChange.delete(this.#onChange);
    this.#parts.onClosed(this);
  }

  /** The host was booted, or the network is another now. */
  readonly #onChange = (): void => {
    const { host } = this;
    const { random } = this.#parts;
    if (this.#isThere && host.isUp && host.boot !== this.#boot) {
      // The new kernel knows nothing of the connection, and says so to whoever sends on it.
      this.#isThere = false;
      this.agent = null;
      this.#up.cut(0);
      this.#down.cut(0);
      this.#parts.timeline.after(random.between(10, 2_000), () => this.#endHere(255, null, "Connection reset by peer"));
      this.#forget();
      return;
    }
    // TCP tries again after pauses that grow with the length of the cut.
    const pauseMs = random.between(0, 3_000);
    this.#up.pump(pauseMs);
    this.#down.pump(pauseMs);
  };
}
