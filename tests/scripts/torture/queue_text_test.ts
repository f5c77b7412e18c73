import assert from "node:assert/strict";
import { blocksOf, withField } from "../../../scripts/torture/queue_text.ts";
import { parseQueue } from "../../../scripts/torture/queue.ts";

const TEXT = `a:
  id: aa
  status: end
  command: |-
    one

    two: status: x
  host: red
  attempt: 1
  exit_code: 0
b.1-x:
  id: bb
  status: undefined
  host: null
  attempt: 0
  exit_code: null
`;

Deno.test("blocksOf() finds each job's part and its state", () => {
  const blocks = blocksOf(TEXT);
  assert.deepEqual([...blocks].map(([name, { status }]) => [name, status]), [["a", "end"], ["b.1-x", "undefined"]]);
  assert.equal([...blocks.values()].map(({ text }) => text).join(""), TEXT);
});

Deno.test("withField() sets a field, or adds it", () => {
  const [first, second] = [...blocksOf(TEXT).values()].map(({ text }) => text);
  const jobs = parseQueue(withField(first!, "note", "note 1") + withField(second!, "status", "ready"));
  assert.deepEqual(jobs.get("a"), { id: "aa", status: "end", host: "red", attempt: 1, exitCode: 0, note: "note 1" });
  assert.deepEqual(jobs.get("b.1-x"), {
    id: "bb",
    status: "ready",
    host: null,
    attempt: 0,
    exitCode: null,
    note: null,
  });
});
