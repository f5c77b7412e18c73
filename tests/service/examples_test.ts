/** The curl examples of docs/service.md: one for each operation, and each of them does what it says. */
import assert from "node:assert/strict";
import { documentOf } from "../../src/service/openapi.ts";
import { realDeps } from "../../src/deps_real.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { withStarted } from "../../testing/service/started.ts";
import { RIGHT } from "../../testing/service/service.ts";

const page = await Deno.readTextFile(new URL("../../docs/service.md", import.meta.url));
/** Lines in order, without what is said of them. */
const LINES = page.split("```").filter((_, i) => i % 2 === 1).flatMap((block) => block.split("\n"))
  .map((line) => line.replace(/ +#.*$/, "")).filter((line) => /^(H=|J=|\$A |curl )/.test(line));
const [DEFINITIONS, EXAMPLES] = [LINES.filter((line) => /^.=/.test(line)), LINES.filter((line) => !/^.=/.test(line))];

/** `GET /queue/a?limit=1` of a line. */
function requestOf(line: string): { method: string; path: string } {
  const path = /\$H(\/[^ "?]*)/.exec(line)?.[1] ?? assert.fail(line);
  return { method: / -X ([A-Z]+) /.exec(line)?.[1] ?? (/ -d /.test(line) ? "POST" : "GET"), path };
}

Deno.test("the page has an example of every operation", () => {
  const { paths } = JSON.parse(JSON.stringify(documentOf(realDeps()))) as { paths: Record<string, object> };
  const missing = Object.entries(paths).flatMap(([path, methods]) => {
    // A name of the path is no word of another: `/queue/ran` is no queue.
    const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, "(?!(?:ran|info|check)$)[^/]+")}$`);
    return Object.keys(methods).map((method) => method.toUpperCase()).filter((method) =>
      !EXAMPLES.some((line) => requestOf(line).method === method && pattern.test(requestOf(line).path))
    ).map((method) => `${method} ${path}`);
  });
  assert.deepEqual(missing, []);
});

needTest("the examples work one after another", whyNoPrograms("curl"), async () => {
  await withStarted(async ({ url, directory }) => {
    await Deno.remove(`${directory}/experiment`, { recursive: true });
    const definitions = DEFINITIONS.join("; ").replace("http://127.0.0.1:8000", url).replace(
      "-u pi:PASSWORD",
      "-K login",
    );
    // Replies of failures count, and events would go on for ever.
    const strict = definitions.replace("curl -sg", "curl -sgf --max-time 20");
    await Deno.writeTextFile(`${directory}/login`, 'user = "pi:red berry"\n');
    for (const line of EXAMPLES) {
      const isEndless = /\/(?:events|live)\b/.test(line);
      const own = line.replaceAll("name=red", "name=localhost").replaceAll('"name":"red"', '"name":"localhost"')
        .replace("to=project", `to=${directory}/project`);
      // Jobs that were stopped before they had a host would have none for the run after.
      if (line.includes("/stop")) await ended(url);
      let told = "";
      // A job may not have begun yet, a run may still end.
      await waitUntil(() => `${line}: ${told}`, async () => {
        const words = isEndless ? own.replace("$A", "$A --max-time 2") : own;
        const args = ["-c", `${strict}\n${words}`];
        const { code, stdout } = await new Deno.Command("sh", { args, cwd: directory }).output();
        told = `${code} ${new TextDecoder().decode(stdout)}`;
        return code === (isEndless ? 28 : 0);
      }, { limitMs: 30_000 });
      if (line.includes("job1/output")) assert.equal(told, `0 ${Deno.hostname()}\n`);
      if (isEndless) assert.match(told, line.includes("/live") ? /event: status/ : /event: reset/);
    }
    const left = await Array.fromAsync(Deno.readDir(`${directory}/experiment`), ({ name }) => name);
    assert.deepEqual(left.filter((name) => !name.startsWith(".")), []);
  });
});

/** Waits until all jobs have ended. */
async function ended(url: string): Promise<void> {
  await waitUntil("the jobs' end", async () => {
    const reply = await fetch(`${url}/queue/a`, { headers: { authorization: RIGHT } });
    const jobs = Object.values(await reply.json() as Record<string, { status: string }>);
    return jobs.every(({ status }) => status === "end");
  }, { limitMs: 30_000 });
}
