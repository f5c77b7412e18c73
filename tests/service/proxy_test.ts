/**
 * The texts of docs/service.md for those who run the service: the reverse proxy behind a real nginx, the unit of
 * systemd.
 */
import assert from "node:assert/strict";
import { certificateFor } from "../../testing/certificate.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { withStarted } from "../../testing/service/started.ts";

const NAME = "jobs.example.org";
const page = await Deno.readTextFile(new URL("../../docs/service.md", import.meta.url));

/** The one block of the page that begins with a line. */
function block(first: string): string {
  const found = page.split("```").filter((text) => text.startsWith(`\n${first}\n`));
  assert.equal(found.length, 1, first);
  return found[0]!;
}

/** Replaces what has to be there. */
function replaced(text: string, pairs: readonly (readonly [from: string, to: string])[]): string {
  return pairs.reduce((now, [from, to]) => {
    assert.ok(now.includes(from), from);
    return now.replaceAll(from, to);
  }, text);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Calls curl in the served directory. */
type Curl = (...args: string[]) => Promise<{ code: number; text: string }>;

async function withProxy(use: (curl: Curl, at: { base: string; directory: string }) => Promise<void>): Promise<void> {
  await withStarted(async ({ url, directory }) => {
    const { cert, key } = await certificateFor(NAME);
    await Deno.writeTextFile(`${directory}/cert.pem`, cert);
    await Deno.writeTextFile(`${directory}/key.pem`, key);
    const port = freePort();
    const server = replaced(block("server {"), [
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      ["/etc/ssl/jobs", directory],
      ["http://127.0.0.1:8000", url],
    ]);
    const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${directory}/nginx-${name};`).join(" ");
    const own = `pid ${directory}/nginx.pid; error_log ${directory}/nginx.log; daemon off; worker_processes 1;\n` +
      (Deno.uid() === 0 ? "user root;\n" : "");
    await Deno.writeTextFile(
      `${directory}/nginx.conf`,
      `${own}events {}\nhttp { access_log off; ${places}\n${server}}\n`,
    );
    const nginx = new Deno.Command("nginx", {
      args: ["-p", directory, "-e", `${directory}/nginx.log`, "-c", `${directory}/nginx.conf`],
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const resolve = ["--resolve", `${NAME}:${port}:127.0.0.1`, "--resolve", `evil.example:${port}:127.0.0.1`];
      const curl: Curl = async (...args) => {
        const all = ["-s", "-g", "--max-time", "20", "--cacert", "cert.pem", ...resolve, ...args];
        const { code, stdout } = await new Deno.Command("curl", { args: all, cwd: directory }).output();
        return { code, text: new TextDecoder().decode(stdout) };
      };
      const base = `https://${NAME}:${port}`;
      const log = async () => `nginx: ${await Deno.readTextFile(`${directory}/nginx.log`).catch(() => "")}`;
      await waitUntil(log, async () => (await curl(`${base}/healthz`)).text.includes('"ok"'), { limitMs: 30_000 });
      await use(curl, { base, directory });
    } finally {
      nginx.kill("SIGTERM");
      await nginx.status;
    }
  }, ["--allow-host", NAME]);
}

needTest(
  "the reverse proxy of the document works: TLS, passwords, bodies, events as they come",
  whyNoPrograms("nginx", "openssl", "curl"),
  async () => {
    await withProxy(async (curl, { base, directory }) => {
      const as = ["-u", "pi:red berry"];
      assert.equal((await curl("-o", "/dev/null", "-w", "%{http_code}", `${base}/`)).text, "401");
      assert.match((await curl("-i", `${base}/queue/`)).text, /www-authenticate: Basic/i);
      assert.equal((await curl(...as, `${base}/`)).text, '{"message":"Cloudmesh Queue Server"}');
      assert.match((await curl(`${base}/docs`)).text, /swagger-ui/);
      // A name that the service was not told of, which the proxy hands on.
      const wrong = base.replace(NAME, "evil.example");
      assert.equal((await curl("-k", ...as, "-o", "/dev/null", "-w", "%{http_code}", `${wrong}/`)).text, "403");

      const command = "x".repeat(90_000);
      const jobs = Array.from({ length: 40 }, (_, i) => ({ name: `big${i}`, command }));
      await Deno.writeTextFile(`${directory}/body`, JSON.stringify({ jobs }));
      const json = ["-H", "content-type: application/json", "-d", "@body"];
      assert.equal(JSON.parse((await curl(...as, ...json, `${base}/queue/a/jobs`)).text).added.length, 40);
      assert.match((await curl(...as, "-X", "PUT", `${base}/queue/ran`)).text, /^No ran queues\.$/);

      // The first event is there while the stream is open: curl ends by its limit.
      const { code, text } = await curl(...as, "-N", "--max-time", "3", `${base}/events?queue=a`);
      assert.equal(code, 28);
      assert.match(text, /\nevent: reset\ndata: \{"queue":"a"/);
    });
  },
);

needTest("the unit of the document is one that systemd takes", whyNoPrograms("systemd-analyze"), async () => {
  const directory = await Deno.makeTempDir({ prefix: "cms-unit-" });
  try {
    const unit = replaced(block("[Unit]"), [["/usr/local/bin/cms", Deno.execPath()], ["User=pi", "User=root"]]);
    await Deno.writeTextFile(`${directory}/cms.service`, unit);
    const verify = async () => {
      const args = ["verify", "--man=no", `${directory}/cms.service`];
      const { success, stderr } = await new Deno.Command("systemd-analyze", { args }).output();
      return {
        success,
        told: new TextDecoder().decode(stderr).split("\n").filter((line) => line.includes("cms.service")),
      };
    };
    assert.deepEqual(await verify(), { success: true, told: [] });
    // It would tell of a mistake.
    await Deno.writeTextFile(`${directory}/cms.service`, unit.replace("KillMode=process", "KillMode=nosuch"));
    assert.notDeepEqual((await verify()).told, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
