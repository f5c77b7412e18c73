/**
 * What goes wrong in a world, and what people do meanwhile. Each fault takes its luck from its own dice, so that the
 * others can be left out without changing it.
 *
 * @module
 */

import { isInFlight } from "../job/states.ts";
import { listJobs } from "../operations/list_jobs.ts";
import type { Host } from "./host.ts";
import type { HostProcess } from "./host_process.ts";
import { act } from "./people.ts";
import type { Fault } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** A link notices silence within so long. */
const NOTICED_MS = 15_000;

function pick<T>(items: readonly T[], dice: number): T | undefined {
  return items[Math.floor(dice * items.length)];
}

function log(least: number, most: number, dice: number): number {
  return least * Math.exp(dice * Math.log(most / least));
}

/** Lets a fault happen now. */
export function applyFault(stage: Stage, fault: Fault): void {
  const { world } = stage;
  const { manager, timeline, scenario } = world;
  if (stage.isCalm) return;
  const [a = 0, b = 0, c = 0, d = 0] = fault.dice;
  const host = pick([...world.hosts.values()], a)!;
  const run = stage.runs[0];
  const later = (ms: number, then: () => void): void => {
    timeline.after(ms, () => {
      if (!stage.isCalm) then();
    });
  };
  world.trace("fault", fault.kind, usesHost(fault.kind) ? host.key : "");
  switch (fault.kind) {
    case "kill_run":
      if (run === undefined) return;
      // Between any two of its steps, or in the middle of what it waits for.
      if (b < 0.3) run.process.kill();
      else run.process.diesAtStep = run.process.steps + Math.floor(log(1, 400, c));
      return;
    case "power_manager":
      return world.powerCut(b < 0.4 ? 0 : b < 0.6 ? 1 : c);
    case "stop_run_process":
      if (run === undefined) return;
      run.process.setStopped(true);
      timeline.after(log(50, 60_000, b), () => run.process.setStopped(false));
      return;
    case "second_run":
      return stage.startRun();
    case "disk_full":
      manager.setFull(true);
      return later(log(100, 20_000, b), () => manager.setFull(false));
    case "graceful_stop":
      run?.stop.abort("SIGINT");
      world.stir();
      return;
    case "cut":
    case "cut_for_long":
    case "cut_beyond": {
      if (host.key === "localhost") return;
      host.setReachable(false);
      const longMs = fault.kind === "cut_beyond"
        ? scenario.timeoutMs + NOTICED_MS + log(500, 20_000, b)
        : scenario.timeoutMs * (0.5 + b);
      const ms = fault.kind === "cut" ? log(50, 15_000, b) : longMs;
      return later(ms, () => host.setReachable(true));
    }
    case "reset_connection":
      pick([...manager.connections], b)?.reset();
      return;
    case "break_copy":
      manager.breakCopyMs = log(20, 3_000, b);
      return;
    case "refuse":
      host.isRefusing = true;
      return later(log(100, 20_000, b), () => host.isRefusing = false);
    case "kill_agent":
      return endOne(host, ["agent"], b);
    case "kill_tail":
      return endOne(host, ["tail"], b);
    case "stop_agent": {
      const agent = pick(processesOf(host, ["agent"]), b);
      if (agent !== undefined) agent.stoppedUntilMs = timeline.nowMs + log(50, 60_000, c);
      return;
    }
    case "kill_wrapper":
    case "kill_both":
    case "kill_job": {
      const jobs = [...world.truth.alive()].filter((attempt) => attempt.host?.isUp);
      const attempt = pick(jobs, b);
      if (attempt === undefined) return;
      const its = world.hosts.get(attempt.host!.key)!;
      const wrapper = processesOf(its, ["wrapper"]).find(({ mark }) => mark === attempt.id);
      if (fault.kind !== "kill_job" && wrapper !== undefined) {
        attempt.isWrapperKilled = true;
        its.end(wrapper);
      }
      if (fault.kind !== "kill_wrapper") world.truth.signal(attempt.id, "KILL", false);
      return;
    }
    case "neighbour":
      return stage.neighbour?.act(fault.dice);
    case "kill_wrapper_between":
      host.wrapperDiesIn = 1 + Math.floor(log(1, 60, b));
      return;
    case "power_host":
      host.powerOff();
      return later(log(500, c < 0.8 ? 20_000 : 3 * scenario.timeoutMs, d), () => host.powerOn());
    case "reroute": {
      const name = pick(world.rerouted, a);
      return name === undefined ? undefined : world.reroute(name, b < 0.7);
    }
    case "host_full":
      host.isFull = host.wasFull = true;
      return later(log(100, 20_000, b), () => host.isFull = false);
    case "list":
      stage.command("list", (deps) => listJobs(deps, { queue: world.queue }));
      return;
    case "set_clock":
      manager.setClock((b - 0.5) * 7_200_000);
      return;
    case "set_disk_clock":
      manager.diskAheadMs = (b - 0.5) * 7_200_000;
      return;
    case "remove_yaml":
    case "remove_journal": {
      // A run that has nothing more to do may not look again.
      const jobs = run === undefined || world.files.lastWriter !== run.process
        ? undefined
        : world.stores.get(run.process)?.jobs;
      if (jobs === undefined || ![...jobs.values()].some(({ status }) => isInFlight(status))) return;
      return world.removeByHand(fault.kind === "remove_yaml" ? "yaml" : "journal");
    }
    default:
      return act(stage, fault.kind, fault.dice);
  }
}

function usesHost(kind: string): boolean {
  return /^(cut|refuse|kill_agent|kill_tail|stop_agent|power_host|host_full|kill_wrapper_between)/.test(kind);
}

function processesOf(host: Host, kinds: readonly HostProcess["kind"][]): HostProcess[] {
  return [...host.processes()].filter(({ kind }) => kinds.includes(kind));
}

function endOne(host: Host, kinds: readonly HostProcess["kind"][], dice: number): void {
  const process = pick(processesOf(host, kinds), dice);
  if (process !== undefined) host.end(process);
}
