/** Sweeps over REST: the same jobs as the command makes of the same words; results as CSV. */
import assert from "node:assert/strict";
import { cms } from "../../../src/cli/program.ts";
import { FakeTerminal } from "../../cli/harness.ts";
import { realDeps } from "../../../src/deps_real.ts";
import { withRuns } from "../runs_support.ts";

type Added = { added: string[]; would_add?: { name: string; command: string }[]; detail?: unknown };

Deno.test("POST jobs takes sweeps as JSON, as a form with files and as CSV, like the command", async () => {
  await withRuns(async (t) => {
    const real = realDeps();
    const deps = { ...real, environment: { ...real.environment, cwd: () => t.directory } };
    const command = async (...args: string[]): Promise<string> => {
      const io = new FakeTerminal();
      assert.equal(await cms(["queue", ...args], deps, io), 0, io.text("err"));
      return io.text("out");
    };
    const post = async (
      body: string | FormData,
      type: string | null,
      query = "",
    ): Promise<Added & { status: number }> => {
      const headers = type === null ? {} : { "content-type": type };
      const reply = await t.ask(`POST /queue/a/jobs${query}`, { body, headers });
      return { ...await reply.json() as Added, status: reply.status };
    };
    const json = (jobs: unknown, query = "") => post(JSON.stringify({ jobs }), "application/json", query);
    const form = (fields: Record<string, string | File | string[]>, query = "") => {
      const made = new FormData();
      for (const [name, values] of Object.entries(fields)) for (const one of [values].flat()) made.append(name, one);
      return post(made, null, query);
    };
    const csv = 'lr,note\n0.1,"it\'s ""a"" $(b)\nc"\n0.01,\n';
    const template = { name: "t-{lr}-{#}", command: "run {lr} {note}", tags: { k: "v" } };
    const rows = [{ lr: 0.1, note: 'it\'s "a" $(b)\nc' }, { lr: "0.01", note: null }];
    await Deno.writeTextFile(`${t.directory}/p.csv`, csv);
    await command("create", "b");
    await command("add", "b", "--name=t-{lr}-{#}", "--command=run {lr} {note}", "--param-file=p.csv");
    await command("add", "b", "--name=p-{lr}-{s}", "--command=go {lr} {s}", "--param=lr=0.1,0.01", "--param=s=1-2");
    await command("add", "b", "--name=l-{/.}-{2}", "--command=wc {1} {2}", ":::", "d/a b.c", ":::", "1", "2");
    const commands = async (queue: string) =>
      (JSON.parse(await command("list", queue, "--output=json")) as { name: string; command: string; params: object }[])
        .map(({ name, command, params }) => ({ name, command, params }));
    const expected = await commands("b");

    assert.deepEqual((await json([{ name: "x", command: "true" }])).added, ["x"]);
    const dry = await json([{ ...template, tags: undefined, sweep: { rows } }], "?dry_run=true");
    assert.deepEqual([dry.added, dry.would_add], [[], expected.slice(0, 2)]);
    assert.deepEqual(
      (await json([
        { name: template.name, command: template.command, sweep: { rows } },
        { name: "p-{lr}-{s}", command: "go {lr} {s}", sweep: { params: { lr: ["0.1", 0.01], s: "1-2" } } },
        { name: "l-{/.}-{2}", command: "wc {1} {2}", sweep: { arguments: [["d/a b.c"], ["1", "2"]] } },
      ])).added,
      expected.map(({ name }) => name),
    );
    assert.deepEqual((await commands("a")).slice(1), expected);

    const file = (text: string, name: string) => new File([text], name);
    const words = { name: template.name, command: template.command };
    const formed = await form({ ...words, param_file: file(csv, "p.csv") }, "?dry_run=true");
    assert.deepEqual(formed.would_add, expected.slice(0, 2));
    const products = await form(
      { name: "p-{lr}-{s}", command: "go {lr} {s}", param: ["lr=0.1,0.01", "s=1-2"] },
      "?dry_run=true",
    );
    assert.deepEqual(products.would_add, expected.slice(2, 6));
    const maps = await form({ name: "m", command: "true", env: ["MODE=fast", "SEED=7"], tags: "k=v" });
    assert.deepEqual(maps.added, ["m"]);
    const mapped = JSON.parse(await command("list", "a", "--name=m", "--output=json", "--wide"))[0];
    assert.deepEqual([mapped.env, mapped.tags], [{ MODE: "fast", SEED: "7" }, { k: "v" }]);
    assert.equal((await form({ name: "m", command: "true", env: "MODE" })).status, 422);
    await command("delete", "a", "--name=m");
    const lines = await form({ name: "n-{}", command: "wc {}", each_line: file("a\n#no\nb\n", "f"), comments: "true" });
    assert.deepEqual(lines.added, ["n-a", "n-b"]);
    const whole = await form({ from: file(await command("list", "b", "--output=json"), "b.json"), priority: "4" });
    assert.deepEqual(whole.added, expected.map(({ name }) => name));
    const query = `?name=${encodeURIComponent(template.name)}&command=${
      encodeURIComponent(template.command)
    }&dry_run=true`;
    assert.deepEqual((await post(csv, "text/csv", query)).would_add, expected.slice(0, 2));

    const before = await commands("a");
    const refused: [Promise<Added & { status: number }>, number][] = [
      [json([{ name: "x", command: "{a}", sweep: { params: { "a b": ["1"] } } }]), 422],
      [json([{ name: "x", command: "{a}", sweep: { params: { a: "5-1" } } }]), 422],
      [json([{ name: "x", command: "x", sweep: { params: { a: "1-400", b: "1-400" } } }]), 422],
      [json([{ name: "x", command: "x" }], "?name=y"), 422],
      [form({ name: "x", command: "y", colour: "red" }), 422],
      [form({ command: "y" }), 422],
      [form({ from: file("[", "b.json") }), 422],
      [form({ from: file('[{"name":"q","command":"x"}]', "b.json"), name: "x" }), 422],
      [post("--x\r\nnonsense", "multipart/form-data; boundary=y"), 400],
      [post("<jobs/>", "application/xml"), 415],
      [post(csv, "text/csv", "?name=x"), 422],
      [post("a\n", "text/csv", "?name=x&command=y"), 422],
    ];
    for (const [i, [reply, status]] of refused.entries()) assert.equal((await reply).status, status, `${i}`);
    assert.deepEqual(await commands("a"), before);

    const results = await t.ask("GET /queue/a/results.csv?where=param.lr<0.05");
    assert.equal(results.headers.get("content-type"), "text/csv; charset=UTF-8");
    const [head = "", ...table] = (await results.text()).trim().split("\n");
    assert.match(head, /^name,status,.*exit_code,.*duration,reason,param\.lr,param\.note,param\.s$/);
    assert.equal(table.length, 3);
    const columns = `--columns=${head}`;
    assert.equal(
      `${[head, ...table].join("\n")}\n`,
      await command("list", "a", "--where=param.lr<0.05", "--output=csv", columns),
    );
  });
});
