/**
 * Who does something here, as people read it later.
 *
 * @module
 */

import type { Environment } from "../deps.ts";

/** `pi@manager`; the machine alone where the user has no name. */
export function whoIsHere(environment: Pick<Environment, "user" | "hostname">): string {
  const user = environment.user();
  return user === "" ? environment.hostname() : `${user}@${environment.hostname()}`;
}
