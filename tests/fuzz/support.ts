/**
 * Random and broken inputs, and how far a test goes with them. A failing test prints its seed and the smallest input
 * that it can find; `CMS_TEST_RUNS=100000` looks longer.
 *
 * @module
 */

import fc from "../../testing/property.ts";

/** For each property; a slow machine does fewer. */
const RUNS = Number(Deno.env.get("CMS_TEST_RUNS") ?? 200);
const LIMIT_MS = Number(Deno.env.get("CMS_TEST_RUNS") === undefined ? 600 : 60_000);

/** Options of `fc.assert`: a number of runs, and an end to them. */
export const BOUNDED: fc.Parameters<unknown> = {
  numRuns: RUNS,
  interruptAfterTimeLimit: LIMIT_MS,
  markInterruptAsFailure: false,
};

/** What breaks readers of text. */
const TOKENS = [
  ..." \t\n\r:-?#&*!|>'\"%@`{}[],.~=<\\$;()0a\0\u0007\u001b\u007f\u0085\u2028\u202e\ufeffé日🎉",
  ..."\r\n|---|...|: |- |&a|*a|<<: *a|!!binary |!!js/function |%YAML 9.9\n|  |__proto__|constructor|null|~|true|1e999"
    .split("|"),
  "-1",
  "99999999999999999999",
  "\ud800",
  "a".repeat(300),
  "[".repeat(200),
  "{a: ".repeat(200),
  "- ".repeat(200),
];

const snippet = fc.oneof(fc.constantFrom(...TOKENS), fc.string({ unit: "binary", maxLength: 8 }));

type Step = (text: string) => string;

/** One change to a text; places are fractions of its length, so that shrinking keeps their meaning. */
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("insert", "delete", "replace", "cut", "twice", "swap", "indent", "move"),
  fc.double({ min: 0, max: 0.9999, noNaN: true }),
  fc.double({ min: 0, max: 0.9999, noNaN: true }),
  snippet,
).map(([how, a, b, text]) => (old) => {
  const [from, to] = [Math.floor(Math.min(a, b) * old.length), Math.ceil(Math.max(a, b) * old.length)];
  const short = from + Math.min(to - from, 12);
  const lines = old.split("\n");
  const [i, k] = [Math.floor(a * lines.length), Math.floor(b * lines.length)];
  switch (how) {
    case "insert":
      return old.slice(0, from) + text + old.slice(from);
    case "delete":
      return old.slice(0, from) + old.slice(short);
    case "replace":
      return old.slice(0, from) + text + old.slice(short);
    case "cut":
      return old.slice(0, to);
    case "twice":
      return [...lines.slice(0, i), lines[i], ...lines.slice(i)].join("\n");
    case "swap":
      [lines[i], lines[k]] = [lines[k] ?? "", lines[i] ?? ""];
      return lines.join("\n");
    case "indent":
      lines[i] = /^ /.test(lines[i] ?? "") ? lines[i]!.slice(1) : ` ${lines[i]}`;
      return lines.join("\n");
    case "move":
      return old.slice(to) + old.slice(0, to);
  }
});

/** The text after up to four changes. */
export function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, fc.array(step, { minLength: 1, maxLength: 4 })).map(([start, steps]) =>
    steps.reduce((now, change) => change(now), start)
  );
}

/** Bytes of a file. A failing test shows them as text. */
export interface Bytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly [fc.toStringMethod]: () => string;
}

/** The bytes of such a text, now and then with some that are no UTF-8. */
export function mutatedBytes(text: fc.Arbitrary<string>): fc.Arbitrary<Bytes> {
  const flip = fc.tuple(fc.double({ min: 0, max: 0.9999, noNaN: true }), fc.nat(255));
  return fc.tuple(mutated(text), fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(flip, { maxLength: 3 })))
    .map(([changed, flips]) => {
      const bytes = new TextEncoder().encode(changed);
      for (const [at, byte] of flips) if (bytes.length > 0) bytes[Math.floor(at * bytes.length)] = byte;
      return { bytes, [fc.toStringMethod]: () => JSON.stringify(new TextDecoder().decode(bytes)) };
    });
}

/** Anything that may stand where something else is meant. */
export const hostile: fc.Arbitrary<string> = fc.oneof(snippet, fc.string({ unit: "binary" }), fc.string());

/**
 * `fc.assert` of an asynchronous property, {@link BOUNDED}. At the time limit fast-check leaves a run in the middle:
 * that one is waited for, so that nothing goes on when the test removes its files.
 */
export async function assertAll<T>(property: fc.IAsyncProperty<T>, options: fc.Parameters<T> = {}): Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  const run = property.run.bind(property);
  property.run = (value) => {
    const result = run(value);
    running = result.catch(() => {});
    return result;
  };
  try {
    await fc.assert(property, { ...BOUNDED as fc.Parameters<T>, ...options });
  } finally {
    await running;
  }
}
