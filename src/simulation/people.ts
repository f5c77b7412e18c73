/**
 * What people do to a queue while it runs: commands, and an editor on the YAML.
 *
 * @module
 */

import { addJobsOfSpecs } from "../operations/add_jobs.ts";
import { drainHosts } from "../operations/drain_hosts.ts";
import { deleteJobs } from "../operations/delete_jobs.ts";
import { killJobs } from "../operations/kill_jobs.ts";
import { moveSelected } from "../operations/move_jobs.ts";
import { pauseQueue, resumeQueue } from "../operations/pause_queue.ts";
import { refreshQueue } from "../operations/refresh_queue.ts";
import { resetJobs } from "../operations/reset_jobs.ts";
import { ALL_JOBS, jobsNamed } from "../operations/select_jobs.ts";
import { setHostFields } from "../operations/set_host_field.ts";
import { setHostStatus } from "../operations/set_host_status.ts";
import type { Deps } from "../deps.ts";
import type { SimProcess } from "./process.ts";
import { entryIds } from "./queue_files.ts";
import { Random } from "./random.ts";
import { editWish } from "./wishes.ts";
import { drawCommand } from "./draw_scenario.ts";
import type { FaultKind } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** Somebody does something. */
export function act(stage: Stage, kind: FaultKind, dice: readonly number[]): void {
  const { world } = stage;
  const { queue, cluster, capacities } = world;
  const random = new Random(Math.floor((dice[0] ?? 0) * 2 ** 32));
  const names = namesOf(stage);
  const some = (): string[] => {
    const count = 1 + random.below(4);
    const picked = names.length === 0 ? [] : Array.from({ length: count }, () => random.pick(names));
    // Now and then somebody gives a name twice.
    return random.chance(0.2) ? picked : [...new Set(picked)];
  };
  const watchOf = (process: SimProcess) => ({
    warn: (text: string) => {
      world.warned.add(process);
      world.trace(process.name, "warns:", text);
    },
  });
  const start = (name: string, work: (deps: Deps, process: SimProcess) => Promise<unknown>): void => {
    const process = stage.command(name, work);
    // A person's command may be killed as well.
    if (random.chance(0.15)) process.diesAtStep = 1 + random.below(80);
  };
  // The end of a drain is that of the same entry.
  const drained = (): string => capacities.ids[Math.floor((dice[1] ?? 0) * capacities.ids.length)]!;
  switch (kind) {
    case "add":
    case "replace": {
      const jobs = kind === "replace" ? some() : Array.from(
        { length: 1 + random.below(4) },
        // Names that were deleted come again.
        () => random.chance(0.4) ? stage.deleted.shift() ?? `new${stage.added++}` : `new${stage.added++}`,
      );
      if (jobs.length === 0) return;
      const plans = jobs.map((name) => ({ name, command: drawCommand(random, 500), host: random.below(1_000) }));
      return start(`add ${jobs.join(",")}`, (deps) => addJobsOfSpecs(deps, { queue, jobs: stage.specsOf(plans) }));
    }
    case "delete": {
      const jobs = some();
      stage.deleted.push(...jobs);
      return start(
        `delete ${jobs.join(",")}`,
        (deps, self) => deleteJobs(deps, { queue, selection: jobsNamed(jobs) }, watchOf(self)),
      );
    }
    case "reset":
    case "reset_all": {
      const jobs = kind === "reset_all" ? null : some();
      return start(`reset ${jobs?.join(",") ?? "all"}`, (deps, self) => {
        world.resetting.add(self);
        const selection = jobs === null ? ALL_JOBS : jobsNamed(jobs);
        return resetJobs(deps, { queue, selection }, watchOf(self));
      });
    }
    case "move": {
      const jobs = some();
      const other = random.pick(names);
      const to = other === undefined || jobs.includes(other) || random.chance(0.4)
        ? { type: random.pick(["first", "last"] as const) }
        : { type: random.pick(["before", "after"] as const), job: other };
      if (jobs.length === 0) return;
      const selection = jobsNamed(jobs);
      return start(
        `move ${jobs.join(",")} ${to.type}`,
        (deps, self) => moveSelected(deps, { queue, selection, to }, watchOf(self)),
      );
    }
    case "refresh":
      return start("refresh", (deps, self) => refreshQueue(deps, { queue }, watchOf(self)));
    case "kill": {
      const jobs = some();
      return start(`kill ${jobs.join(",")}`, (deps, self) => killJobs(deps, { queue, names: jobs }, watchOf(self)));
    }
    case "activate":
    case "deactivate":
    case "capacity": {
      const id = random.pick(capacities.ids);
      const capacity = 1 + random.below(4);
      if (kind === "activate") return openHosts(stage, [id], random);
      if (kind === "capacity") {
        capacities.set(id, { capacity });
        const fields = { max_jobs_allowed: String(capacity) };
        return start(`capacity ${id}`, (deps) => setHostFields(deps, { cluster, id, fields }));
      }
      capacities.set(id, { isActive: false });
      const closed = world.stillTimes.closing(id);
      return start(`deactivate ${id}`, async (deps) => {
        await setHostStatus(deps, { cluster, id, status: "inactive" });
        closed("inactive", world.timeline.nowMs);
      });
    }
    case "undrain":
      return openHosts(stage, [drained()], random);
    case "drain": {
      const id = drained();
      capacities.set(id, { isActive: false });
      const closed = world.stillTimes.closing(id);
      const request = { cluster, id, killAfterMs: random.chance(0.3) ? 2_000 : null, timeoutMs: null };
      return start(`drain ${id}`, async (deps, self) => {
        const watch = { ...watchOf(self), stop: stage.calm, onRunning: () => {} };
        const { outcome } = await drainHosts(deps, request, watch);
        if (outcome === "drained") closed("drained", world.timeline.nowMs);
        return outcome;
      });
    }
    case "pause": {
      const process = stage.command(
        "pause",
        (deps) => pauseQueue(deps, { queue, reason: null }),
        // Who was late: nothing stays paused.
        () => stage.isCalm && endPause(stage),
      );
      if (random.chance(0.15)) process.diesAtStep = 1 + random.below(30);
      return;
    }
    case "resume":
      return endPause(stage);
    default:
      return void edit(stage, kind, random);
  }
}

