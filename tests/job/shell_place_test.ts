import assert from "node:assert/strict";
import { fillCommand, fillText } from "../../src/job/template.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";

const HOSTILE = [
  ...["plain", "", " ", "a b", "it's", '"', "\\", "\\\\", "a\\", "$HOME", "$(id)", "`id`", "*", "~", "-n", "%s", "!"],
  ...["a\nb", "\n\nx", "{}", "{x}", "$x ${x}", "; exit 3", "' ; exit 3; '", '" ; exit 3; "', ") ; exit 3; (", "EOF2"],
  ...["ü 日本 \u{1f600}", "\t\r\u0001\u007f", "#", "a #b", "\\'", '\\"', "\\`", "\\$(id)", "'\"`$\\", "&& exit 3 #"],
  ...["x".repeat(100_000) + "'", `"'\\\`$`.repeat(20_000)],
];

/** Each prints the value and a NUL. Where the shell takes line ends away, `.` stands behind it. */
const PLACES: Readonly<Record<string, string>> = {
  "outside quotes": "printf '%s\\0' {x}",
  "part of a word": "printf '%s\\0' a{x}b",
  "within single quotes": "printf '%s\\0' 'a {x} b'",
  "within double quotes": "printf '%s\\0' \"a {x} b\"",
  "within $( )": "printf '%s\\0' \"$(printf '%s.' {x})\"",
  "within quotes within $( ) within quotes": "printf '%s\\0' \"$(printf '%s.' \"{x}\")\"",
  "within single quotes within $( )": "printf '%s\\0' \"$(printf '%s.' '{x}')\"",
  "within backticks": "printf '%s\\0' \"`printf '%s.' {x}`\"",
  "within single quotes within backticks": "printf '%s\\0' \"`printf '%s.' '{x}'`\"",
  "within a here-document": "cat <<EOF\n{x}\nEOF\nprintf '\\0'",
  "within a here-document as it is": "cat <<'EOF'\n{x}\nEOF\nprintf '\\0'",
  "behind a here-document": "cat >/dev/null <<-E\n\tit's\n\tE\nprintf '%s\\0' {x}",
  "behind a comment": "# it's \" a $( comment {x}\nprintf '%s\\0' {x}",
  "behind arithmetic": "y=$((1<<2)); printf '%s\\0' {x}",
  "behind a here-string of text": "printf '%s' '<<E' >/dev/null; printf '%s\\0' {x}",
  "within a group": "( y='('; printf '%s\\0' {x} )",
  "within ${ }": "printf '%s\\0' \"${nothing:-{x}}\"",
};
/** What stands around the value in what is printed. */
const AROUND: Readonly<Record<string, readonly [string, string]>> = {
  "part of a word": ["a", "b"],
  "within single quotes": ["a ", " b"],
  "within double quotes": ["a ", " b"],
};

for (const shell of ["dash", "bash", "busybox"]) {
  const why = whyNoPrograms(shell);
  needTest(
    `fillCommand() brings each value to a program of ${shell} byte for byte, wherever it stands`,
    why,
    async () => {
      for (const [place, template] of Object.entries(PLACES)) {
        // A brace ends this one, in each shell by other rules.
        const values = place === "within ${ }" ? HOSTILE.filter((value) => !/[{}'"]/.test(value)) : HOSTILE;
        const script = values.map((x) => fillCommand(template, { params: { x }, inputs: [], index: 1 })).join("\n");
        const file = await Deno.makeTempFile();
        await Deno.writeTextFile(file, `${script}\n`);
        const args = shell === "busybox" ? ["sh", file] : [file];
        const { stdout, stderr } = await new Deno.Command(shell, { args, env: { LC_ALL: "C.UTF-8" } }).output();
        await Deno.remove(file);
        const [before, after] = AROUND[place] ?? ["", ""];
        const end = /\$\(printf|`printf/.test(template) ? "." : place.startsWith("within a here") ? "\n" : after;
        const printed = new TextDecoder().decode(stdout).split("\0").slice(0, -1);
        const about = `${place}: ${new TextDecoder().decode(stderr).slice(0, 500)}`;
        for (const [i, value] of values.entries()) {
          assert.equal((printed[i] ?? "nothing").slice(0, 300), `${before}${value}${end}`.slice(0, 300), about);
          assert.equal(printed[i], `${before}${value}${end}`, about);
        }
        assert.equal(printed.length, values.length, about);
      }
    },
  );
}

Deno.test("fillCommand() leaves to the shell what is its own, and takes :raw as it is", () => {
  const fill = (template: string) => fillCommand(template, { params: { x: "a b" }, inputs: ["i"], index: 7 });
  assert.equal(
    fill("echo ${x} ${1} \\{x} \"\\{x}\" '\\{x}' {x} {x:raw} {#} {y}"),
    [
      "echo ${x} ${1} \\{x} \"\\{x}\" '\\a b' 'a b' a b 7 {y}",
    ].join(),
  );
  assert.equal(fill("awk '{print $1}' {}"), "awk '{print $1}' i");
  assert.equal(fill("echo \\\\{x} \\${x}"), "echo \\\\'a b' \\$'a b'");
  assert.equal(fillText("${x}-{1}", { params: { x: "a b" }, inputs: ["i"], index: 1 }), "$a b-i");
});
