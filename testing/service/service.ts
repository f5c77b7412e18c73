/**
 * A service over a fresh directory, called without a socket.
 *
 * @module
 */

import type { Deps } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";
import { makeConnect } from "../../src/link/connect.ts";
import { makeApp } from "../../src/service/app.ts";
import { makeAuth } from "../../src/service/auth.ts";
import type { AccessEntry, App, Service } from "../../src/service/service.ts";

/** The `Authorization` header that is right. */
export const RIGHT = `Basic ${btoa("pi:red berry")}`;

/** How a request differs from a plain one. */
export interface Ask {
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | FormData;
  readonly remote?: string;
  /** No credentials go along but those of `headers`. */
  readonly bare?: boolean;
}

/** A service under test. */
export interface TestService {
  readonly directory: string;
  readonly deps: Deps;
  readonly service: Service;
  readonly app: App;
  readonly warnings: string[];
  readonly accesses: AccessEntry[];
  /** Ends the service's streams. */
  stop(): void;
  /** Sends `GET /queue/`, with the right credentials unless the headers say otherwise. */
  ask(line: string, options?: Ask): Promise<Response>;
  /** The text of a reply that has to be of status 200. */
  text(line: string, options?: Ask): Promise<string>;
  /** The body of a reply that has to be of status 200 and JSON; it is asked for. */
  // deno-lint-ignore no-explicit-any
  json(line: string, options?: Ask): Promise<any>;
}

/** Calls `use` with a service of a fresh directory, which is removed at the end. */
export async function withService(
  use: (t: TestService) => Promise<void>,
  change: (service: Service) => Partial<Service> = () => ({}),
): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cms-service-" }));
  const real = realDeps();
  const deps: Deps = { ...real, environment: { ...real.environment, cwd: () => directory } };
  const warnings: string[] = [];
  const accesses: AccessEntry[] = [];
  const stopping = new AbortController();
  const service: Service = {
    deps,
    connect: makeConnect(deps),
    visit: (_machine, work) => work(),
    root: directory,
    auth: makeAuth({ user: "pi", password: "red berry" }),
    log: { access: (entry) => accesses.push(entry), warning: (text) => warnings.push(text) },
    hosts: [],
    mostFiles: 1024,
    tls: false,
    stopping: stopping.signal,
  };
  const wanted = { ...service, ...change(service) };
  const files = wanted.deps.files === real.files ? await real.servedFiles!(wanted.root) : wanted.deps.files;
  const changed = { ...wanted, deps: { ...wanted.deps, files } };
  const app = makeApp(changed);
  const ask = async (line: string, options: Ask = {}) => {
    const [method = "", target = ""] = line.split(/ (.*)/s);
    const { json, body, headers, bare = false, remote = "127.0.0.1" } = options;
    return await app.request(target, {
      method,
      headers: {
        ...(bare ? {} : { authorization: RIGHT }),
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(json === undefined ? body === undefined ? {} : { body } : { body: JSON.stringify(json) }),
    }, { remote });
  };
  const ok = async (line: string, options?: Ask) => {
    const response = await ask(line, options);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${line} answered ${response.status}: ${text}`);
    return text;
  };
  const json = async (line: string, options: Ask = {}) =>
    JSON.parse(await ok(line, { ...options, headers: { accept: "application/json", ...options.headers } }));
  try {
    await use({
      directory,
      deps,
      service: changed,
      app,
      warnings,
      accesses,
      stop: () => stopping.abort(),
      ask,
      text: ok,
      json,
    });
  } finally {
    stopping.abort();
    await Deno.remove(directory, { recursive: true });
  }
}
