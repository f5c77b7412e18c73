/** Values that shells, YAML, CSV and JSON take for something else reach the job byte for byte, by every way. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Manager } from "../../testing/harness.ts";
import { readText } from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { withService } from "../../testing/service/service.ts";

const KNOWN = [
  ...[
    "a b",
    " lead and trail ",
    "it's",
    '"',
    "''",
    '""',
    "\\",
    "a\\",
    "$HOME",
    "$(id)",
    "`id`",
    "*",
    "?",
    "~",
    "-n",
    "%s",
  ],
  ...[
    "!x",
    "{}",
    "{v}",
    "{#}",
    "\\{v}",
    "; exit 3",
    "' ; exit 3; '",
    '" ; exit 3; "',
    "#",
    "null",
    "007",
    "1e3",
    "yes",
  ],
  ...["ü 日本 \u{1f600}", "a\u0301", "\u00e1", "\t", "a\u0001\u007fb", "=x", "- a: b", "&x", "\ufeffx", "\u2028"],
];
const LINES = ["two\nlines", "\n\nx", "cr\r\nlf", "a\rb", "trail\n", 'quote"\nand\n,comma'];
const LONG = [`x'"\\\`$ `.repeat(12_000)];
const SEED = Number(Deno.env.get("HOSTILE_SEED") ?? Math.floor(Math.random() * 2 ** 31));

/** Texts as they come: no NUL, which no argument can have, and none that is no text. */
const ANY = fc.sample(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((s) =>
    !s.includes("\0") && s.isWellFormed() && !s.includes("\ufffd")
  ),
  { numRuns: 8, seed: SEED },
);

const VALUES = [...KNOWN, ...LINES, ...LONG, ...ANY];
/** What a line can be: not blank, no line end. (`\r` before one is part of it.) */
const isLine = (value: string): boolean => value.trim() !== "" && !/[\r\n]/.test(value) && !value.startsWith("\ufeff");
/** What `--param` takes for a list or a range. */
const isPlainParam = (value: string): boolean => !/[,]|^-?[0-9]+-|:/.test(value);

/** Ways that give parameters names: there the environment has them, too. */
const NAMED = "param csv tsv json jsonl yaml rows values form body".split(" ");

interface Way {
  readonly values: readonly string[];
  readonly words: readonly string[];
  readonly file?: readonly [name: string, text: string];
}

const csv = (separator: string) =>
  ["v", ...VALUES.map((value) => `"${value.replaceAll('"', '""')}"`)].join("\r\n") + `\r\n${separator}`.slice(0, 2);
const command = 'printf %s "$CMS_PARAM_v" >env; printf %s {v}';
const template = [`--command=${command}`, "--shell=bash"];
const line = ["--command=printf %s {}", "--shell=bash"];
const rows = VALUES.map((v) => ({ v }));
const whole = VALUES.map((value, i) => ({ name: `from-${i}`, command: `printf %s ${shellQuoted(value)}` }));

function shellQuoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

const WAYS: Readonly<Record<string, Way>> = {
  param: {
    values: VALUES.filter(isPlainParam),
    words: [
      ...template,
      ...VALUES.filter(isPlainParam).length ? [`--param=v=${VALUES.filter(isPlainParam).join(",")}`] : [],
    ],
  },
  arguments: { values: VALUES, words: [...line, ":::", ...VALUES] },
  csv: { values: VALUES, words: [...template, "--param-file=p.csv"], file: ["p.csv", csv("")] },
  tsv: { values: VALUES, words: [...template, "--param-file=p.tsv"], file: ["p.tsv", csv("")] },
  json: { values: VALUES, words: [...template, "--param-file=p.json"], file: ["p.json", JSON.stringify(rows)] },
  jsonl: {
    values: VALUES,
    words: [...template, "--param-file=p.jsonl"],
    file: ["p.jsonl", rows.map((row) => JSON.stringify(row)).join("\n")],
  },
  yaml: {
    values: VALUES,
    words: [...template, "--param-file=p.yaml"],
    file: ["p.yaml", rows.map((row) => `- v: ${JSON.stringify(row.v)}`).join("\n")],
  },
  lines: {
    values: VALUES.filter(isLine),
    words: [...line, "--each-line=l"],
    file: ["l", VALUES.filter(isLine).join("\n")],
  },
  files: { values: VALUES.filter(isLine), words: [...line, "::::", "l"] },
};

