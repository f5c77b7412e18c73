/**
 * Reads the files of a sweep: rows of parameters as CSV, TSV, JSON, JSON lines or YAML, and lines. Pure.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { load } from "js-yaml";
import { InvalidError } from "../errors.ts";
import type { Source } from "./sweep.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

/** Rows of a parameter file; its ending says its form. @param shown As messages name it. @throws {InvalidError} */
export function readRows(text: string, shown: string): Source {
  return rowsOfRecords(plainRows(text.replace(/^\ufeff/, ""), shown), shown);
}

/** Rows of parameters from records of any scalars. @param shown As messages name them. @throws {InvalidError} */
export function rowsOfRecords(rows: readonly Readonly<Record<string, unknown>>[], shown: string): Source {
  if (rows.length === 0) throw new InvalidError([`Cannot use ${shown}: it has no rows`]);
  const names = Object.keys(rows[0]!);
  const bad = names.find((name) => !NAME.test(name));
  if (bad !== undefined) {
    throw new InvalidError([
      `Cannot use ${shown}: ${JSON.stringify(bad)} is no name of a parameter; use letters, digits and _`,
    ]);
  }
  return rows.map((row, i) => {
    const odd = Object.keys(row).length !== names.length || names.some((name) => !Object.hasOwn(row, name));
    if (odd) {
      throw new InvalidError([
        `Cannot use ${shown}: row ${i + 1} has other fields than the first (${names.join(", ")})`,
      ]);
    }
    return Object.fromEntries(names.map((name) => [name, textOf(row[name], `${shown}: row ${i + 1}, ${name}`)]));
  });
}

/** The lines of a text, without blank ones; with `comments`, without those that begin with `#` either. */
export function readLines(text: string, { comments }: { comments: boolean }): string[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !(comments && line.trimStart().startsWith("#")));
}

/**
 * All lines of a text, blank ones too, so that lines of two files keep their places; with `comments` as {@link
 * readLines}.
 */
export function readAllLines(text: string, { comments }: { comments: boolean }): string[] {
  if (comments) return readLines(text, { comments });
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function plainRows(text: string, shown: string): Record<string, unknown>[] {
  const ending = /\.([a-z]+)$/i.exec(shown)?.[1]?.toLowerCase();
  try {
    switch (ending) {
      case "csv":
      case "tsv":
        return parse(text, {
          columns: true,
          delimiter: ending === "csv" ? "," : "\t",
          skip_empty_lines: true,
          trim: false,
        });
      case "json":
        return maps(JSON.parse(text));
      case "jsonl":
        return maps(text.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line)));
      case "yaml":
      case "yml":
        return maps(load(text));
      default:
        break;
    }
  } catch (error) {
    throw new InvalidError([`Cannot use ${shown}: ${(error as Error).message.split("\n")[0]}`]);
  }
  throw new InvalidError([`Cannot use ${shown}: its name must end in .csv, .tsv, .json, .jsonl or .yaml`]);
}

function maps(value: unknown): Record<string, unknown>[] {
  const isMap = (one: unknown): boolean => typeof one === "object" && one !== null && !Array.isArray(one);
  if (Array.isArray(value) && value.every(isMap)) return value;
  throw new TypeError("it is no list of maps");
}

function textOf(value: unknown, shown: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") throw new InvalidError([`Cannot use ${shown}: it is a list or map`]);
  return String(value);
}
