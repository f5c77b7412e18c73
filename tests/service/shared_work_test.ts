import assert from "node:assert/strict";
import { withService } from "../../testing/service/service.ts";
import { sharedWork } from "../../src/service/shared_work.ts";

Deno.test("sharedWork() works once for all who ask before it begins, and never twice at a time", async () => {
  const ends: ((value: string | null) => void)[] = [];
  const ask = sharedWork(async (key) => {
    if (key === "b") return key;
    const { promise, resolve } = Promise.withResolvers<string | null>();
    ends.push(resolve);
    const value = await promise;
    if (value === null) throw new Error("no");
    return value;
  });
  const first = ask("a");
  assert.equal(await ask("b"), "b");
  const others = [ask("a"), ask("a")];
  assert.equal(ends.length, 1);
  ends[0]!(null);
  await assert.rejects(first, /no/);
  assert.equal(ends.length, 2);
  const late = ask("a");
  ends[1]!("two");
  assert.deepEqual(await Promise.all(others), ["two", "two"]);
  assert.equal(ends.length, 3);
  ends[2]!("three");
  assert.equal(await late, "three");
  const again = ask("a");
  ends[3]!("four");
  assert.equal(await again, "four");
});

/** Who asks meanwhile shares the next one, so there are a few. */
const MOST = 20;

Deno.test("lists of a directory that are asked for at once are looked for and written down a few times for all", async () => {
  let looks = 0;
  await withService(async (t) => {
    for (const kind of ["queue", "cluster"]) {
      await t.text(`POST /${kind}/?name=a`);
      const written: unknown[] = [];
      const { stringify } = JSON;
      JSON.stringify = ((...words: unknown[]) => {
        written.push(words[0]);
        return Reflect.apply(stringify, JSON, words);
      }) as typeof stringify;
      looks = 0;
      try {
        const replies = await Promise.all(Array.from({ length: 100 }, () => t.text(`GET /${kind}/`)));
        assert.deepEqual(new Set(replies), new Set([`{"${kind}s":["a-${kind}.yaml"]}`]));
      } finally {
        JSON.stringify = stringify;
      }
      assert.ok(looks <= MOST, `${looks} looks`);
      assert.ok(written.filter((one) => Object.hasOwn(one as object, `${kind}s`)).length <= MOST);
    }
  }, ({ deps }) => {
    const list: typeof deps.files.list = (path) => {
      looks++;
      return deps.files.list(path);
    };
    return { deps: { ...deps, files: { ...deps.files, list } } };
  });
});
