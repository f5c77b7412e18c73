/** The service as a process of the executable: its start, its lines, its refusals, its end. */
import assert from "node:assert/strict";
import { certificateFor } from "../../testing/certificate.ts";
import { compiledCms } from "../../testing/compiled.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { RIGHT } from "../../testing/service/service.ts";

const PROGRAM = await compiledCms();

/** A `cms` process that is ended with the test. */
class Cms {
  readonly child: Deno.ChildProcess;
  out = "";
  err = "";
  readonly #read: Promise<unknown>;

  /** @param before What a shell does before it becomes `cms`. */
  constructor(directory: string, env: Record<string, string>, args: readonly string[], before = ":") {
    this.child = new Deno.Command("/bin/sh", {
      args: ["-c", `${before}; exec "$@"`, "sh", PROGRAM, ...args],
      cwd: directory,
      env: { CMS_USER: "", CMS_PASSWORD: "", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const gather = async (from: ReadableStream<Uint8Array<ArrayBuffer>>, to: "out" | "err") => {
      for await (const text of from.pipeThrough(new TextDecoderStream())) this[to] += text;
    };
    this.#read = Promise.all([gather(this.child.stdout, "out"), gather(this.child.stderr, "err")]);
  }

  /** Exit status, when all that it printed is here. */
  async ended(): Promise<number> {
    const limit = setTimeout(() => this.child.kill("SIGKILL"), 60_000);
    const { code } = await this.child.status;
    clearTimeout(limit);
    await this.#read;
    return code;
  }

  /** The address it says it listens on. */
  async url(): Promise<string> {
    const describe = () => `the service to listen: ${this.out}${this.err}`;
    const match = await waitUntil(describe, () => /Listening on (\S+),/.exec(this.out), { limitMs: 30_000 });
    return match![1]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.ended();
  }
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "cms-server-" });
  try {
    await Deno.writeTextFile(`${directory}/credentials`, "pi:red berry\n", { mode: 0o600 });
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const START = ["queue", "--service", "start"];

Deno.test("the service starts, answers, logs, and ends in good order on TERM with a stream open", async () => {
  await withDirectory(async (directory) => {
    await using cms = new Cms(directory, {}, [...START, "--port=0", "--credentials=credentials", "--log=json"]);
    const listening = await waitUntil("the service to listen", () => /"listening":"([^"]+)"/.exec(cms.err), {
      limitMs: 30_000,
    });
    const url = listening![1]!;
    assert.match(url, /^http:\/\/127\.0\.0\.1:[0-9]+$/);
    const headers = { authorization: RIGHT };
    const made = await fetch(`${url}/queue/?name=a`, { method: "POST", headers });
    assert.equal(await made.text(), "{}");
    assert.equal((await fetch(`${url}/`)).status, 401);
    // The answer was durable: the file is there.
    assert.equal(await Deno.readTextFile(`${directory}/experiment/a-queue.yaml`), "{}\n");
    const events = await fetch(`${url}/events`, { headers });
    assert.equal(events.status, 200);
    cms.child.kill("SIGTERM");
    await events.text().catch(() => {});
    assert.equal(await cms.ended(), 0, cms.err);
    const lines = cms.err.trim().split("\n").map((line) => JSON.parse(line));
    assert.ok(lines.some((line) => line.path === "/queue/" && line.status === 200 && line.user === "pi"), cms.err);
  });
});

Deno.test("a port that is taken is one line and exit status 2", async () => {
  await withDirectory(async (directory) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    await using cms = new Cms(directory, { CMS_USER: "pi", CMS_PASSWORD: "x" }, [...START, `--port=${port}`]);
    assert.equal(await cms.ended(), 2);
    assert.deepEqual([cms.out, cms.err], [
      "",
      `ERROR: Cannot listen on 127.0.0.1:${port}: the port is taken; choose another with --port\n`,
    ]);
  });
});

