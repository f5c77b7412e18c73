/**
 * Requests made from the OpenAPI document: every operation, with values of every size that a bound names, and one
 * beyond. The same seed makes the same requests.
 *
 * @module
 */

import { BODY_BYTES } from "../../src/service/limits.ts";

type Schema = {
  type?: string | string[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  example?: unknown;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  items?: Schema;
  maxItems?: number;
  $ref?: string;
};
type Parameter = { name: string; in: string; required?: boolean; schema: Schema };
type Operation = {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
};
/** The parts of the document that requests are made from. */
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

/** One request. */
export interface MadeRequest {
  readonly method: string;
  readonly target: string;
  /** Those of the document, and the type of the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Names that are there, so that not all is 404. */
const KNOWN = ["a", "a", "a", "job1", "h1", "job[1-3]", "experiment"];
/** Lengths at bounds of names, users, hosts, expansions, targets and texts, and one beyond each. */
const LENGTHS = [0, 1, 64, 65, 200, 201, 255, 256, 300, 301, 600, 601, 15_900, 16_385, 99_999, 100_000, 100_001];
/** The same of bodies: what may be read beside others, and what may be read at all. */
const BODIES = [65_536, 65_537, BODY_BYTES, BODY_BYTES + 1];
const UNITS = ["a", ":", "0", " ", "[1]", "é", "%", "\n", "/", ",", "\u0000", "'", "\u202e", "&x ", "- "];
const LISTS = ["a[1-100]", "a[1-100000]", "a[1-100001]", "[1-2][1-2][1-2]", "a[1-", "b[9-1]", "c[1-3],c[1-3]", "[::1]"];

const BOUNDARY = "0123456789";
/** What makes many jobs of one, in a form. */
const SWEPT = [
  "a=1-3",
  "a=1,2",
  "a=1-100000",
  "a=1-100001",
  "a=",
  "=1",
  "1\n2\n3",
  "a,b\n1,2\n",
  "[]",
  '[{"name":"x"}]',
];
/** What the head of a request may have, and more than a server answers. */
const LONGEST_HEADER = 20_000;

/** As it stands in an address: cut where clients refuse to send more. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).slice(0, 17_000).replace(/%.?$/, "");
}

/** Makes requests without end. */
export function* documentRequests(document: Document, seed: number): Generator<MadeRequest> {
  let state = seed >>> 0 || 1;
  const below = (count: number): number => {
    // xorshift32
    state ^= state << 13, state >>>= 0, state ^= state >>> 17, state ^= state << 5, state >>>= 0;
    return state % count;
  };
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;

  const text = (example: unknown, most: number | undefined): string => {
    switch (below(9)) {
      case 0:
      case 1:
      case 2:
        return String(example ?? "a");
      case 3:
        return pick(KNOWN);
      case 4:
        return pick(LISTS);
      case 5:
        return "a".repeat((most ?? LENGTHS.at(-1)!) + below(2));
      default: {
        const unit = pick(UNITS);
        return unit.repeat(Math.ceil(pick(LENGTHS) / unit.length)) + (below(3) === 0 ? "z" : "");
      }
    }
  };
  const value = (given: Schema, depth = 0): unknown => {
    const schema = given.$ref === undefined ? given : document.components.schemas[given.$ref.split("/").at(-1)!]!;
    const { properties, items, minimum, maximum, anyOf, additionalProperties: more } = schema;
    if (below(40) === 0) return pick([null, 0, true, [], {}]);
    if (anyOf !== undefined) return value(pick(anyOf), depth);
    if (schema.type === "boolean") return pick([true, false, "true"]);
    if (schema.enum !== undefined) return below(6) === 0 ? "none" : pick(schema.enum);
    if (minimum !== undefined && maximum !== undefined) {
      return pick([minimum, minimum - 1, maximum, maximum + 1, "x", 1]);
    }
    if (items !== undefined) {
      const one = value(items, depth + 1);
      // No body becomes longer than what is refused unread.
      const most = Math.ceil(BODY_BYTES / 4 / (JSON.stringify(one)?.length ?? 1));
      const bounds = below(8) === 0 ? [schema.maxItems ?? 100, (schema.maxItems ?? 100) + 1] : [0, 1, 1, 1, 2, 10];
      return Array(Math.min(most, pick(bounds))).fill(one);
    }
    if (properties !== undefined) {
      const fields = Object.entries(properties).filter(() => below(2) === 0 || depth > 0 && below(2) === 0);
      return Object.fromEntries(fields.map(([name, one]) => [name, value(one, depth + 1)]));
    }
    if (typeof more === "object") {
      return Object.fromEntries(
        pick([["a"], ["a", "b"], ["a".repeat(100)], ["a".repeat(101)], [""]]).map((
          name,
        ) => [name, value(more, depth + 1)]),
      );
    }
    return text(schema.example ?? schema.examples?.[0], schema.maxLength);
  };
  const form = ({ properties = {} }: Schema): string =>
    Object.keys(properties).filter((name) => name === "name" || name === "command" || below(3) === 0).map((name) => {
      const file = below(3) === 0 ? '; filename="a.csv"' : "";
      const one = name === "param" || below(3) === 0 ? pick(SWEPT) : text("job{a}", undefined);
      return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${one}\r\n`;
    }).join("") + (below(20) === 0 ? "" : `--${BOUNDARY}--\r\n`);
  const csv = (): string => {
    const rows = pick([0, 1, 2, 100, 100_000, 100_001]);
    return `x,y\n${`${pick(["1,2", '"a""b",', text("1", undefined).slice(0, 100), "1"])}\n`.repeat(rows)}`;
  };

  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
  );
  while (true) {
    const { path, method, operation } = pick(all);
    let target = path;
    const query: string[] = [];
    const headers: Record<string, string> = {};
    for (const one of operation.parameters ?? []) {
      if (one.in === "path") {
        const plain = below(3) > 0 ? pick(["a", "job1", "h1"]) : String(value(one.schema));
        target = target.replace(`{${one.name}}`, () => encoded(plain));
      } else if (one.in === "header") {
        const plain = String(value(one.schema)).replaceAll(/[^ -~]/g, "").trim();
        if (plain !== "" && below(2) === 0) headers[one.name] = plain.slice(0, LONGEST_HEADER);
      } else if (one.required === true ? below(20) > 0 : below(3) === 0) {
        for (const each of [value(one.schema)].flat()) query.push(`${one.name}=${encoded(String(each))}`);
      }
    }
    const content = operation.requestBody?.content;
    const type = content === undefined ? null : pick(["application/json", ...Object.keys(content)]);
    const schema = content?.["application/json"]?.schema;
    let plain: string | null = null;
    if (type === "text/csv") plain = csv();
    else if (type === "multipart/form-data") plain = form(content![type]!.schema);
    else if (schema !== undefined) plain = below(30) === 0 ? "{" : JSON.stringify(value(schema));
    if (type !== null) headers["content-type"] = type.startsWith("multi") ? `${type}; boundary=${BOUNDARY}` : type;
    // In ASCII, so that it has as many bytes.
    const body = type === "application/json" && below(60) === 0 ? `{"jobs":[]}`.padEnd(pick(BODIES)) : plain;
    const whole = query.length > 0 ? `${target}?${query.join("&")}` : target;
    yield { method, target: whole.slice(0, 30_000).replace(/%.?$/, ""), headers, body };
  }
}