hostTest(
  `values reach jobs on a host byte for byte, by every way of giving them (HOSTILE_SEED=${SEED})`,
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await manager.ok("queue", "create", "a");
    const expected = new Map<string, string>();
    const expect = (way: string, values: readonly string[], first: number): void =>
      values.forEach((value, i) => expected.set(`${way}-${i + first}`, value));
    for (const [way, { values, words, file }] of Object.entries(WAYS)) {
      if (file !== undefined) await Deno.writeTextFile(`${manager.dir}/${file[0]}`, file[1]);
      await manager.ok("queue", "add", "a", `--name=${way}-{#}`, ...words);
      expect(way, values, 1);
    }
    await Deno.writeTextFile(`${manager.dir}/w.json`, JSON.stringify(whole));
    await manager.ok("queue", "add", "a", "--from=w.json");
    expect("from", VALUES, 0);
    const stream = whole.map(({ name, command }) =>
      `${JSON.stringify({ name: name.replace("from", "stdin"), command })}\n`
    );
    await Deno.writeTextFile(`${manager.dir}/w.jsonl`, stream.join(""));
    const { code, stderr } = await manager.type("cms queue add a --stdin < w.jsonl > answers");
    assert.equal(code, 0, stderr);
    expect("stdin", VALUES, 0);
    await withService(async (t) => {
      await t.json("POST /queue/?name=r");
      await t.json("POST /queue/r/jobs", {
        json: {
          jobs: [
            { name: "rows-{#}", command, sweep: { rows } },
            { name: "values-{#}", command, sweep: { params: { v: VALUES } } },
            { name: "list-{#}", command: "printf %s {1}", sweep: { arguments: [VALUES] } },
          ],
        },
      });
      const form = new FormData();
      for (const [name, value] of [["name", "form-{#}"], ["command", command]] as const) form.append(name, value);
      form.append("param_file", new File([csv("")], "p.csv"));
      const words = `?name=body-{%23}&command=${encodeURIComponent(command)}`;
      for (const ask of [{ body: form }, { body: csv(""), headers: { "content-type": "text/csv" } }]) {
        const reply = await t.ask(`POST /queue/r/jobs${typeof ask.body === "string" ? words : ""}`, ask);
        assert.equal(reply.status, 200, await reply.text());
      }
      await Deno.copyFile(`${t.directory}/experiment/r-queue.yaml`, `${manager.dir}/r.yaml`);
    });
    await manager.ok("queue", "add", "a", "--from=r.yaml");
    for (const way of ["rows", "values", "list", "form", "body"]) expect(way, VALUES, 1);

    const run = await manager.spawn(
      [`${manager.bin}/cms`, "queue", "run", "fifo_multi", "a", `--hosts=${"pi@red,pi@red01,pi@red02,".repeat(4)}`],
      { limitMs: 180_000 },
    ).ended();
    assert.equal(run.code, 0, run.stderr.slice(-2000));
    const jobs = await manager.jobs();
    assert.equal(jobs.size, expected.size);
    for (const [name, value] of expected) {
      const job = jobs.get(name);
      assert.equal(job?.status, "end", name);
      const there = `${hosts.host(job!.host!).home}/experiment/${name}`;
      const files = [`${name}.out`, ...(NAMED.includes(name.slice(0, name.indexOf("-"))) ? ["env"] : [])];
      for (const file of files) {
        const found = readText(`${there}/${file}`);
        if (found === value) continue;
        assert.equal(JSON.stringify(found.slice(0, 300)), JSON.stringify(value.slice(0, 300)), `${name}: ${file}`);
        assert.fail(`${name}: ${file}: ${found.length} characters in place of ${value.length}`);
      }
    }
  },
);
