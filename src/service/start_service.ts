/**
 * Starts the service and keeps it going until it is asked to end.
 *
 * @module
 */

import type { Deps, Handler, ServeOptions, Server } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { makeConnect } from "../link/connect.ts";
import { makeApp } from "./app.ts";
import { makeAuth } from "./auth.ts";
import { type AskPerson, findCredentials, findViewer } from "./credentials.ts";
import { boundedHosts } from "./hosts.ts";
import type { Service, ServiceLog } from "./service.ts";

/** How long requests that were begun may take when the service ends. */
const SHUTDOWN_MS = 10_000;
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

const NO_ADDRESS = "this machine has no such address";
const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken; choose another with --port",
  EACCES: "permission denied",
  EADDRNOTAVAIL: NO_ADDRESS,
  EINVAL: NO_ADDRESS,
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "the name cannot be looked up",
};

/** How to serve. */
export interface ServiceOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Address to listen on. */
  readonly bind: string;
  /** Files with the certificate chain and its key, in PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Whether others than this machine may come without TLS. */
  readonly isInsecure: boolean;
  /** Names that the `Host` header may have, as behind a proxy. */
  readonly allowedHosts: readonly string[];
  /** File with the credentials. */
  readonly credentials?: string | undefined;
  /** File with the credentials of who only looks. */
  readonly viewerCredentials?: string | undefined;
}

/** Whoever started the service. */
export interface ServiceWatch {
  readonly log: ServiceLog;
  readonly ask: AskPerson;
  /** Called once it listens. */
  onListening(url: string): void;
  /** The first ends the service in good order, the second at once. Asked for once it listens. */
  interrupts(): { readonly stop: AbortSignal; readonly leave: AbortSignal; release(): void };
}

/**
 * Serves the working directory until it is asked to end.
 * @throws {CmsError} If an option cannot be used, or the port is taken.
 */
export async function startService(deps: Deps, options: ServiceOptions, watch: ServiceWatch): Promise<void> {
  const tls = await checkedTls(deps, options);
  checkNames(options.allowedHosts);
  const credentials = await findCredentials(deps, options.credentials, watch.ask);
  const viewer = await findViewer(deps, options.viewerCredentials, credentials);
  const stopping = new AbortController();
  const root = await deps.files.realPath(deps.environment.cwd());
  const { environment } = deps;
  // What is served does not depend on where the process goes later.
  const files = await deps.servedFiles?.(root) ?? deps.files;
  const ownDeps: Deps = { ...deps, files, environment: { ...environment, cwd: () => root } };
  const auth = makeAuth(credentials, viewer);
  const server = await listen(
    deps,
    { hostname: options.bind, port: options.port, ...tls, onFault: (fault) => watch.log.warning(faultText(fault)) },
    (request, remote, body, trust) => app.fetch(request, { remote, body, trust }),
  );
  // Nothing is waited for from here on to the app: a request may come.
  const service: Service = {
    deps: ownDeps,
    ...boundedHosts(makeConnect(ownDeps), server.files),
    mostFiles: server.files,
    memory: server.memory,
    root,
    auth,
    log: watch.log,
    hosts: [environment.hostname(), options.bind, ...options.allowedHosts].map((name) => name.toLowerCase()),
    tls: tls !== null,
    stopping: stopping.signal,
  };
  const app = makeApp(service);
  const interrupts = watch.interrupts();
  try {
    const name = options.bind.includes(":") ? `[${options.bind}]` : options.bind;
    watch.onListening(`http${tls === null ? "" : "s"}://${name}:${server.port}`);
    await aborted(interrupts.stop);
    stopping.abort();
    await end(deps, server, interrupts.leave);
  } finally {
    interrupts.release();
  }
}

/** The texts of the certificate and its key; null without TLS. */
async function checkedTls(deps: Deps, options: ServiceOptions): Promise<{ cert: string; key: string } | null> {
  const { cert, key, bind, isInsecure } = options;
  if ((cert === undefined) !== (key === undefined)) throw new CmsError("usage", "Give both --cert and --key, or none");
  if (cert !== undefined && key !== undefined) return { cert: await pem(deps, cert), key: await pem(deps, key) };
  if (LOOPBACK.includes(bind) || isInsecure) return null;
  throw new CmsError(
    "usage",
    `Cannot listen on ${bind} without TLS: passwords would go over the network in the clear; ` +
      "give --cert and --key, or --insecure if a proxy or tunnel sees to it",
  );
}

/** What can never be in a `Host` header would be allowed in vain. */
function checkNames(names: readonly string[]): void {
  for (const name of names) {
    if (/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(name)) continue;
    throw new CmsError(
      "usage",
      `Cannot use ${JSON.stringify(name)} in --allow-host: give whole names without a port, such as jobs.example.org`,
    );
  }
}

async function pem(deps: Deps, file: string): Promise<string> {
  const path = file.startsWith("/") ? file : `${deps.environment.cwd()}/${file}`;
  const text = await deps.files.readText(path).catch(() => null);
  if (text?.includes("-----BEGIN ")) return text;
  throw new CmsError("usage", `Cannot use ${file}: ${text === null ? "it cannot be read" : "it is no PEM file"}`);
}

async function listen(deps: Deps, options: ServeOptions, handler: Handler): Promise<Server> {
  if (deps.serve === undefined) throw new RangeError("Cannot serve: there is no network here");
  try {
    return await deps.serve(options, handler);
  } catch (error) {
    const { code = "", message } = error as { code?: string; message: string };
    const why = WHY_NOT[code] ?? message;
    throw new CmsError("usage", `Cannot listen on ${options.hostname}:${options.port}: ${why}`, { cause: error });
  }
}

function faultText(fault: unknown): string {
  return `fault in the program: ${fault instanceof Error ? fault.stack : fault}`;
}

/** Lets what was begun come to its end, for a while. */
async function end(deps: Deps, server: Server, leave: AbortSignal): Promise<void> {
  const done = new AbortController();
  const late = deps.clock.sleepUntil(deps.clock.now() + SHUTDOWN_MS, AbortSignal.any([done.signal, leave]));
  await Promise.race([server.shutdown(), late]);
  done.abort();
  server.abandon();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
