/** Who else uses GPUs: what is left alone, for how long, and what is said of it. */
import assert from "node:assert/strict";
import type { GpuUse } from "../../src/link/link.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import type { RunContext } from "../../src/scheduler/context.ts";
import { GpuWatch } from "../../src/scheduler/gpu_watch.ts";
import type { SlotHost } from "../../src/scheduler/slot_host.ts";
import { slotHost } from "./world.ts";

const devices = { vendor: "nvidia" as const, ids: [0, 1] };

/** A watch over one host with two GPUs. `own`: what our jobs hold. */
function watching(own: [number, string[]][] = []): { run: RunContext; watch: GpuWatch; host: SlotHost } {
  const has = { devices, cpus: 0, memory: 0, isIdleOnly: true as const };
  const host = { ...slotHost("red01", "pi@red", { has }), machine: parseMachine("pi@red") };
  const slots = { on: () => [host], holders: () => new Map(own) };
  const inFlight = { get: (job: string) => ({ attempt: `${job}.1` }) };
  const run = { nowMs: 0, effects: [], slots, inFlight } as unknown as RunContext;
  return { run, watch: new GpuWatch(run), host };
}

function use(gpu: number, more: Partial<GpuUse>): GpuUse {
  return { gpu, pid: null, attempt: null, isUnseen: false, memoryMib: 0, ...more };
}

Deno.test("a GPU with another's process, or with more than 500 MiB in use, is left alone for a minute", () => {
  const { run, watch, host } = watching();
  assert.equal(watch.isSure(host, [0]), false);
  watch.ask(host);
  watch.ask(host);
  assert.deepEqual(run.effects, [{ type: "gpus", machine: "pi@red" }]);
  watch.answered("pi@red", [use(0, { memoryMib: 500 }), use(1, { pid: 4711 }), use(1, { memoryMib: 3 })], "");
  assert.deepEqual(watch.usable(host).has?.devices?.ids, [0]);
  assert.equal(watch.reason(host), "gpu 1 of red01 is used by pid 4711");
  assert.deepEqual([watch.isSure(host, [0]), watch.isSure(host, [0, 1])], [true, false]);
  run.nowMs = 1_001;
  assert.equal(watch.isSure(host, [0]), false);
  watch.ask(host);
  watch.answered("pi@red", [use(0, { memoryMib: 501 }), use(1, {})], "");
  assert.deepEqual(watch.usable(host).has?.devices?.ids, []);
  assert.equal(watch.reason(host), "gpu 0 of red01 is used by somebody: 501 MiB");
  assert.equal(watch.wakeAtMs, 60_000);
  run.nowMs = 60_000;
  watch.tick();
  assert.deepEqual(watch.usable(host).has?.devices?.ids, [1]);
});

Deno.test("our own jobs on a GPU are nobody else; a process that nobody can see there may be theirs", () => {
  const { watch, host } = watching([[0, ["half"]]]);
  watch.ask(host);
  const own = [use(0, { pid: 5, attempt: "half.1" }), use(0, { pid: 6, isUnseen: true }), use(0, { memoryMib: 9_000 })];
  watch.answered("pi@red", [...own, use(1, { pid: 7, attempt: "half.1" })], "");
  assert.deepEqual(watch.usable(host).has?.devices?.ids, [0]);
  assert.equal(watch.reason(host), "gpu 1 of red01 is used by pid 7");
});

Deno.test("a host that cannot say, or does not answer, gives no GPU; a new link asks anew", () => {
  const { run, watch, host } = watching();
  watch.ask(host);
  run.nowMs = 30_000;
  watch.tick();
  assert.equal(watch.reason(host), "who uses the GPUs of red01 is not known: no answer within 30 s");
  assert.deepEqual(watch.usable(host).has?.devices?.ids, []);
  assert.equal(run.effects.filter(({ type }) => type === "report").length, 1);
  watch.answered("pi@red", [], ""); // Too late.
  assert.deepEqual(watch.usable(host).has?.devices?.ids, []);
  watch.forget("pi@red");
  assert.equal(watch.usable(host), host);
  watch.ask(host);
  watch.answered("pi@red", null, "nvidia-smi: no driver");
  assert.equal(watch.reason(host), "who uses the GPUs of red01 is not known: nvidia-smi: no driver");
});
