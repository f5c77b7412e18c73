/**
 * Variants that break what jobs need and hosts have: devices, CPUs, and whose turn it is.
 *
 * @module
 */

import { Attempts } from "../../src/scheduler/attempts.ts";
import { GpuWatch } from "../../src/scheduler/gpu_watch.ts";
import { HAS_NOTHING, Resources } from "../../src/scheduler/resources.ts";
import { SlotNumbers } from "../../src/scheduler/slot_numbers.ts";
import { Slots } from "../../src/scheduler/slots.ts";
import type { Mutant } from "./mutants.ts";
import { patch } from "./patch.ts";

/** The variants. */
export const NEEDS_MUTANTS: readonly Mutant[] = [
  {
    rule: 4,
    name: "a GPU that somebody else uses is given",
    breaks: () =>
      patch(GpuWatch.prototype, "answered", (old) =>
        function (this: GpuWatch, machine, use, reason) {
          return old.call(this, machine, use?.filter(({ attempt }) => attempt !== null) ?? null, reason);
        }),
  },
  {
    rule: 4,
    name: "nobody is asked who else uses a GPU",
    breaks: () => patch(GpuWatch.prototype, "isSure", () => () => true),
  },
  {
    rule: 4,
    name: "the first slot's number is everybody's",
    breaks: () => patch(SlotNumbers.prototype, "next", () => () => 0),
  },
  {
    rule: 4,
    name: "the number of an adopted job's slot is given again",
    breaks: () =>
      patch(Attempts.prototype, "started", (old) =>
        function (this: Attempts, one, pid, startedAtMs) {
          return old.call(this, one, pid, startedAtMs);
        }),
  },
  {
    rule: 4,
    name: "a device is given to whoever asks",
    breaks: () =>
      patch(
        Resources.prototype,
        "choose",
        () => (host, needs) =>
          (host.has ?? HAS_NOTHING).devices?.ids.slice(0, needs.gpus + (needs.gpuPart > 0 ? 1 : 0)) ??
            (needs.gpus + needs.gpuPart > 0 ? null : []),
      ),
  },
  {
    rule: 4,
    name: "what adopted jobs hold is forgotten",
    seed: 671,
    isSmall: true,
    breaks: () =>
      patch(Slots.prototype, "adopt", (old) =>
        function (this: Slots, job, machine, id) {
          return old.call(this, job, machine, id, null);
        }),
  },
  {
    rule: 5,
    name: "no host is kept for a job that needs more than is free",
    seed: 519,
    breaks: () => patch(Slots.prototype, "keep", () => () => {}),
  },
  {
    rule: 4,
    name: "the devices of a start are not written down",
    breaks: () =>
      patch(Attempts.prototype, "start", (old) =>
        function (this: Attempts, job, place, isPrefetch) {
          if (place.share === undefined) return old.call(this, job, place, isPrefetch);
          return old.call(this, job, { ...place, share: { ...place.share, devices: [] } }, isPrefetch);
        }),
  },
];
