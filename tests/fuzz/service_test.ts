/**
 * The service above files that somebody broke: each operation answers, in a line that says what and where, and tells no
 * secrets.
 */
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { documentOf } from "../../src/service/openapi.ts";
import { realDeps } from "../../src/deps_real.ts";
import { RIGHT } from "../../testing/service/service.ts";
import { withTrap } from "../service/trap.ts";
import { assertAll, mutatedBytes } from "./support.ts";

const FILES = ["a-queue.yaml", "a-cluster.yaml", ".a-queue.journal", ".a-queue.run"] as const;
const RUN =
  '{"pid":7,"hostname":"vm","run":"ff","about":{"scheduler":"fifo","cluster":"a","slots":4,"machines":{"pi@red":"up"}}}\n';

type Parameter = { name: string; in: string; required?: boolean; schema: { example?: unknown; examples?: unknown[] } };
type Raw = { parameters?: Parameter[]; requestBody?: unknown };

/** Every operation, with the examples of the document as its values. */
function requests(): { method: string; target: string; body: string | null }[] {
  const document = JSON.parse(JSON.stringify(documentOf(realDeps()))) as {
    paths: Record<string, Record<string, Raw>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => {
      const given = (one: Parameter) => encodeURIComponent(String(one.schema.example ?? one.schema.examples?.[0]));
      let target = path;
      for (const one of parameters) if (one.in === "path") target = target.replace(`{${one.name}}`, given(one));
      const query = parameters.filter((one) => one.in === "query" && one.required).map((one) =>
        `${one.name}=${given(one)}`
      );
      const body = requestBody === undefined ? null : JSON.stringify({ jobs: [], hosts: [], status: "end" });
      return { method: method.toUpperCase(), target: query.length > 0 ? `${target}?${query.join("&")}` : target, body };
    })
  );
}

Deno.test("each operation above broken files answers without a fault; a failure says in a line what is wrong, and where", async () => {
  const all = requests();
  assert.ok(all.length > 30);
  await withTrap(async (t) => {
    const directory = `${t.service.root}/experiment`;
    for (const line of ["POST /queue/?name=a", "POST /queue/a?name=job[1-2]&command=true&user=pi&host=red"]) {
      await t.text(line);
    }
    for (const line of ["POST /cluster/?name=a", "POST /cluster/a?id=host[1-2]&name=red&user=pi"]) await t.text(line);
    await Deno.writeTextFile(`${directory}/.a-queue.run`, RUN);
    const good = await Promise.all(FILES.map((name) => Deno.readTextFile(`${directory}/${name}`)));
    const broken = fc.nat(FILES.length - 1).chain((at) =>
      mutatedBytes(fc.constant(good[at]!)).map((bytes) => ({ at, bytes }))
    );
    // Chance alone need not bring both.
    const look = async () =>
      (await t.app.request("/queue/a", { headers: { authorization: RIGHT } }, { remote: "127.0.0.1" })).status;
    assert.equal(await look(), 200);
    await Deno.writeTextFile(`${directory}/a-queue.yaml`, "a: [");
    assert.equal(await look(), 500);
    await assertAll(
      fc.asyncProperty(fc.constantFrom(...all), broken, async ({ method, target, body }, { at, bytes }) => {
        for (const [i, name] of FILES.entries()) await Deno.writeTextFile(`${directory}/${name}`, good[i]!);
        await Deno.writeFile(`${directory}/${FILES[at]!}`, bytes.bytes);
        t.warnings.length = 0;
        const headers = { authorization: RIGHT, ...(body === null ? {} : { "content-type": "application/json" }) };
        const init = { method, headers, ...(body === null ? {} : { body }) };
        const reply = await t.app.request(target, init, { remote: "127.0.0.1" });
        const isStream = reply.headers.get("content-type")?.startsWith("text/event-stream");
        const text = isStream ? "" : await reply.text();
        if (isStream) await reply.body?.cancel();
        const here = `${method} ${target}: ${reply.status} ${text} ${t.warnings.join("; ")}`;
        assert.doesNotMatch(text + t.warnings.join("\n"), /fault in the program|^ {4}at /im, here);
        assert.ok(!text.includes(t.service.root), here);
        // What is wrong with a file is nobody's secret, and the only 500 there is.
        if (reply.status >= 500 && reply.status !== 502) {
          assert.match(
            JSON.parse(text).detail,
            /^(\.\/experiment\/\.?a-(queue|cluster)\.(yaml|journal))(:\d+)?: [^\n]+$/,
            here,
          );
        }
        assert.notEqual(reply.status, 401, here);
      }),
    );
  });
});
