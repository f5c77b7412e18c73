/**
 * Records as CSV (RFC 4180): a header, then a line for each record; line ends are a plain newline.
 *
 * @module
 */

/**
 * Renders records. @param fields Which members of the records, in order. null and undefined are empty, objects are
 * JSON.
 */
export function renderCsv(fields: readonly string[], records: readonly object[]): string {
  const lines = records.map((record) => {
    const members = record as Readonly<Record<string, unknown>>;
    return fields.map((field) => cell(members[field])).join(",");
  });
  return [fields.map(cell).join(","), ...lines].join("\n") + "\n";
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
