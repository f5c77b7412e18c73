/**
 * `cms queue --service start|info`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples } from "../context.ts";
import { logFormatValue, portOrAnyValue, portValue, unquote } from "../names.ts";
import { listValue, pathValue } from "../options.ts";

const DEFAULT_PORT = 8000;

/** Adds the command to its group. */
export function addService(group: CommandUnknownOpts, context: Context): void {
  const service = group.command("service").helpCommand(false)
    .description("start the REST service, or open its documentation")
    .usage("start|info [--port=PORT]")
    .addHelpText("after", examples("cms queue --service start --port=8000", "cms queue --service info"));
  addStart(service, context);
  addInfo(service, context);
}

function addStart(service: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  service.command("start").description("serve the working directory; ends with Ctrl-C or TERM")
    .option("--port <port>", "port to listen on; 0: any that is free (default: 8000)", portOrAnyValue)
    .option("--bind <address>", "address to listen on (default: 127.0.0.1)", text)
    .option("--cert <file>", "certificate chain in PEM, for TLS", pathValue)
    .option("--key <file>", "its key", pathValue)
    .option("--insecure", "listen for other machines without TLS")
    .option("--allow-host <names>", "names that clients may use for this service, such as jobs.example.org", listValue)
    .option(
      "--credentials <file>",
      "file with user:password, readable by you alone, read at the start (default: asks)",
      pathValue,
    )
    .option("--viewer-credentials <file>", "the same for a user who may look, and change nothing", pathValue)
    .option("--log <format>", "access log as text, json or none (default: text)", logFormatValue)
    .addHelpText(
      "after",
      examples("cms queue --service start --port=8000", "cms queue --service start --credentials=~/.cms-credentials"),
    )
    .action(async ({ port, bind, cert, key, insecure, allowHost, credentials, viewerCredentials, log }) => {
      const { serveAndWatch } = await import("./serve.ts");
      await serveAndWatch(context, log ?? "text", {
        port: port ?? DEFAULT_PORT,
        bind: bind ?? "127.0.0.1",
        cert,
        key,
        isInsecure: insecure ?? false,
        allowedHosts: (allowHost ?? "").split(",").filter((name) => name !== ""),
        credentials,
        viewerCredentials,
      });
    });
}

function addInfo(service: CommandUnknownOpts, context: Context): void {
  service.command("info").description("open the documentation in the browser")
    .option("--port <port>", "port of the service (default: 8000)", portValue)
    .addHelpText("after", examples("cms queue --service info --port=8000"))
    .action(async ({ port }) => {
      const { isListening, openBrowser } = await import("./open_browser.ts");
      const at = port ?? DEFAULT_PORT;
      const url = `http://127.0.0.1:${at}/docs`;
      context.lines.plain(url);
      if (await isListening(context.deps, at)) return await openBrowser(context.deps, url);
      context.lines.warning(
        `Nothing listens on port ${at}; to start the service: cms queue --service start --port=${at}`,
      );
      context.status = 1;
    });
}

/** The document writes the command as an option: `queue --service start` becomes `queue service start`. */
export function serviceArgs(args: readonly string[]): string[] {
  if (args[0] !== "queue") return [...args];
  let at = 1;
  while (args[at]?.startsWith("--port")) at += args[at] === "--port" ? 2 : 1;
  const word = args[at] ?? "";
  const before = args.slice(1, at);
  const after = args.slice(at + 1);
  if (word.startsWith("--service=")) return ["queue", "service", word.slice("--service=".length), ...before, ...after];
  if (word !== "--service") return [...args];
  return ["queue", "service", ...after.slice(0, 1), ...before, ...after.slice(1)];
}
