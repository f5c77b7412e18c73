/** Who is logged in with a browser: the cookie, the token of what changes, and who may only look. */
import assert from "node:assert/strict";
import { makeAuth } from "../../src/service/auth.ts";
import { Sessions } from "../../src/service/sessions.ts";
import { RIGHT, withService } from "../../testing/service/service.ts";

const LOOKS = `Basic ${btoa("eve:blue berry")}`;

async function login(ask: (line: string, options?: object) => Promise<Response>, authorization: string) {
  const reply = await ask("POST /ui/session", { headers: { authorization } });
  const cookie = reply.headers.get("set-cookie") ?? "";
  return {
    reply,
    set: cookie,
    cookie: cookie.split(";")[0]!,
    ...await reply.json() as { role: string; token: string },
  };
}

Deno.test("a login gives a cookie that no script and no other site can use, and ends with a logout", async () => {
  await withService(async ({ ask }) => {
    assert.equal((await ask("POST /queue/?name=b")).status, 200);
    const { reply, set, cookie, token } = await login(ask, RIGHT);
    assert.equal(reply.status, 200);
    assert.match(set, /^cms_session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
    const bare = (line: string, more: Record<string, string> = {}) =>
      ask(line, { headers: { cookie, ...more }, bare: true });
    const both = await ask("GET /queue/", { headers: { cookie, authorization: LOOKS } });
    assert.equal(both.status, 401, "credentials go before the cookie");
    assert.equal((await bare("GET /queue/")).status, 200);
    assert.equal((await bare("POST /queue/?name=a")).status, 403, "without the token");
    assert.equal((await bare("POST /queue/?name=a", { "x-csrf-token": "0".repeat(32) })).status, 403);
    assert.equal((await bare("POST /queue/?name=a", { "x-csrf-token": token })).status, 200);
    const out = await bare("DELETE /ui/session", { "x-csrf-token": token });
    assert.match(out.headers.get("set-cookie") ?? "", /^cms_session=; .*Max-Age=0$/);
    assert.equal((await bare("GET /queue/")).status, 401);
    assert.deepEqual(await (await bare("GET /ui/session")).json(), { user: null });
  });
});

Deno.test("a wrong password is no login, and a page's request gets no challenge, for which the browser would ask", async () => {
  await withService(async ({ ask }) => {
    const wrong = { authorization: `Basic ${btoa("pi:blue")}` };
    const plain = await ask("POST /ui/session", { headers: wrong });
    assert.deepEqual([plain.status, plain.headers.has("set-cookie")], [401, false]);
    assert.ok(plain.headers.has("www-authenticate"));
    const page = await ask("POST /ui/session", { headers: { ...wrong, "x-requested-with": "page" } });
    assert.deepEqual([page.status, page.headers.has("www-authenticate")], [401, false]);
  });
});

Deno.test("who may look sees everything and changes nothing, by password and by session", async () => {
  const auth = makeAuth(
    { user: "pi", password: "red berry" },
    { user: "eve", password: "blue berry" },
  );
  await withService(async ({ ask }) => {
    assert.equal((await ask("POST /queue/?name=a")).status, 200);
    const { cookie, token, role } = await login(ask, LOOKS);
    assert.equal(role, "viewer");
    for (
      const options of [{ headers: { authorization: LOOKS } }, {
        headers: { cookie, "x-csrf-token": token },
        bare: true,
      }]
    ) {
      for (const path of ["/queue/", "/queue/a", "/queue/a/jobs", "/queue/a/spans", "/queue/a/status"]) {
        assert.deepEqual([path, (await ask(`GET ${path}`, options)).status], [path, 200]);
      }
      for (const line of ["POST /queue/?name=b", "DELETE /queue/a", "PUT /queue/a/pause", "POST /cluster/?name=c"]) {
        assert.deepEqual([line, (await ask(line, options)).status], [line, 403]);
      }
    }
    assert.equal(
      (await ask("DELETE /ui/session", { headers: { cookie, "x-csrf-token": token }, bare: true })).status,
      200,
    );
  }, () => ({ auth }));
});

Deno.test("a session ends when nothing came for half a day; of very many the one that was used longest ago goes", () => {
  let [now, made] = [0, 0];
  const clock = { now: () => now } as never;
  const sessions = new Sessions(clock, { hex: (bytes: number) => String(made++).padStart(2 * bytes, "0") } as never);
  const begin = () => sessions.begin({ user: "pi", role: "user" }, true).cookie;
  const first = begin();
  assert.match(first, /; Secure$/);
  now += 11 * 3_600_000;
  assert.ok(sessions.of(first));
  now += 11 * 3_600_000;
  assert.ok(sessions.of(first), "each use is a new begin");
  now += 12 * 3_600_000 + 1;
  assert.equal(sessions.of(first), null);
  const [old, next] = [begin(), begin()];
  for (let i = 0; i < 998; i++) begin();
  assert.ok(sessions.of(old));
  begin();
  assert.equal(sessions.of(next), null);
  assert.ok(sessions.of(old));
});

Deno.test("services on two ports of a machine have sessions of their own in one browser", () => {
  const begin = (host: string) => {
    const sessions = new Sessions(
      { now: () => 0 } as never,
      { hex: (bytes: number) => host.length.toString(16).padStart(2 * bytes, "0") } as never,
    );
    return { sessions, cookie: sessions.begin({ user: "pi", role: "user" }, false, host).cookie.split(";")[0]! };
  };
  const all = ["127.0.0.1:8000", "localhost:80001", "[::1]", "jobs.example.org"].map((host) => ({
    host,
    ...begin(host),
  }));
  assert.deepEqual(all.map(({ cookie }) => cookie.split("=")[0]), [
    "cms_session_8000",
    "cms_session_80001",
    "cms_session",
    "cms_session",
  ]);
  const [one, other] = [all[0]!, all[1]!];
  const both = `${other.cookie}; ${one.cookie}`;
  for (const { host, sessions } of [one, other]) assert.equal(sessions.of(both, host)?.user, "pi");
  assert.equal(one.sessions.of(other.cookie, one.host), null);
});

Deno.test("a browser that asks for / is led to the page; programs get what they always got", async () => {
  await withService(async ({ ask }) => {
    const browser = await ask("GET /", { headers: { accept: "text/html,*/*;q=0.8" } });
    assert.deepEqual([browser.status, browser.headers.get("location")], [302, "ui"]);
    assert.deepEqual(await (await ask("GET /")).json(), { message: "Cloudmesh Queue Server" });
    for (const path of ["/ui", "/ui/page.js", "/ui/page.css"]) {
      const reply = await ask(`GET ${path}`, { bare: true });
      assert.deepEqual([path, reply.status], [path, 200]);
      await reply.body?.cancel();
    }
    assert.equal((await ask("POST /ui/page.js", { bare: true })).status, 405);
  });
});

Deno.test("a window has only the rows that are asked for, sorted and searched, with reasons", async () => {
  await withService(async ({ ask, json }) => {
    await ask("POST /queue/?name=a");
    await ask("POST /queue/a?name=job[1-30]&command=true");
    await ask("POST /queue/a?name=late&command=python&hold=true&priority=7");
    const page = await json("GET /queue/a/jobs?limit=10&offset=25");
    assert.deepEqual([page.total, page.rows.length, page.rows[0].job.name], [31, 6, "job26"]);
    const found = await json("GET /queue/a/jobs?search=PYTH");
    assert.deepEqual([found.total, found.rows[0].job.name, found.counts.undefined], [1, "late", 31]);
    assert.match(found.rows[0].reason, /held/);
    assert.equal((await json("GET /queue/a/jobs?sort=-priority&limit=1")).rows[0].job.name, "late");
    assert.equal((await ask("GET /queue/a/jobs?sort=nosuch")).status, 422);
    assert.equal((await json("GET /queue/a/jobs?status=end")).total, 0);
  });
});