Deno.test("credentials are refused that others may read, or that are missing; so is an open address without TLS", async () => {
  await withDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/open`, "pi:x\n");
    await Deno.chmod(`${directory}/open`, 0o644);
    await Deno.writeFile(`${directory}/binary`, new Uint8Array([0x70, 0x69, 0x3a, 0xff]), { mode: 0o600 });
    await Deno.writeTextFile(`${directory}/long`, `pi:${"x".repeat(4094)}\n`, { mode: 0o600 });
    const cases: [args: string[], error: RegExp][] = [
      [
        ["--credentials=open"],
        /^ERROR: Cannot use the credentials in open: others may read it; say: chmod 600 open\n$/,
      ],
      [["--credentials=binary"], /^ERROR: binary: cannot read: it is not UTF-8 text\n$/],
      [
        ["--credentials=/dev/stdin"],
        /^ERROR: Cannot (read|use) the credentials in \/dev\/stdin: .*\n$/,
      ],
      [["--credentials=long"], /^ERROR: Cannot use a user name and password of more than 4095 bytes in all\n$/],
      [
        ["--allow-host=*", "--credentials=credentials"],
        /^ERROR: Cannot use "\*" in --allow-host: give whole names without a port, such as jobs\.example\.org\n$/,
      ],
      [["--credentials=nosuch"], /^ERROR: Cannot read the credentials: no file nosuch\n$/],
      [[], /^ERROR: Cannot start without a user name and a password: answer on a terminal, .*\n$/],
      [
        ["--bind=0.0.0.0", "--credentials=credentials"],
        /^ERROR: Cannot listen on 0\.0\.0\.0 without TLS: .*--insecure.*\n$/,
      ],
      [["--cert=credentials", "--credentials=credentials"], /^ERROR: Give both --cert and --key, or none\n$/],
    ];
    await Promise.all(cases.map(async ([args, error]) => {
      await using cms = new Cms(directory, {}, [...START, "--port=0", ...args]);
      assert.equal(await cms.ended(), 2);
      assert.equal(cms.out, "");
      assert.match(cms.err, error);
    }));
  });
});

Deno.test("a password of 4 kB is the one that works", async () => {
  await withDirectory(async (directory) => {
    const password = "x".repeat(4092);
    await Deno.writeTextFile(`${directory}/long`, `pi:${password}\n`, { mode: 0o600 });
    await using cms = new Cms(directory, {}, [...START, "--port=0", "--credentials=long"]);
    const url = (await waitUntil("the service", () => /Listening on (\S+),/.exec(cms.out + cms.err)))![1]!;
    for (const [pair, status] of [[`pi:${password}`, 200], [`pi:${password.slice(1)}`, 401]] as const) {
      const reply = await fetch(url, { headers: { authorization: `Basic ${btoa(pair)}` } });
      await reply.body?.cancel();
      assert.equal(reply.status, status);
    }
  });
});

Deno.test("requests on one queue at the same time all take effect", async () => {
  await withDirectory(async (directory) => {
    await using cms = new Cms(directory, { CMS_USER: "pi", CMS_PASSWORD: "red berry" }, [...START, "--port=0"]);
    const url = await cms.url();
    const ask = async (method: string, path: string) => {
      const reply = await fetch(url + path, { method, headers: { authorization: RIGHT } });
      assert.equal(reply.status, 200, await reply.clone().text());
      return await reply.text();
    };
    await ask("POST", "/queue/?name=a");
    const names = Array.from({ length: 20 }, (_, i) => `job${i}`);
    await Promise.all(names.map((name) => ask("POST", `/queue/a?name=${name}&command=true`)));
    await Promise.all([
      ...names.slice(0, 5).map((name) => ask("DELETE", `/queue/a/job/${name}`)),
      ask("PUT", "/queue/a/reset"),
      ask("PUT", "/queue/a/refresh"),
    ]);
    assert.deepEqual(Object.keys(JSON.parse(await ask("GET", "/queue/a"))).sort(), names.slice(5).sort());
  });
});

Deno.test("more connections than the process may have files do not end the service", async () => {
  await withDirectory(async (directory) => {
    const words = [...START, "--port=0", "--credentials=credentials"];
    const cms = new Cms(directory, {}, words, "ulimit -n 120");
    const open: Deno.Conn[] = [];
    let connecting: Promise<unknown>[] = [];
    try {
      const url = await cms.url();
      const port = Number(new URL(url).port);
      // Not all get through at once, and some never.
      connecting = Array.from({ length: 300 }, async () => {
        open.push(await Deno.connect({ hostname: "127.0.0.1", port }));
      });
      await waitUntil("many connections", () => open.length > 10);
      const answer = async () => (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) })).ok;
      await waitUntil("an answer", answer, { limitMs: 60_000 });
    } finally {
      await cms[Symbol.asyncDispose]();
      await Promise.allSettled(connecting);
      for (const connection of open) connection.close();
    }
  });
});

Deno.test("service info opens the page in the browser of a desktop, and does not wait for its end", async () => {
  await withDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/bin`);
    using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = service.addr as Deno.NetAddr;
    const url = `http://127.0.0.1:${port}/docs`;
    const opened = `${directory}/opened`;
    // A browser that lives as long as its window, here until the test has seen it.
    const browser = `#!/bin/sh\necho noise; echo noise >&2\necho "$# $*" > '${opened}'\n` +
      `while test -e '${opened}'; do sleep 0.05; done\n`;
    await Deno.writeTextFile(`${directory}/bin/xdg-open`, browser, { mode: 0o755 });
    const PATH = `${directory}/bin:${Deno.env.get("PATH")}`;
    for (const screen of [{ DISPLAY: ":7", WAYLAND_DISPLAY: "" }, { DISPLAY: "", WAYLAND_DISPLAY: "wayland-7" }]) {
      await using info = new Cms(directory, { ...screen, PATH }, ["queue", "--service", "info", `--port=${port}`]);
      assert.deepEqual([await info.ended(), info.out, info.err], [0, `${url}\n`, ""]);
      const words = async () => await Deno.readTextFile(opened) === `1 ${url}\n`;
      await waitUntil("the browser to be started", words);
      await Deno.remove(opened);
    }
    // No program that could: the address is printed all the same.
    const nothing = { DISPLAY: ":7", PATH: `${directory}/nothing` };
    await using info = new Cms(directory, nothing, ["queue", "--service", "info", `--port=${port}`]);
    assert.deepEqual([await info.ended(), info.out, info.err], [0, `${url}\n`, ""]);
  });
});

