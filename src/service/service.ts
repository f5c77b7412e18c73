/**
 * What every route is given: the program's surroundings, the directory that is served, and the life of the service.
 *
 * @module
 */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "../deps.ts";
import type { Connect } from "../link/link.ts";
import type { Auth, Role } from "./auth.ts";
import type { Visit } from "./hosts.ts";

/** One request as the access log has it. `status` 0: no answer was sent. */
export interface AccessEntry {
  /** Epoch ms of its begin. */
  readonly atMs: number;
  readonly remote: string;
  /** Who asked; `-` without credentials that are right. */
  readonly user: string;
  readonly method: string;
  /** Without the query, which holds commands. */
  readonly path: string;
  readonly status: number;
  readonly elapsedMs: number;
}

/** Where the service writes. Lines are for whoever watches it; none is ever sent to a client. */
export interface ServiceLog {
  access(entry: AccessEntry): void;
  warning(text: string): void;
}

/** The service as its routes see it. */
export interface Service {
  /** The working directory of its environment is {@link Service.root}. */
  readonly deps: Deps;
  readonly connect: Connect;
  /** For sessions that are no links. */
  readonly visit: Visit;
  /** The directory that is served: absolute, with links resolved. Experiments lie below it. */
  readonly root: string;
  readonly auth: Auth;
  readonly log: ServiceLog;
  /** Names that the `Host` header may have beside addresses and localhost, in lower case. */
  readonly hosts: readonly string[];
  /** So many files the process may have open. */
  readonly mostFiles: number;
  /** Resident memory of the process, in bytes; where it is not known nothing depends on it. */
  readonly memory?: () => number;
  /** Whether clients come by TLS. */
  readonly tls: boolean;
  /** Aborts when the service ends: streams that never end by themselves must end then. */
  readonly stopping: AbortSignal;
}

/** What the server tells of a connection, and what middleware has found out about a request. */
export interface ServiceEnv {
  Bindings: {
    /** Address of the client. */
    readonly remote?: string;
    /** Makes the stream of the body; without it the request's own is read. */
    readonly body?: () => ReadableStream<Uint8Array<ArrayBuffer>>;
    /** To be called when the credentials are right. */
    readonly trust?: () => void;
  };
  Variables: {
    /** Who asks; set once the credentials are checked. */
    user: string;
    role: Role;
  };
}

/** The app of a service. */
export type App = OpenAPIHono<ServiceEnv>;
