/**
 * The agent on a simulated host: what the files `src/agent/*.sh` do with each request, in the same
 * order and with the same words. One request after the other; starts, kills, removals and watches are processes of
 * their own.
 *
 * @module
 */

import { type Asker, isBeside, makeDirectories, regain, stateOf, unmakeDirectories } from "./claims.ts";
import type { JobDirectory } from "./job_directory.ts";
import type { Host } from "./host.ts";
import { EventsFile, type HostProcess, type Steps, type Tell, UNTIL_WOKEN } from "./host_process.ts";
import { setLimits } from "./limits.ts";
import { tellGpus } from "./gpus.ts";
import { kills, removes, watch } from "./helpers.ts";
import { Backlog } from "./backlog.ts";
import { forbid, locate } from "./tombstones.ts";
import { NotARequest, readCall, type Request, RequestReader } from "./requests.ts";
import { runWrapper, type StartWords } from "./wrapper.ts";

/** Status of an agent that was killed: it could not tidy up. */
const KILLED = 137;
/** Time for one request, ms. */
const REQUEST_MS = 0.3;

/** The far end of a connection, as its agent sees it. */
export interface Terminal {
  stdout(text: string): void;
  stderr(text: string): void;
  /** The agent has ended. */
  exited(code: number): void;
}

/** What runs at the far end of a connection. */
export interface FarEnd {
  /** Bytes on stdin. */
  input(bytes: Uint8Array): void;
  /** End of stdin. */
  endOfInput(): void;
}

/** An agent's process. */
export class Agent implements FarEnd {
  readonly process: HostProcess;
  readonly #host: Host;
  readonly #terminal: Terminal;
  readonly #input = new RequestReader();
  #ended = false;
  #code = KILLED;
  readonly #backlogs = new Map<string, Backlog>();
  #tail: HostProcess | null = null;
  #tell: Tell = { events: new EventsFile(), queue: "" };

