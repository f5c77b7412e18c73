/** Requests to the far end of copies of files that jobs send, one after another over one session, in each shell. */
import assert from "node:assert/strict";
import { jobName } from "../../src/names/grammar.ts";
import { realDeps } from "../../src/deps_real.ts";
import type { Deps } from "../../src/deps.ts";
import type { SendJob, SendPlace } from "../../src/link/send.ts";
import { SendLine } from "../../src/link/send_line.ts";
import { Sources } from "../../src/link/sources.ts";
import { withoutFill } from "../../src/link/tar_pieces.ts";
import { LOCAL, SHELLS } from "../agent/support.ts";

/** Deps whose local sessions run in a shell, with one more directory on the PATH. */
function depsIn(shell: readonly string[], bin: string): Deps {
  const deps = realDeps();
  const PATH = `${bin}:${Deno.env.get("PATH")}`;
  return {
    ...deps,
    processes: {
      spawn: (command, options) =>
        command[0] === "sh"
          ? deps.processes.spawn([...shell, ...command.slice(1)], { ...options, env: { PATH } })
          : deps.processes.spawn(command, options),
    },
  };
}

const boot = `here/${Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim()}.1.2`;

for (const shell of SHELLS) {
  for (const isGreedy of [false, true]) {
    const head = isGreedy ? "a head that takes more than it is told" : "an exact head";
    Deno.test(`files are sent to ${shell} with ${head}, and forgotten`, async () => {
      const directory = await Deno.makeTempDir({ prefix: "cms-send-" });
      try {
        await Deno.mkdir(`${directory}/.cms/q/here`, { recursive: true });
        await Deno.mkdir(`${directory}/bin`);
        if (isGreedy) {
          await Deno.writeTextFile(`${directory}/bin/head`, '#!/bin/sh\nexec busybox head "$@"\n', { mode: 0o755 });
        }
        const deps = depsIn(shell.split(" "), `${directory}/bin`);
        const sources = new Sources(deps);
        const to: SendPlace = {
          ...{ machine: LOCAL, directory, queueId: "q", from: directory, own: "here", boot },
        };
        let line = new SendLine(deps, to);
        const send = async (name: string, bytes: Uint8Array): Promise<string> => {
          await Deno.writeFile(`${directory}/${name}`, bytes);
          await Deno.mkdir(`${directory}/job-${name}`);
          const tree = await sources.tree(`${directory}/${name}`);
          const job: SendJob = {
            job: jobName(`job-${name}`),
            place: `job-${name}`,
            workdir: null,
            items: [{ kept: "in/put", tree }],
          };
          if (!line.isOpen) line = new SendLine(deps, to);
          const contents = new Map(tree.files.map((file) => [file.key, file]));
          const { missing, failed } = await line.carryOut({ way: "send", contents, trees: [], jobs: [job] });
          assert.deepEqual([missing, [...failed]], [[tree.key], []]);
          assert.equal(line.isOpen, !isGreedy);
          assert.deepEqual(await Deno.readFile(`${directory}/job-${name}/in/put`), bytes);
          return tree.key;
        };
        const zeros = new Uint8Array(700_000);
        zeros[0] = 1;
        await send("small", new TextEncoder().encode("12\n0\nx"));
        const key = await send("zeros", zeros);
        await send("empty", new Uint8Array());
        const own = `${directory}/.cms/q/here`;
        const stored = () => [...Deno.readDirSync(`${own}/sent/o`)].map(({ name }) => name).sort();
        const before = stored();
        const said = /its name leads to another machine now, or it was booted/;
        const drop = { way: "drop", contents: new Map(), trees: [], jobs: [] } as const;
        await line.close();
        await assert.rejects(new SendLine(deps, { ...to, boot: "here/other.1.2" }).carryOut(drop), said);
        await Deno.writeTextFile(`${own}/boot`, `${boot.slice(5, -1)}3\n`);
        await assert.rejects(new SendLine(deps, to).carryOut(drop), said);
        await Deno.writeTextFile(`${own}/boot`, `${boot.slice(5)}\n`);
        assert.deepEqual(stored(), before);
        if (!line.isOpen) line = new SendLine(deps, to);
        const kept = new Map((await sources.tree(`${directory}/zeros`)).files.map((file) => [file.key, file]));
        await line.carryOut({ way: "forget", contents: kept, trees: [], jobs: [] });
        assert.deepEqual(stored(), [key]);
        line = new SendLine(deps, to);
        await line.carryOut({ way: "forget", contents: new Map(), trees: [], jobs: [] });
        await line.close();
        assert.deepEqual([...Deno.readDirSync(own)].map(({ name }) => name), ["boot"]);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    });
  }
}

Deno.test("withoutFill() leaves the two blocks of zeros that end an archive", () => {
  const bytes = new Uint8Array(20 * 512);
  bytes[600] = 1;
  assert.equal(withoutFill(bytes).length, 4 * 512);
  bytes[bytes.length - 1] = 1;
  assert.equal(withoutFill(bytes).length, bytes.length);
});
