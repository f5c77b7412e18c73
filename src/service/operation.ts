/**
 * How an operation is declared: one helper, so that all have the same id scheme, security and failures in the document.
 *
 * @module
 */

import { createRoute, z } from "@hono/zod-openapi";
import { DetailSchema, ProblemSchema } from "./schemas.ts";

const FAILURES = {
  400: "The request cannot be understood",
  401: "No credentials, or wrong ones",
  404: "There is no such thing",
  409: "Not possible as things stand",
  422: "A value cannot be used",
  502: "A host does not answer",
} as const;

/** Statuses of failures that an operation can answer beside 401 and 422. */
export type Failure = 400 | 404 | 409 | 502;

// deno-lint-ignore ban-types
type NoTypes = {};

/** Documents the failures of an operation: 401 and 422 for all, and these. */
// deno-lint-ignore explicit-module-boundary-types
export function failures(...statuses: readonly Failure[]) {
  const one = (status: keyof typeof FAILURES) => ({
    description: FAILURES[status],
    content: {
      "application/json": { schema: DetailSchema },
      "application/problem+json": { schema: ProblemSchema },
    },
  });
  const all = [401, 422, ...statuses].sort() as (keyof typeof FAILURES)[];
  // Not typed by status: handlers throw what fails, and `errors.ts` answers it.
  return Object.fromEntries(all.map((status) => [status, one(status)])) as unknown as NoTypes;
}

/** A 200 that is JSON for everybody. */
// deno-lint-ignore explicit-module-boundary-types
export function jsonReply<Json extends z.ZodType>(description: string, schema: Json) {
  return { 200: { description, content: { "application/json": { schema } } } };
}

/** A 200 that is text, or JSON for whoever asks for it. */
// deno-lint-ignore explicit-module-boundary-types
export function textReply<Json extends z.ZodType>(description: string, example: string, schema: Json) {
  return {
    200: {
      description,
      content: {
        // The first is what the documentation page asks for unless another is chosen.
        "text/plain": { schema: z.string().openapi({ example }) },
        "application/json": { schema },
      },
    },
  };
}

/**
 * Declares an operation. Its id follows the original's scheme (`queue_get_queue__queue__get`), which generated clients use.
 * All but those with `security: []` need credentials.
 */
// Typed as the function that it calls: a type of our own would lose what the library infers.
// deno-lint-ignore explicit-module-boundary-types
export const operation: typeof createRoute = (route) => {
  const { summary = "", path, method } = route;
  const operationId = `${summary.toLowerCase().replaceAll(" ", "_")}${path.replaceAll(/\W/g, "_")}_${method}`;
  return createRoute({ security: [{ HTTPBasic: [] }], ...route, operationId } as typeof route);
};
