/** Counting the calls of a program in the traces of its processes. */
import assert from "node:assert/strict";
import { countCalls } from "../../../scripts/bench/traces.ts";

const TRACES = new Map([
  // A child of the thread, which becomes another program.
  [
    "12",
    `execve("/bin/true", [...], 0x7f /* 3 vars */) = 0\nexit_group(0)                     = ?\n+++ exited with 0 +++\n`,
  ],
  ["13", `fork() = 14\n`],
  ["14", `+++ exited with 0 +++\nexit_group(0) = ?\n`],
  [
    "10",
    `execve("/x/cms", [...], 0x7f /* 3 vars */) = 0
clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0} => {parent_tid=[11]}, 88) = 11
writev(3</q/.a-queue.journal>, [...], 2) = 90
write(4</q/a-queue.yaml>, ""..., 9) = 9
--- SIGCHLD {} ---
`,
  ],
  [
    "11",
    `fdatasync(3</q/.a-queue.journal>)      = 0
fork()                            = 12
clone(child_stack=NULL, flags=SIGCHLD) = 13
vfork()                           = -1 EAGAIN (Resource temporarily unavailable)
`,
  ],
]);

Deno.test("calls are counted for the first process with its threads, for those that it began, and for the rest", () => {
  assert.deepEqual(countCalls(TRACES, ".a-queue.journal"), {
    own: { all: 8, forks: 2, execs: 1, writes: 1, syncs: 1 },
    children: { all: 3, forks: 1, execs: 1, writes: 0, syncs: 0 },
    others: { all: 1, forks: 0, execs: 0, writes: 0, syncs: 0 },
  });
});

Deno.test("traces in which every process was begun by another are refused", () => {
  assert.throws(() => countCalls(new Map([["1", "fork() = 1\n"]]), "x"), /Cannot tell which process is the first/);
});
