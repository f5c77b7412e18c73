/** What `cms queue --service start` asks on a real terminal, and what it shows of the answers. */
import assert from "node:assert/strict";
import { compiledCms } from "../../testing/compiled.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { RIGHT } from "../../testing/service/service.ts";

const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");

/** A terminal with a program in it, made by script(1). */
class Terminal {
  /** All that the screen has shown. */
  screen = "";
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<void>;

  constructor(command: string, cwd: string) {
    this.#child = new Deno.Command("script", {
      args: ["--quiet", "--return", "--flush", "--command", command, "/dev/null"],
      cwd,
      env: { CMS_USER: "", CMS_PASSWORD: "", NO_COLOR: "1", SHELL: "/bin/sh" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
    this.#read = this.#gather();
  }

  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  async shows(what: RegExp): Promise<RegExpExecArray> {
    const found = await waitUntil(() => `${what} on the screen: ${this.screen}`, () => what.exec(this.screen), {
      limitMs: 30_000,
    });
    return found!;
  }

  async #gather(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) this.screen += text;
  }

  /** The exit status of the program. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keys.close().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.ended();
  }
}

async function withTerminal(use: (terminal: Terminal) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cms-terminal-" }));
  try {
    const start = quoted([await compiledCms(), "queue", "--service", "start", "--port=0"]);
    await using terminal = new Terminal(
      `trap : INT; stty -g > before; ${start}; echo status $?; stty -g > after`,
      directory,
    );
    await use(terminal);
    // The terminal is as it was before, for whatever comes next on it.
    assert.equal(await terminal.ended(), 0, terminal.screen);
    const read = async (name: string) => await Deno.readTextFile(`${directory}/${name}`);
    assert.equal(await read("after"), await read("before"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const whyNot = whyNoPrograms("script", "stty");

needTest("the password is asked for without echo, with keys to mend it; Ctrl-C ends the service", whyNot, async () => {
  await withTerminal(async (terminal) => {
    await terminal.shows(/User name: $/);
    await terminal.type("pi\r");
    await terminal.shows(/Password: $/);
    // Wrong at first: all is taken back once, then a character of two bytes.
    await terminal.type("wrong\x15red berré\x7fy\r");
    const [, url = ""] = await terminal.shows(/Listening on (\S+),/);
    const reply = await fetch(`${url}/`, { headers: { authorization: RIGHT } });
    assert.deepEqual([reply.status, await reply.text()], [200, '{"message":"Cloudmesh Queue Server"}']);
    await terminal.type("\x03");
    await terminal.shows(/The service has ended.*\r\nstatus 0/s);
    assert.match(terminal.screen, /^User name: pi\r\nPassword: \r\nINFO: Listening on /);
    assert.doesNotMatch(terminal.screen, /wrong|berr/);
  });
});

needTest("a person who gives no password gets one line and exit status 2", whyNot, async () => {
  for (const key of ["\x03", "\x04", "\r"]) {
    await withTerminal(async (terminal) => {
      await terminal.shows(/User name: $/);
      await terminal.type("pi\r");
      await terminal.shows(/Password: $/);
      await terminal.type(key);
      await terminal.shows(/status 2/);
      assert.match(terminal.screen, /^User name: pi\r\nPassword: \r\nERROR: Cannot [^\r\n]+\r\nstatus 2\r\n$/);
    });
  }
});

needTest("a list on a terminal lets no text of a job move its cursor, whatever form it has", whyNot, async () => {
  const directory = await Deno.makeTempDir({ prefix: "cms-terminal-" });
  try {
    await Deno.mkdir(`${directory}/experiment`);
    const job = { name: "a", id: "a1", status: "undefined", command: "x\u001b[2Jy\u009bz\re" };
    await Deno.writeTextFile(`${directory}/experiment/a-queue.yaml`, JSON.stringify({ a: job }));
    const cms = await compiledCms();
    const lists = ["table", "json", "yaml", "csv"].map((form) =>
      quoted([cms, "queue", "list", "a", `--output=${form}`])
    );
    await using terminal = new Terminal(`${lists.join("; ")}; echo status $?`, directory);
    await terminal.shows(/status 0/);
    assert.equal(terminal.screen.split("[2J").length - 1, 4, terminal.screen);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(terminal.screen, /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]|\r(?!\n)/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
