/**
 * Draws who else uses GPUs of a world's hosts.
 *
 * @module
 */

import { randomOf } from "./random.ts";
import type { HostPlan, Stranger } from "./scenario.ts";

/** In some worlds with devices others use them, and they are given only while nobody does. */
export function drawStrangers(seed: number, hosts: readonly HostPlan[], troubleMs: number): readonly HostPlan[] {
  const random = randomOf(seed, "users");
  if (random.chance(0.5)) return hosts;
  return hosts.map((host): HostPlan => {
    const gpus = Math.max(...host.entries.map((entry) => entry.gpus ?? 0));
    if (gpus === 0 || random.chance(0.3)) return host;
    const strangers = Array.from({ length: random.below(5) }, (): Stranger => {
      const fromMs = random.between(0, troubleMs);
      return { gpu: random.below(gpus), fromMs, toMs: fromMs + random.logBetween(100, 200_000) };
    });
    return { ...host, isIdleOnly: true, strangers };
  });
}
