import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { experimentPath, jobName, machineName, shellName, userName } from "../../src/names/grammar.ts";

Deno.test("names that could be options, paths or code are refused", () => {
  const bad = ["", "-x", ".hidden", "..", "a/b", "a b", "a;b", "$(x)", "a\nb", "a'b", "ä", "a".repeat(201)];
  for (const name of bad) assert.throws(() => jobName(name), InvalidError, name);
  for (const name of ["-oProxyCommand=x", "a b", "a;b", "", "a\n"]) {
    assert.throws(() => machineName(name), InvalidError, name);
    assert.throws(() => userName(name), InvalidError, name);
    assert.throws(() => shellName(name), InvalidError, name);
  }
});

Deno.test("names of the user's document are taken as they are", () => {
  for (const name of ["job1", "job_2", "a.b", "a-b", "a+b", "0"]) assert.equal(jobName(name), name);
  for (const name of ["red", "red01", "localhost", "10.0.0.1", "fe80::1", "node-1.cluster"]) {
    assert.equal(machineName(name), name);
  }
  assert.equal(shellName("/usr/bin/python3"), "/usr/bin/python3");
});

Deno.test("experimentPath() makes paths plain and refuses those that climb", () => {
  assert.equal(experimentPath("./experiment/"), "experiment");
  assert.equal(experimentPath("/srv//runs/."), "/srv/runs");
  assert.equal(experimentPath("."), ".");
  for (const path of ["", "..", "a/../b", "~/x", "-x", "a\nb"]) assert.throws(() => experimentPath(path), InvalidError);
});
