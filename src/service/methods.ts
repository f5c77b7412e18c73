/**
 * Which methods an address has, for those who ask with another.
 *
 * @module
 */

import type { App } from "./service.ts";

/** Finds the methods of the operations that have this path, sorted; empty if none has it. */
export function methodsOf(app: App, path: string): string[] {
  const methods = app.openAPIRegistry.definitions.flatMap((definition) => {
    if (definition.type !== "route") return [];
    const pattern = definition.route.path.split(/\{\w+\}/).map((part) => part.replace(/\W/g, "\\$&")).join("[^/]+");
    return new RegExp(`^${pattern}$`).test(path) ? [definition.route.method.toUpperCase()] : [];
  });
  return [...new Set(methods)].sort();
}
