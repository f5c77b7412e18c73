/** The OpenAPI document, the documentation page, and how failures look. */
import assert from "node:assert/strict";
import { OPTION_WORDS } from "../../src/job/option_words.ts";
import { readOption } from "../../src/job/options.ts";
import { JobSchema } from "../../src/service/schemas.ts";
import { documentOf } from "../../src/service/openapi.ts";
import { realDeps } from "../../src/deps_real.ts";
import { OPERATIONS, targetOf } from "./operations.ts";
import { withService } from "../../testing/service/service.ts";

// deno-lint-ignore no-explicit-any
const documentJson = () => JSON.parse(JSON.stringify(documentOf(realDeps()))) as any;

Deno.test("the document has the original's 26 operations with their parameters, kinds and security", () => {
  const document = documentJson();
  assert.equal(document.openapi, "3.1.0");
  assert.equal(document.info.title, "Cloudmesh Queue: A job queue scheduler for remote/local servers.");
  for (const { method, path, required, optional, kind } of OPERATIONS) {
    const operation = document.paths[path]?.[method.toLowerCase()];
    assert.ok(operation, `${method} ${path}`);
    // deno-lint-ignore no-explicit-any
    const query = (operation.parameters ?? []).filter((one: any) => one.in === "query");
    const names = (isRequired: boolean) =>
      // deno-lint-ignore no-explicit-any
      query.filter((one: any) => (one.required ?? false) === isRequired).map((one: any) => one.name);
    assert.deepEqual(names(true).sort(), [...required].sort(), `${method} ${path}`);
    for (const name of optional) assert.ok(names(false).includes(name), `${method} ${path}: ${name}`);
    assert.equal(Object.keys(operation.responses["200"].content)[0], kind, `${method} ${path}`);
    assert.ok("application/json" in operation.responses["200"].content, `${method} ${path}`);
    assert.deepEqual(operation.security, [{ HTTPBasic: [] }]);
    assert.equal(operation.tags, undefined, `${method} ${path} stands in the original's only group`);
  }
});

Deno.test("the document says what a parameter is when it is left out", () => {
  const { paths } = documentJson();
  const defaults = (path: string, method: string) =>
    // deno-lint-ignore no-explicit-any
    Object.fromEntries(paths[path][method].parameters.flatMap((one: any) =>
      one.schema.default === undefined ? [] : [[one.name, [one.schema.type, one.schema.default, one.required ?? false]]]
    ));
  const experiment = ["string", "experiment", false];
  assert.deepEqual(defaults("/queue/", "get"), { experiment });
  for (const path of ["/queue/{queue}/run_fifo", "/queue/{queue}/run_fifo_multi"]) {
    assert.deepEqual(defaults(path, "put"), { experiment, timeout: [undefined, 10, false] });
  }
  for (const file of ["log", "output", "error"]) {
    const found = defaults(`/queue/{queue}/job/{job}/${file}`, "get");
    assert.deepEqual(found, { experiment, max: ["integer", 1024 * 1024, false] });
  }
});

Deno.test("the document's job takes every option as a queue file has it", () => {
  for (const { field, example } of OPTION_WORDS) {
    const value = readOption(field, example);
    assert.notEqual(value, null, field);
    assert.deepEqual(JobSchema.partial().parse({ [field]: value }), { [field]: value });
  }
});

Deno.test("nothing is filled into the form of the documentation for what may be left out", () => {
  for (const [path, methods] of Object.entries<object>(documentJson().paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      for (const { name, required = false, schema } of operation.parameters ?? []) {
        if (!required) assert.doesNotMatch(JSON.stringify(schema), /"example":/, `${method} ${path}: ${name}`);
      }
    }
  }
});

Deno.test("every operation, parameter and reply of the document is described, parameters with examples", () => {
  const document = documentJson();
  const ids = new Set<string>();
  let count = 0;
  // deno-lint-ignore no-explicit-any
  for (const [path, methods] of Object.entries<Record<string, any>>(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      count++;
      ids.add(operation.operationId);
      assert.ok(operation.summary && operation.description, where);
      for (const parameter of operation.parameters ?? []) {
        const text = parameter.description ?? parameter.schema?.description ??
          refOf(document, parameter.schema)?.description;
        assert.ok(text, `${where}: ${parameter.name} is not described`);
        const schema = { ...refOf(document, parameter.schema), ...parameter.schema };
        assert.ok((schema.example ?? schema.examples?.[0]) !== undefined, `${where}: ${parameter.name} has no example`);
        // The documentation page sends the single example of a parameter unless the person takes it out.
        assert.equal("example" in schema, parameter.required, `${where}: ${parameter.name}`);
      }
      // deno-lint-ignore no-explicit-any
      for (const [status, reply] of Object.entries<any>(operation.responses)) {
        assert.ok(reply.description, where);
        if (/^[23]/.test(status)) continue;
        // What would fail here is not told as another failure.
        const { example } = reply.content["application/problem+json"];
        assert.equal(example.status, status === "default" ? 503 : Number(status), where);
        assert.ok(reply.content["application/json"].example.detail, where);
      }
    }
  }
  assert.equal(ids.size, count, "ids are unique");
});

