/**
 * Gives back the environment that the executable's launcher set aside. The self-extracting `cms` moves the user's
 * variables for Deno and Node (`DENO_DIR`, `NODE_OPTIONS` ...) to `CMS_KEPT_NAME`, since they could break its start,
 * and lists the names in `CMS_KEPT`. The program's children (ssh, jobs on localhost) must see what the user set, so
 * `main.ts` calls this first. Elsewhere (run from source, `deno compile`) there is no `CMS_KEPT`, and nothing happens.
 *
 * @module
 */

/** The part of an environment that is needed here; `Deno.env` fits. */
export interface MutableEnvironment {
  /** The value, or undefined if it is not set. */
  get(name: string): string | undefined;
  /** Sets it, new or not. */
  set(name: string, value: string): void;
  /** Takes it away; nothing happens if it is not set. */
  delete(name: string): void;
}

/**
 * Moves each kept variable back and removes those that the launcher alone had set, with all marks of it.
 * `CMS_SELF` and `CMS_CALLED_AS` stay: the program reads them.
 * @param env The environment to change. A second call changes nothing.
 */
export function restoreKeptEnvironment(env: MutableEnvironment): void {
  const names = env.get("CMS_KEPT");
  if (names === undefined) return;
  for (const name of names.split(" ").filter((part) => part !== "")) {
    const kept = env.get(`CMS_KEPT_${name}`);
    if (kept === undefined) env.delete(name);
    else env.set(name, kept);
    env.delete(`CMS_KEPT_${name}`);
  }
  env.delete("CMS_KEPT");
}
