/**
 * Lists of records in the form that was asked for. Each form is loaded when it is used.
 *
 * @module
 */

import type { Pace } from "./table.ts";

/** The forms of `--output`. */
export const FORMATS = ["table", "json", "yaml", "csv"] as const;

/** One of {@link FORMATS}. */
export type Format = typeof FORMATS[number];

/** Renders records for a stream that people may look at: on a terminal no text of a record moves the cursor. */
export async function renderFor(
  io: { readonly outIsTerminal: boolean },
  ...records: Parameters<typeof renderRecords>
): Promise<string> {
  const text = await renderRecords(...records);
  if (!io.outIsTerminal || records[0] === "table") return text;
  return (await import("./printable.ts")).printableLines(text);
}

/**
 * Renders records; a table has the columns, the other forms all members, `extra` ones at the end.
 * @param pace Called now and then while a long table is made.
 */
export async function renderRecords(
  format: Format,
  columns: readonly string[],
  records: readonly { readonly extra: Readonly<Record<string, unknown>> }[],
  pace?: Pace,
): Promise<string> {
  if (format === "table") {
    const { renderTable, ROWS_AT_ONCE } = await import("./table.ts");
    const rows: string[][] = [];
    for (const [i, record] of records.entries()) {
      if (i % ROWS_AT_ONCE === 0) await pace?.();
      rows.push(columns.map((column) => cellText(record, column)));
    }
    return await renderTable(columns, rows, pace);
  }
  const plain = records.map(({ extra, ...fields }) => ({ ...fields, ...extra }));
  switch (format) {
    case "json":
      return (await import("./json.ts")).renderJson(plain);
    case "yaml":
      return (await import("./yaml.ts")).renderYaml(plain);
    case "csv": {
      const fields = new Set(columns);
      for (const record of plain) for (const field of Object.keys(record)) fields.add(field);
      return (await import("./csv.ts")).renderCsv([...fields], plain);
    }
    default:
      return format satisfies never;
  }
}

function cellText(record: object, column: string): string {
  const value = (record as Readonly<Record<string, unknown>>)[column];
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