const RESUME_TRIES = 30;
const RESUME_MS = 1_000;

/** Somebody activates hosts; with `random`, the command may be killed. */
export function openHosts(stage: Stage, ids: readonly string[], random?: Random): void {
  const { cluster, capacities, stillTimes } = stage.world;
  for (const id of ids) capacities.set(id, { isActive: true });
  stillTimes.opening(ids);
  const process = stage.command(
    `activate ${ids.join(",")}`,
    (deps) => setHostStatus(deps, { cluster, id: ids.join(","), status: "active" }),
    () => stillTimes.opening(ids),
  );
  if (random?.chance(0.15)) process.diesAtStep = 1 + random.below(80);
}

/** Somebody ends the pause, and says so again where the file was just gone. */
export function endPause(stage: Stage): void {
  const { queue } = stage.world;
  stage.command("resume", async (deps) => {
    for (let tries = 1;; tries++) {
      try {
        return await resumeQueue(deps, { queue });
      } catch (error) {
        if (tries === RESUME_TRIES) throw error;
        await deps.clock.sleepUntil(deps.clock.now() + RESUME_MS);
      }
    }
  });
}

/** Names in the YAML as it stands; a person sees no more. */
function namesOf(stage: Stage): string[] {
  return blocksOf(stage.world.manager.disk.textNow(stage.world.files.yamlPath) ?? "").map(({ name }) => name);
}

interface Block {
  readonly name: string;
  readonly text: string;
}

/** The entries of a YAML file as a person sees them. */
function blocksOf(text: string): Block[] {
  const parts = text.split(/^(?=[A-Za-z0-9_])/m).filter((part) => part !== "" && !part.startsWith("{}"));
  return parts.map((part) => ({ name: part.slice(0, part.indexOf(":")), text: part }));
}

/** An editor: reads the file, changes it, saves it in place, all in a moment. */
function edit(stage: Stage, kind: FaultKind, random: Random): void {
  const { world } = stage;
  const { disk } = world.manager;
  const text = disk.textNow(world.files.yamlPath);
  if (text === null || world.files.isTorn) return;
  const blocks = blocksOf(text);
  if (blocks.length === 0) return;
  const at = random.below(blocks.length);
  const waits = (block: Block): boolean => /^ {2}status: (ready|undefined)$/m.test(block.text);
  const save = (changed: readonly Block[]): void => {
    world.editorSaved(changed.length === 0 ? "{}\n" : changed.map((block) => block.text).join(""));
  };
  switch (kind) {
    case "edit_command": {
      const block = blocks[at]!;
      const command = drawCommand(new Random(random.below(2 ** 31)), 300).replace(/ *#.*/, "");
      // And now and then a field that means nothing, which stays.
      const remark = random.chance(0.2) && !block.text.includes("  remark:") ? "  remark: 'kept'\n" : "";
      const changed = block.text.replace(/^ {2}command: .*$/m, `  command: ${command}`) + remark;
      return save(blocks.with(at, { ...block, text: changed }));
    }
    case "edit_wish":
      return save(blocks.with(at, { ...blocks[at]!, text: editWish(blocks[at]!.text, random) }));
    case "edit_delete":
      world.ledger.forget(blocks[at]!.name);
      if (!waits(blocks[at]!)) return;
      // No later run knows of a try of it that is lost.
      for (const attempt of entryIds(blocks[at]!.text).flatMap((id) => world.truth.attemptsOf(id))) {
        attempt.isAbandoned ||= attempt.isLost;
      }
      return save(blocks.toSpliced(at, 1));
    case "edit_reorder": {
      const [moved] = blocks.splice(at, 1);
      blocks.splice(random.below(blocks.length + 1), 0, moved!);
      return save(blocks);
    }
    case "edit_torn": {
      // Half written, or an entry whose command is misspelt: neither counts, and neither stops what runs.
      const isWrong = random.chance(0.4);
      const torn = isWrong
        ? text.replace(/^ {2}command:/m, "  comand:")
        : text.slice(0, random.below(text.length)) + "\n  - torn: [\n";
      world.files.isTorn = true;
      disk.edit(world.files.yamlPath, torn);
      world.files.lastWriter = null;
      world.timeline.after(random.logBetween(100, 10_000), () => {
        world.files.isTorn = false;
        // A run that was about to write has not seen it. Nobody saves an old text over what was written since.
        if (disk.textNow(world.files.yamlPath) === torn) world.editorSaved(text);
      });
      return;
    }
    default:
      world.truth.fail(`nobody knows how to ${kind}`);
  }
}