needTest(
  "with --cert and --key the service answers by TLS, on any address",
  whyNoPrograms("openssl", "curl"),
  async () => {
    await withDirectory(async (directory) => {
      const { cert, key } = await certificateFor("localhost");
      await Deno.writeTextFile(`${directory}/cert.pem`, cert);
      await Deno.writeTextFile(`${directory}/key.pem`, key, { mode: 0o600 });
      const words = ["--port=0", "--credentials=credentials", "--cert=cert.pem", "--key=key.pem", "--bind=0.0.0.0"];
      await using cms = new Cms(directory, {}, [...START, ...words]);
      const port = new URL(await cms.url()).port;
      assert.match(cms.out, /Listening on https:\/\/0\.0\.0\.0:/);
      const curl = async (...args: string[]) => {
        const options = { args: ["-s", "-i", "-u", "pi:red berry", ...args], cwd: directory };
        const { code, stdout } = await new Deno.Command("curl", options).output();
        return { code, text: new TextDecoder().decode(stdout) };
      };
      const { code, text } = await curl("--cacert", "cert.pem", `https://localhost:${port}/`);
      assert.equal(code, 0);
      assert.match(text, /^HTTP\/1\.1 200 [^]*strict-transport-security: [^]*\{"message":"Cloudmesh Queue Server"\}$/i);
      // Who does not know the certificate, or speaks in the clear, gets nothing.
      assert.equal((await curl(`https://localhost:${port}/`)).code, 60);
      assert.doesNotMatch((await curl(`http://localhost:${port}/`)).text, /Cloudmesh/);
    });
  },
);

needTest("files that are no certificate and key are refused in one line", whyNoPrograms("openssl"), async () => {
  await withDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/broken`, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const pairs = [await certificateFor("a"), await certificateFor("b")];
    await Deno.writeTextFile(`${directory}/cert`, pairs[0]!.cert);
    await Deno.writeTextFile(`${directory}/key`, pairs[1]!.key);
    const cases = [
      ["nosuch", "nosuch", /^ERROR: Cannot use nosuch: it cannot be read\n$/],
      ["credentials", "credentials", /^ERROR: Cannot use credentials: it is no PEM file\n$/],
      ["broken", "key", /^ERROR: Cannot listen on [^\n]+: the certificate and key cannot be used: [^\n]+\n$/],
      ["cert", "key", /^ERROR: Cannot listen on [^\n]+: the certificate and key cannot be used: [^\n]+\n$/],
    ] as const;
    for (const [cert, key, error] of cases) {
      const words = ["--port=0", "--credentials=credentials", `--cert=${cert}`, `--key=${key}`];
      await using cms = new Cms(directory, {}, [...START, ...words]);
      assert.equal(await cms.ended(), 2, cms.err);
      assert.match(cms.err, error);
    }
  });
});

Deno.test("service info prints the address of the documentation, and says if nothing listens there; openapi prints the document", async () => {
  await withDirectory(async (directory) => {
    await using info = new Cms(directory, { DISPLAY: "", WAYLAND_DISPLAY: "", TERM_PROGRAM: "" }, [
      "queue",
      "--service",
      "info",
      "--port=1",
    ]);
    assert.deepEqual([await info.ended(), info.out], [1, "http://127.0.0.1:1/docs\n"]);
    const start = "to start the service: cms queue --service start --port=1";
    assert.equal(info.err, `WARNING: Nothing listens on port 1; ${start}\n`);
    await using openapi = new Cms(directory, {}, ["openapi"]);
    assert.equal(await openapi.ended(), 0);
    assert.equal(JSON.parse(openapi.out).openapi, "3.1.0");
  });
});
