/** `:::` and `::::` of `cms queue add` beside GNU parallel: the same command lines, or a known difference. */
import assert from "node:assert/strict";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { withPlace } from "./harness.ts";

/** A command, what stands behind it, and what is added before it for each of the two. */
interface Template {
  readonly command: string;
  readonly sources: readonly string[];
  readonly parallel?: readonly string[];
  readonly cms?: readonly string[];
}

const of = (command: string, ...sources: string[]): Template => ({ command, sources });

/** The same command lines, character for character. */
const SAME: readonly Template[] = [
  of("echo", ":::", "a", "b c", "*", "$(id)", "~", "ü", "a=b", "a;b", "-n", '"'),
  of("echo {}", ":::", "a", "b c"),
  of("echo {} {}", ":::", "a b"),
  of("echo x{}y --x={}", ":::", "q w", "plain"),
  of("gzip {}", ":::", "d/a.txt", "/a b/c.d.e"),
  of("echo {.} {/} {//} {/.}", ":::", "x/y.tar.gz", "/z", "a.", "/a/b/", "x.y/z", "a b/c d.e f"),
  of("cd {//} && gzip <{/} >{/.}.gz", ":::", "d/a.txt", "e f/b.txt"),
  of("echo {1} {2}", ":::", "a", "b", ":::", "1", "2"),
  of("echo", ":::", "a", "b", ":::", "1", "2", ":::", "x y", "z"),
  of("echo {2} {1}", ":::", "a", ":::", "1", "2"),
  of("echo {-1} {-2}", ":::", "a", ":::", "1", "2"),
  of("echo {2/.} {1//} {1.} {2/}", ":::", "a/b.c", ":::", "d/e.f"),
  of("echo {1} {}", ":::", "a", "b", ":::", "c d"),
  of("echo {#} {}", ":::", "a", "b", "c"),
  of('echo {"a": 1} {x} {}', ":::", "a"),
  of("echo ${HOME} {}", ":::", "a"),
  of("echo $(wc -c <{}) `ls {}`", ":::", "a b"),
  of("echo {}", "::::", "lines"),
  of("echo", "::::", "lines", "more"),
  of("echo {1} {2}", "::::", "lines", ":::", "1", "2"),
  of("echo {1}-{2}", ":::", "a", "b", "c", ":::+", "1", "2", "3"),
  of("echo {1}-{2}", ":::", "a", "b", "c", ":::+", "1", "2"),
  of("echo", ":::", "a", ":::+", "b", ":::+", "c"),
  of("echo {1} {2} {3}", ":::", "a", "b", ":::+", "1", "2", ":::", "x", "y"),
  of("echo {1} {2}", ":::", "a", "b", "c", "::::+", "more"),
  of("echo {1} {2}", "::::", "lines", "::::+", "more"),
  { ...of("echo {1} {2}", ":::", "a", "b", ":::", "1", "2"), parallel: ["--link"], cms: ["--link"] },
  of("", ":::", "echo hi", "ls | wc -l"),
  of("", "::::", "commands"),
  of("echo {} | tr a-z A-Z > {/.}.out", ":::", "x/y.z"),
  {
    ...of("echo {b} {a}"),
    parallel: ["--header", ":"],
    sources: [":::", "a", "1", "2", ":::", "b", "x y", "z"],
    cms: ["--param=a=1,2", "--param=b=x y,z"],
  },
  {
    ...of("train --lr {lr} --batch {batch}"),
    parallel: ["--csv", "--header", ":", "-a", "rows.csv"],
    cms: ["--param-file=rows.csv"],
  },
  {
    ...of("train --lr {lr} --batch {batch}"),
    parallel: ["--colsep", "\t", "--header", ":", "-a", "rows.tsv"],
    cms: ["--param-file=rows.tsv"],
  },
];

