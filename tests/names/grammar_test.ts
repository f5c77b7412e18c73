import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import {
  experimentPath,
  gpuList,
  hostId,
  isGpuList,
  jobName,
  machineName,
  shellName,
  userName,
} from "../../src/names/grammar.ts";

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

Deno.test("userName() takes what ssh -l takes", () => {
  for (const name of ["john@corp.example", "CORP\\john", "jörg", "a:b", "user%gate", "$(x)", "box$", "a".repeat(255)]) {
    if (name === "$(x)") assert.throws(() => userName(name), InvalidError);
    else assert.equal(userName(name), name);
  }
  for (const name of ["-l", "a b", "a,b", "a[1]", "a`b", "a|b", "john\\", "a".repeat(257), "a\u001bb"]) {
    assert.throws(() => userName(name), InvalidError, name);
  }
});

Deno.test("machineName() takes IPv6 with brackets and scopes, and says where a port belongs", () => {
  for (
    const name of [
      "::",
      "::1",
      "[2001:db8::5]",
      "fe80::1%br-lan",
      "[fe80::1%eth0.10]",
      "1:2:3:4:5:6:7:8",
      "::ffff:10.0.0.1",
    ]
  ) assert.equal(machineName(name), name);
  const port = /a port belongs into ~\/\.ssh\/config, as "Port 2222" below "Host /;
  for (const name of ["red:2222", "cafe:2222", "10.0.0.1:2222", "[::1]:2222"]) {
    assert.throws(() => machineName(name), port, name);
  }
  for (const name of ["a:b:c", ":::::::::", "fe80::1%", "fe80::12345", "[::1", "1:2:3", ":".repeat(99_990), "[red]"]) {
    assert.throws(() => machineName(name), InvalidError, name);
  }
});

Deno.test("a text longer than any name is refused before it is matched, and shown in part", () => {
  const matched: string[] = [];
  const { exec } = RegExp.prototype;
  // Whatever a pattern is asked by, it comes here.
  RegExp.prototype.exec = function (text) {
    matched.push(text);
    return exec.call(this, text);
  };
  try {
    for (const check of [jobName, hostId, machineName, userName, gpuList, shellName]) {
      for (
        const text of [":".repeat(99_990), `${":".repeat(1_000_000)}z`, "a".repeat(99_990), `[${"1:".repeat(500)}]`]
      ) {
        assert.throws(() => check(text), (error) => error instanceof InvalidError && error.message.length < 300);
      }
      assert.throws(() => check("/ /"), InvalidError);
    }
    assert.equal(isGpuList("1,".repeat(500)), false);
  } finally {
    RegExp.prototype.exec = exec;
  }
  assert.ok(matched.includes("/ /"));
  assert.deepEqual(matched.filter((text) => text.length > 300), []);
  assert.equal(machineName("a".repeat(255)), "a".repeat(255));
});