  constructor(host: Host, terminal: Terminal) {
    this.#host = host;
    this.#terminal = terminal;
    this.process = host.spawn("agent", null, () => this.#main());
    this.process.onGone.push(() => {
      // A trap ends the tail, unless nothing could be trapped; then it goes when it next has something to say.
      if (this.#tail !== null) host.end(this.#tail);
      if (this.#code !== KILLED) { for (const backlog of this.#backlogs.values()) backlog.over(); }
      terminal.exited(this.#code);
    });
  }

  input(bytes: Uint8Array): void {
    this.#input.push(bytes);
    this.#host.wake(this.process);
  }

  endOfInput(): void {
    this.#ended = true;
    this.#host.wake(this.process);
  }

  get tail(): HostProcess | null {
    return this.#tail;
  }

  get #role(): string {
    return this.#input.setup?.role ?? "";
  }

  #say(text: string): void {
    this.#terminal.stdout(`${this.#input.setup?.token} ${text}\n`);
  }

  *#main(): Steps {
    while (true) {
      let request: Request | null;
      try {
        request = this.#input.next();
      } catch (error) {
        if (!(error instanceof NotARequest)) throw error;
        return this.#host.parts.truth.fail(`text became code on ${this.#host.key}: ${error.message}`);
      }
      if (request !== null) {
        yield REQUEST_MS;
        yield* this.#carryOut(request);
        if (this.#code !== KILLED) return;
      } else if (this.#ended) {
        this.#code = 0;
        return;
      } else yield UNTIL_WOKEN;
    }
  }

  *#carryOut({ verb, args }: Request): Steps {
    switch (verb) {
      case "hello":
        return yield* this.#hello();
      case "begin":
        return yield* this.#begin();
      case "dirs":
        if (!this.#tell.events.exists) this.#code = 0;
        return yield* makeDirectories(this.#host, args, this.#tell.queue);
      case "undirs":
        return yield* unmakeDirectories(this.#host, args, this.#tell.queue);
      case "start":
        return this.#start(args);
      case "backlog":
        return yield* this.#changeBacklog(args[0]!, args[1]!);
      case "queue":
        return yield* this.#queue(args);
      case "ask":
        return yield* this.#ask(args[0]!, args.slice(1));
      case "forbid":
        return yield* this.#forbid(args[0]!, args.slice(1));
      case "kill":
        this.#host.spawn("helper", null, () => kills(this.#host, this.#tell, args));
        return;
      case "gpus":
        this.#host.spawn("helper", null, () => tellGpus(this.#host, this.#tell, args[0]!));
        return;
      case "limit":
        yield* setLimits(this.#host, this.#tell.queue, args.slice(1));
        return this.#say(`z ${args[0]}`);
      case "remove":
        this.#host.spawn("helper", null, () => removes(this.#host, this.#tell, args, this.process));
        return;
      case "shared":
        if (this.#host.sees(args[1]!)) this.#tell = { ...this.#tell, keep: true };
        return this.#say(`${this.#tell.keep === true ? "z" : "n"} ${args[0]}`);
      case "locate":
        return yield* this.#locate(args[0]!, args.slice(1));
      case "marks":
        for (const { kind, pid, mark } of this.#host.processes()) {
          if (kind !== "job" && kind !== "child") continue;
          const { queue, job } = this.#host.parts.truth.of(mark!);
          this.#say(`m ${args[0]} ${pid} ${mark} ${queue}/${job}`);
        }
        return this.#say(`z ${args[0]}`);
      case "read":
        return this.#say(`n ${args[0]}`);
      case "ping":
        if (!this.#tell.events.exists || this.#tail === null || !this.#tail.alive) this.#code = 0;
        else this.#say(`p ${args[0]}`);
        return;
      default:
        this.#host.parts.truth.fail(`the agent knows no request ${verb}`);
    }
  }

  *#hello(): Steps {
    const host = this.#host;
    this.#terminal.stdout("\n"); // A banner may have ended in the middle of a line.
    if (host.isFull) {
      this.#say("need 0 cannot write: No space left on device");
      this.#code = 0;
      return;
    }
    if (this.#role !== "resident") yield* this.#begin();
    this.#say(`hello 1 ${host.machine}/${host.boot} ${host.hostname} me ${this.#input.setup!.directory}`);
  }

  *#begin(): Steps {
    const host = this.#host;
    const { queue, token } = this.#input.setup!;
    if (host.isFull) {
      this.#say("need 0 cannot write: No space left on device");
      this.#code = 0;
      return;
    }
    if (host.bootMarkMs === Infinity) host.bootMarkMs = host.parts.timeline.nowMs;
    yield 0;
    const isResident = this.#role === "resident";
    const before = host.residents.get(queue);
    if (isResident && before !== undefined && before.boot === host.boot) {
      host.end(before.tail);
      host.end(before.agent);
      yield 0;
    }
    if (isResident) {
      // Backlogs of an agent that could not end them itself.
      for (const backlog of host.backlogsOf(queue)) backlog.over();
      host.backlogsOf(queue).clear();
    }
    let events = isResident ? host.events.get(queue) : undefined;
    if (events === undefined) {
      events = new EventsFile();
      if (isResident) host.events.set(queue, events);
    }
    events.lines.length = 0;
    this.#tell = { events, queue };
    this.#terminal.stderr(`\n${token}\n`);
    yield 0;
    const tail = host.spawn("tail", null, null);
    const follow = (line: string): void => this.#terminal.stderr(`${line}\n`);
    tail.onGone.push(() => events.followers.delete(follow));
    this.#tail = tail;
    for (const line of events.lines) follow(line);
    events.followers.add(follow);
    if (isResident) host.residents.set(queue, { agent: this.process, tail, boot: host.boot });
  }

  #wordsOf(args: readonly string[]): StartWords {
    const [job = "", attempt = "", shell = "", , , gpu = "", script = "", limit = "-", variables = ""] = args;
    this.#host.parts.truth.asked(job, attempt, script, { words: args.length, queue: this.#tell.queue });
    const slot = /CMS_SLOT=(\d+)$/.exec(variables)?.[1] ?? "";
    return { job, attempt, shell, gpu, script, limit, variables, slot };
  }

  #start(args: readonly string[]): void {
    const start = this.#wordsOf(args);
    const tell = this.#tell;
    this.#host.spawn("wrapper", start.attempt, (self) => runWrapper(this.#host, self, start, tell));
  }

  *#changeBacklog(number: string, change: string): Steps {
    const backlog = this.#backlogs.get(number);
    if (change.startsWith("+")) {
      if (backlog !== undefined) yield* backlog.more(this.process, slotsOf(change));
      return;
    }
    backlog?.over();
    this.#backlogs.delete(number);
    if (change === "-") return;
    yield 0;
    if (this.#host.isFull) return this.#tell.events.append(`@${this.#tell.queue} Q ${number} - .`);
    const made = new Backlog(this.#host, slotsOf(change));
    this.#backlogs.set(number, made);
    this.#host.backlogsOf(this.#tell.queue).add(made);
  }

  *#queue([number = "", job = "", attempt = "", call = ""]: readonly string[]): Steps {
    const args = readCall(call);
    const start = this.#wordsOf(args ?? []);
    if (args === null || start.job !== job || start.attempt !== attempt) {
      return this.#host.parts.truth.fail(`text became code: a ticket that reads ${call.slice(0, 80)}`);
    }
    const backlog = this.#backlogs.get(number);
    // Where no backlog could be made, what is sent into it does not start.
    if (backlog === undefined || !backlog.isOn) return;
    if (!(yield* backlog.queue(this.process, start, this.#tell))) {
      this.#tell.events.append(
        `@${this.#tell.queue} R ${job} ${attempt} cannot write a ticket: no space left on the device .`,
      );
    }
  }

  *#ask(number: string, args: readonly string[]): Steps {
    for (let i = 0; 2 * i + 1 < args.length; i++) {
      const asker = this.#asker(args[2 * i]!, args[2 * i + 1]!);
      const before = this.#host.directory(asker.job, asker.queue);
      const seen = before === undefined ? "none" : yield* stateOf(this.#host, before, asker);
      const state = seen === "none" ? yield* regain(this.#host, asker, this.#role === "onlooker") : seen;
      const directory = this.#host.directory(asker.job, asker.queue);
      const isOrphan = /^alive \S+ \S+ 1|^away/.test(state);
      if (directory !== undefined && isOrphan && this.#role === "resident") this.#watch(directory, asker);
      const mark = directory !== undefined && isBeside(directory, asker) && /^(alive|ended)/.test(state);
      this.#say(`a ${number} ${i} ${state}${mark ? ` @${directory.name}` : ""}`);
      yield 0;
    }
    this.#say(`z ${number}`);
  }

  #watch(directory: JobDirectory, { job, attempt }: Asker): void {
    const host = this.#host;
    const link = directory.chain.find((link) => link.attempt === attempt);
    if (link === undefined) return;
    const { watcher } = link;
    if (watcher?.machine === host.machine && host.isAlive(watcher.pid, watcher.ticks)) return;
    const what = { job, attempt, directory, link, agent: this.process };
    const process = host.spawn("helper", null, () => watch(host, this.#tell, what));
    link.watcher = { machine: host.machine, pid: process.pid, ticks: process.startTicks };
  }

  #asker(job: string, attempt: string): Asker {
    return { job, attempt, queue: this.#tell.queue, keep: this.#tell.keep === true };
  }

  /** The directories that input files are about to be copied to. */
  *#locate(number: string, args: readonly string[]): Steps {
    for (let i = 0; 2 * i + 1 < args.length; i++) {
      const directory = yield* locate(this.#host, this.#asker(args[2 * i]!, args[2 * i + 1]!));
      if (directory !== undefined) this.#say(`w ${number} ${i} ${directory.name}`);
      yield 0;
    }
    this.#say(`z ${number}`);
  }

  *#forbid(number: string, args: readonly string[]): Steps {
    for (let i = 0; i + 1 < args.length; i += 2) yield* forbid(this.#host, this.#asker(args[i]!, args[i + 1]!));
    yield* this.#ask(number, args);
  }
}

/** Numbers of slots as `cms_backlog` takes them: `=0 1`, `+2`. */
function slotsOf(word: string): string[] {
  return word.slice(1).split(" ").filter(Boolean);
}
