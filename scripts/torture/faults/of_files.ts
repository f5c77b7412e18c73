/**
 * Faults of the manager's disk, and a person who edits the queue file.
 *
 * @module
 */

import { must } from "../../../testing/hosts/shell.ts";
import { readText } from "../../../testing/harness_faults.ts";
import { type Deed, uptimeMs } from "../deeds.ts";
import { blocksOf, withField } from "../queue_text.ts";
import type { World } from "../world.ts";
import { type Fault, pass, seconds } from "./fault.ts";

const WAITING = ["undefined", "ready"];
const OVER = ["end", "crash", "kill", "fail_start"];
/** The queue's lock is looked for so often; a manager that stands still may hold it for long. */
const LOCK_LOOKS = 40;
const LOCK_PAUSE_MS = 5;

/** The manager's disk is full, and free again. */
export const fillDisk: Fault = {
  name: "disk of the manager full",
  weight: 3,
  plan(world, random) {
    const lastsMs = random.between(300, 5_000);
    return {
      text: `disk of the manager full for ${seconds(lastsMs)}`,
      needs: ["disk"],
      async run() {
        const filler = world.manager.path("filler");
        try {
          const endMs = performance.now() + lastsMs;
          // What is freed meanwhile is taken as well.
          while (performance.now() < endMs) {
            fill(filler);
            await pass(50);
          }
        } finally {
          await Deno.remove(filler);
        }
        return "freed";
      },
    };
  },
};

function fill(path: string): void {
  using file = Deno.openSync(path, { create: true, append: true });
  const block = new Uint8Array(4096);
  try {
    for (let i = 0; i < 10_000; i++) file.writeSync(block);
  } catch {
    return; // It is full.
  }
  throw new Error(`Cannot fill the disk of ${path}: it is larger than thought`);
}

/** The queue file cannot be replaced: it is mounted on itself, which holds for root, too. */
export const readOnly: Fault = {
  name: "YAML read-only",
  weight: 2,
  plan(world, random) {
    const lastsMs = random.between(300, 5_000);
    return {
      text: `YAML read-only for ${seconds(lastsMs)}`,
      needs: ["yaml", "disk"],
      async run() {
        const path = pathOf(world);
        await must(["mount", "--bind", path, path]);
        await must(["mount", "-o", "remount,bind,ro", path]);
        await pass(lastsMs);
        // A reader may have it open.
        await must(["umount", "-l", path]);
        return "writable again";
      },
    };
  },
};

/** An editor dies while it saves: half of the file is there, and no YAML. Later the person puts back what was there. */
export const tear: Fault = {
  name: "YAML torn",
  weight: 3,
  plan(world, random) {
    const lastsMs = random.between(100, 4_000);
    const part = random.between(0.1, 0.9);
    return {
      text: `YAML torn for ${seconds(lastsMs)}`,
      needs: ["yaml", "disk"],
      async run() {
        const path = pathOf(world);
        const { deed, text } = readForSaving(world);
        const torn = `${text.slice(0, Math.floor(text.length * part))}\n  gpu: [0, 1\n`;
        world.torn = true;
        try {
          if (!(await inOneStep(world, text, () => Deno.writeTextFileSync(path, torn)))) {
            return "changed in that moment";
          }
          note(world, deed, "save");
          await pass(lastsMs);
          Deno.writeTextFileSync(`${path}~`, text);
          // One that was about to be written at that moment may win; after that nobody writes.
          while (!(await inOneStep(world, torn, () => Deno.renameSync(`${path}~`, path)))) {
            await pass(10);
            if (readText(path) === torn) continue;
            Deno.removeSync(`${path}~`);
            return "the program was just writing";
          }
        } finally {
          world.torn = false;
        }
        return "put back";
      },
    };
  },
};

/** An editor that writes into the file itself, in two parts. The program must not take the first part for the whole. */
export const saveInPlace: Fault = {
  name: "YAML saved in place, in two parts",
  weight: 3,
  plan(world, random) {
    const lastsMs = random.between(0, 120);
    const part = random.between(0.1, 0.9);
    const atEntry = random.next() < 0.5;
    return {
      text: `YAML saved in place, ${seconds(lastsMs)} between its parts`,
      needs: ["yaml", "disk"],
      async run() {
        const path = pathOf(world);
        const { deed, text } = readForSaving(world);
        const bytes = new TextEncoder().encode(text);
        const end = Math.floor(bytes.length * part);
        // At the end of an entry it is YAML: of a queue that has lost its other jobs.
        const half = atEntry ? text.lastIndexOf("\n", text.lastIndexOf(":\n  name:", end)) + 1 : end;
        world.torn = true;
        try {
          using file = Deno.openSync(path, { write: true });
          const begin = () => {
            file.truncateSync(0);
            file.writeSync(bytes.subarray(0, half));
          };
          if (!(await inOneStep(world, text, begin))) return "changed in that moment";
          await pass(lastsMs);
          file.writeSync(bytes.subarray(half));
        } finally {
          world.torn = false;
        }
        note(world, deed, "save");
        return "saved";
      },
    };
  },
};

