import assert from "node:assert/strict";
import { testArguments } from "../../../scripts/test/arguments.ts";

const locked = { junit: "/x/junit.xml", isLocked: true };

Deno.test("testArguments() runs all tests with the lock kept when no file is given", () => {
  const all = ["test", "-A", "--parallel", "--junit-path=/x/junit.xml", "--frozen"];
  assert.deepEqual(testArguments([], locked), [...all, "tests/"]);
  assert.deepEqual(testArguments(["--filter", "wait"], locked), [...all, "--filter", "wait", "tests/"]);
});

Deno.test("testArguments() runs only the files that are given", () => {
  const given = ["--filter=wait", "tests/testing/wait_test.ts"];
  assert.deepEqual(testArguments(given, { ...locked, isLocked: false }), [
    ...["test", "-A", "--parallel", "--junit-path=/x/junit.xml"],
    ...given,
  ]);
});
