/**
 * A process that serves a directory: `server.ts DIRECTORY`. Says its port in a line, and goes on until it is ended.
 *
 * @module
 */

import { realDeps } from "../../src/deps_real.ts";
import { makeConnect } from "../../src/link/connect.ts";
import { makeApp } from "../../src/service/app.ts";
import { makeAuth } from "../../src/service/auth.ts";
import { SELF } from "../../testing/run_place.ts";

const directory = await Deno.realPath(Deno.args[0] ?? "");
Deno.chdir(directory);
const real = realDeps();
const deps = { ...real, files: await real.servedFiles!(directory), environment: { ...real.environment, self: SELF } };
const app = makeApp({
  deps,
  connect: makeConnect(deps),
  visit: (_machine, work) => work(),
  root: directory,
  auth: makeAuth({ user: "pi", password: "red berry" }),
  log: { access: () => {}, warning: () => {} },
  hosts: [],
  mostFiles: 1024,
  tls: false,
  stopping: new AbortController().signal,
});
const { port } = await deps.serve!(
  { hostname: "127.0.0.1", port: 0 },
  (request, remote) => app.fetch(request, { remote }),
);
Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
