/**
 * How an operation is declared: one helper, so that all have the same id scheme, security and failures in the document.
 *
 * @module
 */

import { createRoute, z } from "@hono/zod-openapi";
import { type RequestProblem, TITLES } from "./errors.ts";
import { DetailSchema, ProblemSchema } from "./schemas.ts";

const MISSING: RequestProblem = { loc: ["query", "name"], msg: "field required", type: "value_error.missing" };

/** What each means, and the `detail` of an example. */
const FAILURES = {
  400: ["The request cannot be understood", "Malformed JSON in request body"],
  401: ["No credentials, or wrong ones", "Not authenticated"],
  404: ["There is no such thing", "Queue not found"],
  409: ["Not possible as things stand", "Cannot run queue a: process 4711 on manager runs it already"],
  422: ["A value cannot be used", "query.name: field required"],
  502: ["A host does not answer", "Cannot kill job1: the host does not answer; it may still run"],
  503: ["Too busy; and any other failure, such as 403, 413, 429", "Too many requests wait; try again"],
} as const;

/** Statuses of failures that an operation can answer beside 401 and 422. */
export type Failure = 400 | 404 | 409 | 502;

// deno-lint-ignore ban-types
type NoTypes = {};

/**
 * Documents the failures of an operation: 401 and 422 for all, these, and `default` for those of a busy or wary
 * service.
 */
// deno-lint-ignore explicit-module-boundary-types
export function failures(...statuses: readonly Failure[]) {
  const one = (status: keyof typeof FAILURES) => {
    const [description, detail] = FAILURES[status];
    const problem = { type: "about:blank", title: TITLES[status], status, detail };
    const isList = status === 422;
    return {
      description,
      content: {
        "application/json": { schema: DetailSchema, example: { detail: isList ? [MISSING] : detail } },
        "application/problem+json": {
          schema: ProblemSchema,
          example: isList ? { ...problem, errors: [MISSING] } : problem,
        },
      },
    };
  };
  const all = [401, 422, ...statuses].sort() as (keyof typeof FAILURES)[];
  const known = all.map((status) => [status, one(status)]);
  // Not typed by status: handlers throw what fails, and `errors.ts` answers it.
  return Object.fromEntries([...known, ["default", one(503)]]) as unknown as NoTypes;
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
 * Declares an operation. Its id follows the original's scheme (`queue_get_queue__queue__get`), which generated clients
 * use. All but those with `security: []` need credentials.
 */
// Typed as the function that it calls: a type of our own would lose what the library infers.
// deno-lint-ignore explicit-module-boundary-types
export const operation: typeof createRoute = (route) => {
  const { summary = "", path, method } = route;
  const operationId = `${summary.toLowerCase().replaceAll(" ", "_")}${path.replaceAll(/\W/g, "_")}_${method}`;
  return createRoute({ security: [{ HTTPBasic: [] }], ...route, operationId } as typeof route);
};
