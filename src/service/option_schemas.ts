/**
 * The options of a job as requests have them, from their table: in a query, in a body, and in a change. The shapes are
 * wide; what a value may be says `readOption`, for all ways in.
 *
 * @module
 */

import { z } from "@hono/zod-openapi";
import { isMapKind, OPTION_WORDS, type OptionWord } from "../job/option_words.ts";
import type { OptionName } from "../job/options.ts";
import { text } from "./schemas.ts";

/** Most values of a list or map. */
const MOST = 10_000;

type Schemas = { readonly [N in OptionName]?: z.ZodOptional<z.ZodType<unknown>> };

/** Parameters of a query: lists with commas, maps as `NAME=VALUE`, once for each. */
export const OPTION_QUERY: Schemas = each((word) => {
  const value = text(sentence(word), exampleText(word));
  if (word.kind === "flag") return z.enum(["true", "false"]).openapi({ description: sentence(word), example: "true" });
  const many = {
    type: "array",
    items: { type: "string" },
    description: sentence(word),
    example: [exampleText(word)],
  } as const;
  if (word.kind === "paths") {
    return z.union([value, z.array(value).max(MOST)]).transform((one) => [one].flat()).openapi({ ...many });
  }
  if (!isMapKind(word.kind)) return value;
  // A service has no environment of the caller's from which a name alone could take its value.
  const isPair = (one: string): boolean => word.kind === "map" || one.indexOf("=") > 0;
  const pair = value.refine(isPair, "give NAME=VALUE");
  return z.union([pair, z.array(pair).max(MOST)]).transform(pairs).openapi({ ...many, example: [...many.example] });
});

/** Members of a JSON body. */
export const OPTION_BODY: Schemas = each((word) => {
  const value = z.string().max(100_000).refine((one) => one.isWellFormed(), "not well-formed Unicode");
  const one = z.union([value, z.number()]);
  const about = { description: sentence(word), example: word.example };
  switch (word.kind) {
    case "flag":
      return z.boolean().openapi(about);
    case "text":
      return one.openapi(about);
    case "list":
    case "paths":
      return z.union([value, z.array(one).max(MOST)]).openapi(about);
    case "map":
    case "variables":
      return z.record(value, value).openapi(about);
    default:
      return word.kind satisfies never;
  }
});

/** Members of a change: null takes an option away. */
export const OPTION_CHANGE: Schemas = Object.fromEntries(
  Object.entries(OPTION_BODY).map(([field, schema]) => [field, schema.nullable().optional()]),
);

function each(schema: (word: OptionWord) => z.ZodType<unknown>): Schemas {
  return Object.fromEntries(OPTION_WORDS.map((word) => [word.field, schema(word).optional()]));
}

function sentence({ help }: OptionWord): string {
  return `${help[0]!.toUpperCase()}${help.slice(1)}.`;
}

function exampleText({ example }: OptionWord): string {
  if (typeof example !== "object") return String(example);
  if (Array.isArray(example)) return example.join(",");
  return Object.entries(example).map(([name, value]) => `${name}=${value}`)[0] ?? "";
}

/** `NAME=VALUE`, one or many, as a map; what has no `=` is a name with an empty value. */
export function pairs(given: string | readonly string[]): Record<string, string> {
  return Object.fromEntries(
    [given].flat().map((pair) => {
      const at = `${pair}=`.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
