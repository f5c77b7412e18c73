import assert from "node:assert/strict";
import { ByteReader } from "../../src/link/byte_reader.ts";
import { type Member, readTar } from "../../src/link/tar_members.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";

const MARK = new TextEncoder().encode("mark 1".padEnd(512));

/** The bytes in pieces of odd sizes. */
function streamOf(...parts: readonly Uint8Array[]): ByteReader {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  let at = 0;
  return new ByteReader(
    new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at += 1 + (at * 7) % 700));
      },
    }),
  );
}

async function packed(program: readonly string[], directory: string, ...names: string[]): Promise<Uint8Array> {
  const [name = "", ...args] = program;
  const { stdout, success } = await new Deno.Command(name, { args: [...args, "-cf", "-", ...names], cwd: directory })
    .output();
  assert.ok(success);
  return stdout;
}

for (const program of [["tar"], ["tar", "--format=pax"], ["busybox", "tar"]]) {
  needTest(
    `readTar() reads what ${program.join(" ")} writes, also what its taker leaves`,
    whyNoPrograms(program[0]!),
    async () => {
      const directory = await Deno.makeTempDir();
      try {
        const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(120)}`;
        const texts: Readonly<Record<string, string>> = {
          plain: "hello\n",
          empty: "",
          "ü b": "x".repeat(512),
          [long]: "y".repeat(100_000),
          last: "z".repeat(513),
        };
        for (const [name, text] of Object.entries(texts)) {
          await Deno.mkdir(`${directory}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
          await Deno.writeTextFile(`${directory}/${name}`, text);
        }
        await Deno.symlink("/etc/passwd", `${directory}/link`);
        const names = Object.keys(texts);
        const one = await packed(program, directory, ...names.slice(0, 3), "link");
        const two = await packed(program, directory, ...names.slice(3));
        const read = async (isLeft: boolean): Promise<string[]> => {
          const found: string[] = [];
          await readTar(streamOf(one, MARK, two, MARK), (text) => text === "mark 1", async (member: Member, pieces) => {
            if (member.type === "mark") {
              return found.push("mark") > 5 && found.filter((m) => m === "mark").length > 1 ? "end" : "on";
            }
            let text = "";
            const decoder = new TextDecoder();
            for await (const piece of pieces) {
              text += decoder.decode(piece, { stream: true });
              if (isLeft) break;
            }
            found.push(isLeft ? member.path : `${member.path} ${text === texts[member.path]} ${member.sizeBytes}`);
            return "on";
          });
          return found;
        };
        const expected = names.map((name) => `${name} true ${new TextEncoder().encode(texts[name]!).length}`);
        assert.deepEqual(await read(false), [...expected.slice(0, 3), "mark", ...expected.slice(3), "mark"]);
        assert.deepEqual(await read(true), [...names.slice(0, 3), "mark", ...names.slice(3), "mark"]);
        await assert.rejects(
          readTar(streamOf(one.slice(0, 700)), () => false, () => Promise.resolve("on")),
          RangeError,
        );
        await assert.rejects(
          readTar(streamOf(new Uint8Array(512).fill(65)), () => false, () => Promise.resolve("on")),
          RangeError,
        );
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  );
}
