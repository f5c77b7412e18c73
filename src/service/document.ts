/**
 * The OpenAPI document, made from the same definitions that validate requests.
 *
 * @module
 */

import { VERSION } from "../version.ts";
import type { App } from "./service.ts";

/** The original's title. */
export const TITLE = "Cloudmesh Queue: A job queue scheduler for remote/local servers.";

const DESCRIPTION = "Queues of shell jobs and clusters of hosts, run over ssh. " +
  "Operations answer text or JSON as described; with `Accept: application/json` all answer JSON, " +
  "failures as `application/problem+json` (RFC 9457). " +
  "Operations under *default* are those of the original program; those under *more* are new.";

/** Makes the document. */
export function makeDocument(app: App): object {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: TITLE,
      description: DESCRIPTION,
      version: VERSION,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    // Operations without a group stand under `default`; it is named so that the page shows it first, as the original
    // does.
    tags: [
      { name: "default", description: "The operations of the original program." },
      { name: "more", description: "Beyond the original program." },
    ],
  });
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item)) (operation as Operation).parameters?.forEach(unfill);
  }
  const schemas = (document.components?.schemas ?? {}) as Record<string, Example>;
  unfill({ schema: schemas.JobState! });
  // Made of the examples of their fields; the page would add fields of no meaning.
  for (const [one, many, key] of [["Job", "Jobs", "name"], ["Host", "Hosts", "id"]] as const) {
    const example = exampleOf(schemas, schemas[one]!) as Record<string, unknown>;
    schemas[one]!.example = example;
    schemas[many]!.example = { [String(example[key])]: example };
  }
  return document;
}

/** What is looked at of an operation, a parameter, a schema. */
interface Operation {
  readonly parameters?: readonly Parameter[];
}
interface Parameter {
  readonly required?: boolean;
  readonly schema: Example;
}
interface Example {
  example?: unknown;
  examples?: unknown[];
  readonly anyOf?: readonly Example[];
  readonly items?: Example;
  readonly properties?: Readonly<Record<string, Example>>;
  readonly $ref?: string;
}

/**
 * Makes the example of a parameter that may be left out a list of one, which means the same. Swagger UI fills a single
 * example into the form, and who deletes `job1` would delete the further jobs of the example with it.
 */
function unfill({ required, schema }: Parameter): void {
  if (required) return;
  const { anyOf = [], items = null } = schema;
  for (const part of [...anyOf, ...items === null ? [] : [items]]) unfill({ schema: part });
  if (schema.example === undefined) return;
  schema.examples = [schema.example];
  delete schema.example;
}

/** The example of a schema, or of its fields. */
function exampleOf(schemas: Readonly<Record<string, Example>>, schema: Example): unknown {
  const { $ref, properties, example, examples } = schema;
  if ($ref !== undefined) return exampleOf(schemas, schemas[$ref.split("/").at(-1)!]!);
  if (properties === undefined) return example ?? examples?.[0];
  return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, exampleOf(schemas, one)]));
}
