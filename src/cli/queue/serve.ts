/**
 * Runs the service for `cms queue --service start`: its lines, its questions, its end.
 *
 * @module
 */

import { printable } from "../../output/printable.ts";
import type { AccessEntry } from "../../service/service.ts";
import { type ServiceOptions, startService } from "../../service/start_service.ts";
import type { Context } from "../context.ts";

/** Form of the access log on stderr. */
export type LogFormat = "text" | "json" | "none";

/** Serves until Ctrl-C or TERM. */
export async function serveAndWatch(context: Context, log: LogFormat, options: ServiceOptions): Promise<void> {
  const { deps, io, lines } = context;
  const isJson = log === "json";
  const event = (members: object) => io.err(`${JSON.stringify({ time: iso(deps.clock.epochMs()), ...members })}\n`);
  await startService(deps, options, {
    log: {
      access: (entry) => log === "none" ? undefined : io.err(isJson ? jsonLine(entry) : textLine(entry)),
      warning: (text) => isJson ? event({ warning: text }) : lines.warning(text),
    },
    ask: (question, how) => io.ask?.(question, how) ?? Promise.resolve(null),
    onListening: (url) => {
      if (isJson) event({ listening: url, docs: `${url}/docs` });
      else lines.info(`Listening on ${url}, documentation: ${url}/docs`);
    },
    interrupts: () => io.interrupts(),
  });
  if (!isJson) lines.info("The service has ended. Runs that it started go on.");
}

function textLine({ atMs, remote, user, method, path, status, elapsedMs }: AccessEntry): string {
  const words = [iso(atMs), remote, user, method, path, String(status), `${elapsedMs}ms`];
  return `${printable(words.join(" "))}\n`;
}

function jsonLine({ atMs, elapsedMs, ...entry }: AccessEntry): string {
  return `${JSON.stringify({ time: iso(atMs), ...entry, ms: elapsedMs })}\n`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