/** The differences of docs/sweeps.md: what each makes. */
const OTHER:
  readonly (Template & { readonly makes: { readonly parallel: string[]; readonly cms: string[] | RegExp } })[] = [
    { ...of("echo {}", ":::", "it's"), makes: { parallel: [`echo 'it'"'"'s'`], cms: ["echo 'it'\\''s'"] } },
    {
      ...of("echo '{}' \"{}\"", ":::", "a 'b"),
      makes: { parallel: [`echo ''a '"'"'b'' "'a '"'"'b'"`], cms: ["echo 'a '\\''b' \"a 'b\""] },
    },
    { ...of("echo {.}", ":::", "d/.profile"), makes: { parallel: ["echo d/"], cms: ["echo d/.profile"] } },
    { ...of("echo {1} {2}", ":::", "a"), makes: { parallel: ["echo a "], cms: ["echo a {2}"] } },
    { ...of("echo {%} {}", ":::", "a"), makes: { parallel: ["echo 1 a"], cms: ["echo {%} a"] } },
    { ...of("echo {}", ":::", "a\nb"), makes: { parallel: ["echo a", "echo b"], cms: ["echo 'a\nb'"] } },
    { ...of("echo {}", "::::", "crlf"), makes: { parallel: ["echo 'a\r'"], cms: ["echo a"] } },
    {
      ...of("echo {1} {2}", ":::", "a", "b", ":::", "1"),
      parallel: ["--link"],
      cms: ["--link"],
      makes: { parallel: ["echo a 1", "echo b 1"], cms: /Cannot link sources: one has 2 values, another 1/ },
    },
  ];

const FILES: Readonly<Record<string, string>> = {
  lines: "l1\n\nl 3\n  l4 \n",
  more: "m1\nm 2",
  commands: "echo one\nls -l | wc\n",
  crlf: "a\r\n",
  "rows.csv": 'lr,batch\n0.1,"3 ""2"""\n"a, b",64\n',
  "rows.tsv": "lr\tbatch\n0.1\t3 2\n0.2\t64\n",
};

async function withParallel(directory: string, { command, sources, parallel = [] }: Template): Promise<string[]> {
  // With a NUL behind each command line: one may have line breaks.
  const { code, stdout, stderr } = await new Deno.Command("parallel", {
    args: ["--will-cite", "--dry-run", "-k", ...parallel, ...(command === "" ? [] : [`${command}`]), ...sources],
    cwd: directory,
    stdin: "null",
    env: { HOME: directory, LC_ALL: "C.UTF-8" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).replace(/\n$/, "").split("\n");
}

const why = whyNoPrograms("parallel", "Text::CSV");

needTest("queue add makes the command lines of GNU parallel, or differs as the page says", why, async () => {
  await withPlace(async ({ directory, ok, run }) => {
    await ok("queue", "create", "a");
    for (const [name, text] of Object.entries(FILES)) await Deno.writeTextFile(`${directory}/${name}`, text);
    const asCms = async ({ command, sources, cms = [] }: Template) => {
      const words = cms.length > 0 && !cms.includes("--link") ? [] : sources;
      const text = command === "" ? [] : [`--command=${command}`];
      return await run("queue", "add", "a", "--name=x", ...text, ...cms, "--dry-run", "--format=json", ...words);
    };
    const commands = (json: string): string[] =>
      (JSON.parse(json) as { command: string }[]).map(({ command }) => command);
    // The first finds out, for all of them, how long a command line may be.
    await withParallel(directory, SAME[0]!);
    await Promise.all(SAME.map(async (template) => {
      const [theirs, ours] = [await withParallel(directory, template), await asCms(template)];
      assert.deepEqual(commands(ours.out), theirs, `${template.command} ${template.sources.join(" ")}: ${ours.err}`);
    }));
    await Promise.all(OTHER.map(async ({ makes, ...template }) => {
      const [theirs, ours] = [await withParallel(directory, template), await asCms(template)];
      assert.deepEqual(theirs, makes.parallel, template.command);
      if (makes.cms instanceof RegExp) assert.match(ours.err, makes.cms);
      else assert.deepEqual(commands(ours.out), makes.cms, template.command);
    }));
  });
});