// deno-lint-ignore no-explicit-any
function refOf(document: any, schema: any): any {
  const ref = schema?.$ref ?? schema?.allOf?.[0]?.$ref;
  return ref === undefined ? undefined : document.components.schemas[ref.split("/").at(-1)];
}

Deno.test("the examples of jobs and hosts have the fields that replies have", async () => {
  const { components: { schemas: { Job, Jobs, Host, Hosts } } } = documentJson();
  assert.deepEqual(Jobs.example, { job1: Job.example });
  assert.deepEqual(Hosts.example, { host1: Host.example });
  await withService(async ({ json, text }) => {
    await text("POST /queue/?name=a");
    await text("POST /queue/a?name=job1&command=true");
    await text("POST /cluster/?name=a");
    await text("POST /cluster/a?id=host1&name=localhost&user=pi");
    assert.deepEqual(Object.keys(Job.example).sort(), Object.keys(await json("GET /queue/a/job/job1")).sort());
    assert.deepEqual(Object.keys(Host.example).sort(), Object.keys(await json("GET /cluster/a/id/host1")).sort());
  });
});

Deno.test("without asking for JSON a failure is the original's, with it a problem document of the same words", async () => {
  await withService(async ({ ask }) => {
    const plain = await ask("GET /queue/b", { headers: { accept: "*/*" } });
    assert.match(plain.headers.get("content-type") ?? "", /^application\/json/);
    assert.deepEqual(await plain.json(), { detail: "Queue not found" });
    const asked = await ask("GET /queue/b", { headers: { accept: "application/json" } });
    assert.equal(asked.headers.get("content-type"), "application/problem+json");
    assert.deepEqual(await asked.json(), {
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: "Queue not found",
    });
    const missing = await ask("POST /queue/a?name=x");
    assert.equal(missing.status, 422);
    const problem = { loc: ["query", "command"], msg: "field required", type: "value_error.missing" };
    assert.deepEqual(await missing.json(), { detail: [problem] });
    const both = await ask("POST /queue/a?name=x", { headers: { accept: "application/json" } });
    const body = await both.json();
    assert.deepEqual([both.status, body.status, body.errors], [422, 422, [problem]]);
    assert.equal(body.detail, "query.command: field required");
  });
});

Deno.test("an address that has other methods is 405 and names them; one that has none is 404", async () => {
  await withService(async ({ ask }) => {
    const cases = [["PATCH /queue/a", "DELETE, GET, POST"], ["OPTIONS /queue/a/job/b", "DELETE, GET, PATCH"], [
      "POST /",
      "GET",
    ]];
    for (const [line, allow] of cases) {
      const reply = await ask(line!);
      assert.deepEqual([line, reply.status, reply.headers.get("allow")], [line, 405, allow]);
      assert.deepEqual(await reply.json(), { detail: "Method Not Allowed" });
    }
    for (const line of ["GET /nosuch", "GET /queue/a/b/c", "GET /queue//job/"]) {
      const reply = await ask(line);
      assert.deepEqual([line, reply.status, reply.headers.get("allow")], [line, 404, null]);
    }
  });
});

Deno.test("with Accept: application/json every operation answers JSON, failures too", async () => {
  await withService(async ({ ask, text }) => {
    await text("POST /queue/?name=a");
    await text("POST /cluster/?name=a");
    await text("POST /queue/a?name=a&command=true");
    await text("POST /cluster/a?id=a&name=localhost&user=pi");
    const query = "?name=b&command=true&id=b&user=pi&key=gpu&value=0&max_parallel=x&cluster=nosuch";
    // What deletes comes last.
    const order = [...OPERATIONS].sort((a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE"));
    for (const { method, path } of order) {
      const reply = await ask(`${method} ${targetOf(path)}${query}`, { headers: { accept: "application/json" } });
      const type = reply.headers.get("content-type") ?? "";
      assert.match(
        type,
        reply.status === 200 ? /^application\/json/ : /^application\/problem\+json/,
        `${method} ${path}`,
      );
      assert.ok(reply.status < 500, `${method} ${path}: ${reply.status}`);
      JSON.parse(await reply.text());
    }
  });
});

Deno.test("the page loads nothing from elsewhere and has no inline script", async () => {
  await withService(async ({ ask }) => {
    const page = await ask("GET /docs");
    const html = await page.text();
    assert.match(
      html,
      /<title>Cloudmesh Queue: A job queue scheduler for remote\/local servers\. - Swagger UI<\/title>/,
    );
    assert.doesNotMatch(html, /https?:\/\/|<script>|\bon\w+=/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => `/${match[1]}`);
    assert.equal(files.length, 4);
    for (const file of [...files, "/favicon.ico"]) {
      const reply = await ask(`GET ${file}`, { headers: { "accept-encoding": "gzip" } });
      assert.deepEqual([file, reply.status, reply.headers.get("content-encoding")], [file, 200, "gzip"]);
      const plain = await ask(`GET ${file}`);
      const unzipped = new Response(reply.body!.pipeThrough(new DecompressionStream("gzip")));
      assert.deepEqual(await unzipped.bytes(), await plain.bytes(), file);
    }
  });
});