/** An edit that changes nothing that runs: the program must keep it. */
export const editNote: Fault = {
  name: "YAML edited: a field of one's own",
  weight: 4,
  plan(world, random) {
    const [which, text] = [random.next(), `note ${random.whole(1, 1e6)}`];
    return {
      text: `edit of the YAML: ${text}`,
      needs: ["yaml", "disk"],
      run: () =>
        edit(world, which, [...WAITING, ...OVER], (block) => ({ text: withField(block, "note", text), note: text })),
    };
  },
};

/** A job that is over is made ready by hand: it runs again, in the next run. */
export const editReady: Fault = {
  name: "YAML edited: a job ready again",
  weight: 3,
  plan(world, random) {
    const which = random.next();
    return {
      text: "edit of the YAML: ready again",
      needs: ["yaml", "disk"],
      run: () => edit(world, which, OVER, (block) => ({ text: withField(block, "status", "ready"), asks: true })),
    };
  },
};

/** A job that waits is taken out by hand. If it begins at that moment, it stays. */
export const editDrop: Fault = {
  name: "YAML edited: a job taken out",
  weight: 2,
  plan(world, random) {
    const which = random.next();
    return {
      text: "edit of the YAML: taken out",
      needs: ["yaml", "disk"],
      run: () => edit(world, which, WAITING, () => ({ text: "", drops: true })),
    };
  },
};

interface Edited {
  readonly text: string;
  readonly note?: string;
  readonly asks?: boolean;
  readonly drops?: boolean;
}

/** Saves the file with one job's part changed, as an editor does that looks whether the file was changed meanwhile. */
async function edit(
  world: World,
  which: number,
  states: readonly string[],
  change: (block: string) => Edited,
): Promise<string> {
  const path = pathOf(world);
  for (let i = 0; i < 20; i++) {
    const { deed, text, blocks } = readForSaving(world);
    const names = [...blocks.keys()].filter((name) => states.includes(blocks.get(name)!.status));
    const name = names[Math.floor(which * names.length)];
    if (name === undefined) return "no such job";
    const { text: block } = blocks.get(name)!;
    const edited = change(block);
    const saved = text.replace(`\n${block}`, () => `\n${edited.text}`);
    // The first one stands at the beginning; others are as good.
    if (saved === text) return "no such job";
    await Deno.writeTextFile(`${path}~`, saved);
    if (!(await inOneStep(world, text, () => Deno.renameSync(`${path}~`, path)))) {
      await Deno.remove(`${path}~`);
      continue; // "The file has changed since it was read."
    }
    note(world, deed, "save");
    const more = { fromMs: deed.fromMs, toMs: uptimeMs(), names: [name], done: true };
    if (edited.asks === true) world.journal.deeds.push({ ...more, type: "save" });
    if (edited.drops === true) world.journal.deeds.push({ ...more, type: "drop" });
    if (edited.note !== undefined) world.journal.deeds.push({ ...more, type: "note", text: edited.note });
    return "saved";
  }
  return "changed all the time";
}

/**
 * The file as a person reads it. Saving it means: the jobs that wait in it wait, whatever happened since. Those that
 * were started in between have been asked for again, and with the program's next look at the file that counts.
 */
function readForSaving(
  world: World,
): { deed: Pick<Deed, "names" | "fromMs">; text: string; blocks: ReturnType<typeof blocksOf> } {
  const fromMs = uptimeMs();
  const text = readText(pathOf(world));
  const blocks = blocksOf(text);
  const names = [...blocks].filter(([, { status }]) => WAITING.includes(status)).map(([name]) => name);
  return { deed: { names, fromMs }, text, blocks };
}

function note(world: World, deed: Pick<Deed, "names" | "fromMs">, type: Deed["type"]): void {
  world.journal.deeds.push({ ...deed, type, toMs: uptimeMs(), done: true });
}

function pathOf(world: World): string {
  return world.manager.path(`${world.round.queue}-queue.yaml`);
}

/**
 * Saves if the file is still what was read of it. The lock of the queue makes one step of both: whoever saves what is
 * older than the program's last writing asks for all of it as it was, and nobody can know that this was not meant.
 * @returns False if it was changed, or is just being changed.
 */
async function inOneStep(world: World, text: string, save: () => void): Promise<boolean> {
  const path = pathOf(world);
  using lock = Deno.openSync(world.manager.path(`.${world.round.queue}-queue.lock`), { write: true, create: true });
  for (let i = 0; !lock.tryLockSync(true); i++) {
    if (i === LOCK_LOOKS) return false;
    await pass(LOCK_PAUSE_MS);
  }
  if (readText(path) !== text) return false;
  save();
  return true;
}
