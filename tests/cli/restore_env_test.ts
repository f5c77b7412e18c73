import assert from "node:assert/strict";
import { restoreKeptEnvironment } from "../../src/cli/restore_env.ts";

function restored(entries: Record<string, string>): Record<string, string> {
  const env = new Map(Object.entries(entries));
  restoreKeptEnvironment({
    get: (name) => env.get(name),
    set: (name, value) => void env.set(name, value),
    delete: (name) => void env.delete(name),
  });
  return Object.fromEntries(env);
}

Deno.test("restoreKeptEnvironment() moves kept values back and takes away what only the launcher set", () => {
  const given = {
    CMS_KEPT: "DENO_DIR NODE_OPTIONS DENO_NO_UPDATE_CHECK",
    CMS_KEPT_NODE_OPTIONS: "--require=a b",
    CMS_KEPT_DENO_NO_UPDATE_CHECK: "",
    DENO_DIR: "/cache/state",
    DENO_NO_UPDATE_CHECK: "1",
    CMS_SELF: "/usr/bin/cms",
  };
  const wanted = { NODE_OPTIONS: "--require=a b", DENO_NO_UPDATE_CHECK: "", CMS_SELF: "/usr/bin/cms" };
  assert.deepEqual(restored(given), wanted);
});

Deno.test("restoreKeptEnvironment() changes nothing where no launcher was", () => {
  const given = { DENO_DIR: "/mine", CMS_KEPT_DENO_DIR: "/other" };
  assert.deepEqual(restored(given), given);
});
