/**
 * Times, durations and commands as people read them.
 *
 * @module
 */

/** Seconds as `3 h 12 m`, `4 m 12 s`, `8.2 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "";
  if (seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} m`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor(whole % 86_400 / 3600)} h`;
}

/** A moment of today as `14:05:09`, of another day as `2026-01-31 14:05`. */
export function moment(text: string | null | undefined): string {
  if (!text) return "";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const two = (n: number): string => String(n).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === new Date().toDateString()) return `${time}:${two(at.getSeconds())}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** A word as a POSIX shell takes it. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command of `cms` with its words. Options without a value are left out. */
export function cms(...words: readonly (string | null | undefined | false)[]): string {
  return ["cms", ...words].filter((word) => typeof word === "string").map((word) => quote(word as string)).join(" ");
}

/** Between two conditions; the word may stand in a value, too. */
const AND = / and (?=[\w.-]+ *[=!<>~])/;

/** The conditions of a line such as `exit_code=3 and param.lr<0.1`. */
export function conditions(line: string): string[] {
  return line.split(AND).map((one) => one.trim()).filter((one) => one !== "");
}

/** Names in parts of so many characters at most: the address of a request has a bound. */
export function batches(names: readonly string[], most = 6_000): string[][] {
  const all: string[][] = [[]];
  let length = 0;
  for (const name of names) {
    length += name.length + 3;
    if (length > most) {
      all.push([]);
      length = name.length + 3;
    }
    all.at(-1)!.push(name);
  }
  return all;
}
