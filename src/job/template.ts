/**
 * Templates of commands, names and files: `{lr}`, `{}`, `{1}`, `{#}`, `{.}`, `{/}`, `{//}`, `{/.}`, `{2/.}`, `{-1}`,
 * each also with `:raw`. What is no placeholder stays as it is, so that the braces of JSON survive. Pure.
 *
 * In a command a value is quoted for a POSIX shell by where it stands, see `shell_place.ts`. `:raw` puts it in as it
 * is.
 *
 * @module
 */

import { ShellPlace } from "./shell_place.ts";

/** What placeholders stand for. */
export interface Values {
  /** By name. */
  readonly params: Readonly<Record<string, string>>;
  /** What `{1}`, `{2}` ... stand for, `{-1}` is the last; `{}` is all of them with blanks between. Empty for none. */
  readonly inputs: readonly string[];
  /** `{#}`: from 1. */
  readonly index: number;
}

const PLACEHOLDER = /\{(?:([A-Za-z_][A-Za-z0-9_]{0,99})|(-?[1-9][0-9]{0,2})?(\.|\/\/|\/\.|\/)?|(#))(:raw)?\}/g;

/** The values of a placeholder, or null where it is none. */
function valuesOf([, name, number, part, hash]: RegExpExecArray, { params, inputs, index }: Values): string[] | null {
  if (name !== undefined) return Object.hasOwn(params, name) ? [params[name]!] : null;
  if (hash !== undefined) return [String(index)];
  if (number === undefined) return inputs.length === 0 ? null : inputs.map((input) => partOf(input, part));
  const input = inputs.at(Number(number) - (Number(number) > 0 ? 1 : 0));
  return input === undefined ? null : [partOf(input, part)];
}

/** A part of a value that is a path, as the placeholder says which. */
function partOf(input: string, part: string | undefined): string {
  const slash = input.lastIndexOf("/");
  const base = input.slice(slash + 1);
  const withoutEnd = (text: string): string => /[^/.][^/]*\.[^/.]*$/.test(text) ? text.replace(/\.[^/.]*$/, "") : text;
  switch (part) {
    case undefined:
      return input;
    case ".":
      return withoutEnd(input);
    case "/":
      return base;
    case "//":
      return directoryOf(input);
    default:
      return withoutEnd(base);
  }
}

/** As `dirname` has it. */
function directoryOf(path: string): string {
  const plain = path.replace(/(?<=[^/])\/+$/, "");
  const slash = plain.lastIndexOf("/");
  return slash < 0 ? "." : plain.slice(0, slash) || "/";
}

/** True if a template has any placeholder that stands for something. */
export function hasPlaceholder(template: string, values: Values): boolean {
  for (const match of template.matchAll(PLACEHOLDER)) if (valuesOf(match, values) !== null) return true;
  return false;
}

/** Puts values into a text that no shell reads: a name, a path. */
export function fillText(template: string, values: Values): string {
  if (lastText.template !== template) lastText = { template, matches: [...template.matchAll(PLACEHOLDER)] };
  let text = "";
  let at = 0;
  for (const match of lastText.matches) {
    const found = valuesOf(match, values);
    text += template.slice(at, match.index) +
      (found === null ? match[0] : found.length === 1 ? found[0] : found.join(" "));
    at = match.index + match[0].length;
  }
  return text + template.slice(at);
}

/** The placeholders of the last one: a sweep fills the same one again and again. */
let lastText: { readonly template: string; readonly matches: readonly RegExpExecArray[] } = {
  template: "",
  matches: [],
};

/** A command as pieces of text and what stands between them. */
interface Compiled {
  readonly template: string;
  readonly shape: string;
  readonly parts: readonly {
    readonly text: string;
    readonly match: RegExpExecArray;
    readonly write: (value: string) => string;
  }[];
  readonly rest: string;
}

/** The last one: a sweep fills the same one again and again. */
let last: Compiled | null = null;

/**
 * Puts values into a command. A brace behind `$` or a backslash is the shell's own: `${lr}`, `\{lr}`.
 * @throws {RangeError} If a value holds a NUL.
 */
export function fillCommand(template: string, values: Values): string {
  const shape = `${values.inputs.length} ${Object.keys(values.params).join()}`;
  if (last === null || last.template !== template || last.shape !== shape) last = compile(template, shape, values);
  let command = "";
  for (const { text, match, write } of last.parts) {
    const found = valuesOf(match, values)!;
    command += text + (found.length === 1 ? write(found[0]!) : found.map(write).join(" "));
  }
  return command + last.rest;
}

/** @param values Some that the template may be filled with: which placeholders stand for something. */
function compile(template: string, shape: string, values: Values): Compiled {
  const parts: Compiled["parts"][number][] = [];
  let at = 0;
  let readTo = 0;
  const place = new ShellPlace();
  for (const match of template.matchAll(PLACEHOLDER)) {
    if (valuesOf(match, values) === null) continue;
    place.read(template.slice(readTo, match.index));
    readTo = match.index;
    if (place.isTaken) continue;
    const write = match[5] !== undefined ? (value: string) => value : place.quoter();
    parts.push({ text: template.slice(at, match.index), match, write });
    at = readTo = match.index + match[0].length;
  }
  return { template, shape, parts, rest: template.slice(at) };
}
