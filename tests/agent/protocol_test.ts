import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { parseAnswer, parseEvent, request, startRequest } from "../../src/agent/protocol.ts";
import { start } from "./support.ts";

const TOKEN = "00ff00ff00ff00ff";
const QUEUE = "abc123";

/** Text out of the pieces that matter to the parsers, and anything else. */
const noise = fc.array(
  fc.oneof(
    fc.constantFrom(
      TOKEN,
      `@${QUEUE}`,
      " ",
      ".",
      "-",
      "a",
      "b",
      "h",
      "z",
      "B",
      "E",
      "N",
      "V",
      "0",
      "12",
      "alive",
      "ended",
      "kill",
    ),
    fc.string(),
  ),
).map((parts) => parts.join(" "));

Deno.test("parseAnswer() and parseEvent() throw for no line", () => {
  fc.assert(fc.property(noise, (text) => {
    for (const line of [text, `${TOKEN} ${text}`, `@${QUEUE} ${text} .`]) {
      parseAnswer(line, TOKEN);
      parseEvent(line, QUEUE);
    }
  }));
});

Deno.test("parseAnswer() takes nothing without the link's token", () => {
  fc.assert(fc.property(noise, (text) => text.startsWith(TOKEN + " ") || parseAnswer(text, TOKEN) === null));
  assert.equal(parseAnswer("ff a 1 0 none", TOKEN), null);
  assert.deepEqual(parseAnswer(`${TOKEN} a 1 0 none`, TOKEN), {
    type: "state",
    request: 1,
    index: 0,
    state: { type: "none" },
  });
});

Deno.test("parseEvent() takes no event that is cut short, at whatever place", () => {
  for (const whole of [`@${QUEUE} B job1 ff.1 123 1700000000000 .`, `@${QUEUE} E job1 ff.1 end 0 1700000000000 .`]) {
    assert.ok(parseEvent(whole, QUEUE) !== null);
    for (let end = 0; end < whole.length; end++) assert.equal(parseEvent(whole.slice(0, end), QUEUE), null);
    for (let begin = 1; begin < whole.length; begin++) assert.equal(parseEvent(whole.slice(begin), QUEUE), null);
  }
});

Deno.test("parseAnswer() reads every state", () => {
  const state = (text: string) => {
    const answer = parseAnswer(`${TOKEN} a 7 2 ${text}`, TOKEN);
    return answer?.type === "state" ? answer.state : null;
  };
  assert.deepEqual(state("claimed"), { type: "claimed" });
  assert.deepEqual(state("forbidden there is no shell"), { type: "forbidden", reason: "there is no shell" });
  assert.deepEqual(state("alive 12 1700000000001 1"), {
    type: "alive",
    pid: 12,
    startedAtMs: 1700000000001,
    orphan: true,
  });
  assert.deepEqual(state("ended end 0 1700000000001 2023-11-14T22:13:21Z"), {
    type: "ended",
    state: "end",
    exitCode: 0,
    startedAtMs: 1700000000001,
    endedAtMs: 1700000001000,
  });
  assert.deepEqual(state("ended kill - - -"), {
    type: "ended",
    state: "kill",
    exitCode: null,
    startedAtMs: null,
    endedAtMs: null,
  });
  assert.deepEqual(state("ended crash 137 - -"), { type: "crashed", exitCode: 137 });
  assert.deepEqual(state("alive 12 5 0 s=3 @x.1"), {
    type: "alive",
    pid: 12,
    startedAtMs: 5,
    orphan: false,
    slot: 3,
    directory: "x.1",
  });
  assert.deepEqual(state("other ff.2 1"), { type: "other", attempt: "ff.2", alive: true });
  for (const bad of ["", "alive", "alive x", "ended", "ended what 1", "other", "nonsense"]) {
    assert.equal(state(bad), null);
  }
});

Deno.test("request() is one compound statement that a shell reads back as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { maxLength: 20 }), async (args) => {
      const words = args.map((arg) => arg.replaceAll("\0", "").toWellFormed());
      const program = `cms_show() { for w do printf '%s\\0' "$w"; done; }\n${request("show", words)}`;
      const child = new Deno.Command("sh", { stdin: "piped", stdout: "piped" }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(program));
      await writer.close();
      const { stdout } = await child.output();
      assert.deepEqual(new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout).split("\0").slice(0, -1), words);
    }),
    { numRuns: 40 },
  );
});

Deno.test("startRequest() refuses a NUL in any text", () => {
  for (const field of ["script", "output", "log", "gpu", "shell"]) {
    assert.throws(() => startRequest(start("job1", "true", { [field]: "a\0b" })), RangeError);
  }
});
