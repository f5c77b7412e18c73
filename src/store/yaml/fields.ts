/**
 * Reads single fields of a record out of whatever a person or the original program wrote: tolerant of the type, strict
 * about what cannot be meant. Problems are collected, so that all of them can be reported at once.
 *
 * @module
 */

import { InvalidError } from "../../errors.ts";
import { type JobOptions, type OptionName, readOption } from "../../job/options.ts";

/** Something wrong with one field of one entry. */
export interface Problem {
  /** The field, or `""` for the entry as a whole. */
  readonly field: string;
  /** One line, without the entry's name. */
  readonly text: string;
}

/** The fields of one entry that have not been asked for yet, and what was wrong with those that have. */
export class FieldReader {
  readonly #fields: Map<string, unknown>;
  /** Grows as fields are read. */
  readonly problems: Problem[] = [];

  /**
   * Reads nothing yet. `value`: what stands for the entry; anything but a map is a problem (null counts as an empty
   * map).
   */
  constructor(value: unknown) {
    this.#fields = value instanceof Map ? new Map(value) : new Map();
    if (!(value instanceof Map) && value !== null) this.problems.push({ field: "", text: "is not a map of fields" });
  }

  #take(field: string): unknown {
    const value = this.#fields.get(field);
    this.#fields.delete(field);
    return value;
  }

  #problem(field: string, text: string): void {
    this.problems.push({ field, text: `${field} ${text}` });
  }

  /** True if the field stands there, and was not asked for. */
  has(field: string): boolean {
    return this.#fields.has(field);
  }

  /** Takes fields away unread. */
  drop(names: readonly string[]): void {
    for (const name of names) this.#fields.delete(name);
  }

  /** Text, or null where the field is null or missing. Numbers and booleans are the text that was written. */
  textOrNull(field: string): string | null {
    const value = this.#take(field);
    if (value === undefined || value === null) return null;
    if (typeof value !== "object") return String(value);
    this.#problem(field, "is not a text");
    return null;
  }

  /** Text; `fallback` where the field is null or missing. */
  text(field: string, fallback: string): string {
    return this.textOrNull(field) ?? fallback;
  }

  /** Text that `check` accepts or makes plain; null and `""` pass unchecked. */
  checked(field: string, check: (text: string) => string): string | null {
    const text = this.textOrNull(field);
    if (text === null || text === "") return text;
    try {
      return check(text);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      this.#problem(field, `is not valid: ${error.message}`);
      return null;
    }
  }

  /** An integer of at least `least`, also where it stands as text; null where the field is null, missing or `""`. */
  integerOrNull(field: string, least: number): number | null {
    const value = this.#take(field);
    if (value === undefined || value === null || value === "") return null;
    const number = typeof value === "string" && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= least) return number;
    const shown = typeof value === "object" ? "a list or map" : JSON.stringify(value);
    this.#problem(field, `is ${shown}: use a whole number${least === 0 ? " of 0 or more" : ""}`);
    return null;
  }

  /** True for `true` in any spelling that YAML knows; false for all else. */
  flag(field: string): boolean {
    const value = this.#take(field);
    return value === true || (typeof value === "string" && /^(true|yes|on|1)$/i.test(value));
  }

  /** One of a set of words. */
  word<T extends string>(field: string, is: (text: string) => text is T, hint: string): T | null {
    const text = this.textOrNull(field);
    if (text === null || is(text)) return text;
    this.#problem(field, `is ${JSON.stringify(text)}: use ${hint}`);
    return null;
  }

  /** A map that `check` accepts or makes plain; null where the field is null, missing, or an empty text. */
  map<T>(field: string, check: (value: unknown) => T | null): T | null {
    const value = this.#take(field);
    if (value === undefined || value === null || value === "") return null;
    try {
      return check(value);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      this.#problem(field, `is not valid: ${error.message}`);
      return null;
    }
  }

  /** The options of a job that are set. */
  options(names: readonly OptionName[]): JobOptions {
    const set: Partial<Record<OptionName, unknown>> = {};
    for (const name of names) {
      if (!this.#fields.has(name)) continue;
      try {
        const value = readOption(name, this.#take(name));
        if (value !== null) set[name] = value;
      } catch (error) {
        if (!(error instanceof InvalidError)) throw error;
        this.#problem(name, `is not valid: ${error.message}`);
      }
    }
    return set as JobOptions;
  }

  /** What is left: fields that nobody asked for, as plain JSON values. */
  rest(): Record<string, unknown> {
    return Object.fromEntries([...this.#fields].map(([field, value]) => [field, plainValue(value)]));
  }
}

/** Maps as objects, all the way down, so that the value survives JSON. */
function plainValue(value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), plainValue(inner)]));
  }
  return Array.isArray(value) ? value.map(plainValue) : value;
}
