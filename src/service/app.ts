/**
 * The service as a function from request to reply: no socket, no file of its own. Tests call it with `app.request()`.
 *
 * @module
 */

import { OpenAPIHono } from "@hono/zod-openapi";
import { errorReply, problemsReply, reply, type RequestProblem } from "./errors.ts";
import { addDocsRoutes } from "./docs/routes.ts";
import { addGuards } from "./guard.ts";
import { addLiveRoute } from "./routes/live.ts";
import { addWindowRoutes } from "./routes/window.ts";
import { Sessions } from "./sessions.ts";
import { addUiRoutes } from "./ui/routes.ts";
import { methodsOf } from "./methods.ts";
import { addSystemRoutes } from "./routes/system.ts";
import { addCheckRoute } from "./routes/check.ts";
import { addClusterHealthRoutes } from "./routes/cluster_health.ts";
import { addPushRoute } from "./routes/push.ts";
import { addClusterRoutes } from "./routes/clusters.ts";
import { addChosenJobsRoutes } from "./routes/chosen_jobs.ts";
import { addHistoryRoute } from "./routes/history.ts";
import { addControlRoutes } from "./routes/control.ts";
import { addHostRoutes } from "./routes/hosts.ts";
import { addJobRoutes } from "./routes/jobs.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addJobFileRoutes } from "./routes/job_files.ts";
import { addMetricsRoutes } from "./routes/metrics.ts";
import { addPlanRoute } from "./routes/plan.ts";
import { addQueueRoutes } from "./routes/queues.ts";
import { addResultsRoute } from "./routes/results.ts";
import { addDirectoryRoutes } from "./routes/directory.ts";
import { addCleanRoute } from "./routes/clean.ts";
import { addRunRoutes } from "./routes/runs.ts";
import { addStatusRoutes } from "./routes/status.ts";
import { addDrainRoute } from "./routes/drain.ts";
import { addFollowRoute } from "./routes/follow.ts";
import { addWaitRoute } from "./routes/wait.ts";
import { SPEC_FIELDS } from "../job/job.ts";
import { OPTION_NAMES } from "../job/options.ts";
import { similar } from "../names/similar.ts";
import { followReads } from "../store/read_jobs.ts";
import type { App, Service, ServiceEnv } from "./service.ts";

/** Problems of one request that are answered; a body may have a hundred thousand. */
const MOST_PROBLEMS = 100;
/** Unknown fields of one issue for which one is sought that may be meant. */
const MOST_MEANT = 5;

/** Paths of requests that add or change jobs. */
const ABOUT_JOBS = /^\/queue\/[^/]+(?:\/jobs|\/job\/[^/]+)?$/;
const JOB_FIELDS: readonly string[] = ["name", ...SPEC_FIELDS, ...OPTION_NAMES];

/** Makes the app. */
export function makeApp(service: Service): App {
  const app: App = new OpenAPIHono<ServiceEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const issues = result.error.issues.slice(0, MOST_PROBLEMS);
      const known = c.req.method !== "GET" && ABOUT_JOBS.test(c.req.path) ? JOB_FIELDS : [];
      return problemsReply(c, issues.map((issue) => toProblem(result.target, issue, known)));
    },
  });
  app.onError((error, c) => errorReply(c, error, service));
  app.notFound((c) => {
    const methods = methodsOf(app, c.req.path);
    return methods.length === 0
      ? reply(c, 404, "Not Found")
      : reply(c, 405, "Method Not Allowed", { Allow: methods.join(", ") });
  });
  followReads(service.deps, service.stopping);
  const sessions = new Sessions(service.deps.clock, service.deps.ids);
  addGuards(app, service, sessions);
  addSystemRoutes(app, service);
  addQueueRoutes(app, service);
  addCheckRoute(app, service);
  addJobRoutes(app, service);
  addResultsRoute(app, service);
  addRunRoutes(app, service);
  addChosenJobsRoutes(app, service);
  addControlRoutes(app, service);
  addHistoryRoute(app, service);
  addPlanRoute(app, service);
  addClusterRoutes(app, service);
  addClusterHealthRoutes(app, service);
  addPushRoute(app, service);
  addHostRoutes(app, service);
  addJobFileRoutes(app, service);
  addDirectoryRoutes(app, service);
  addCleanRoute(app, service);
  addEventRoutes(app, service);
  addStatusRoutes(app, service);
  addWaitRoute(app, service);
  addFollowRoute(app, service);
  addDrainRoute(app, service);
  addMetricsRoutes(app, service);
  addWindowRoutes(app, service);
  addLiveRoute(app, service);
  app.openAPIRegistry.registerComponent("securitySchemes", "HTTPBasic", { type: "http", scheme: "basic" });
  addDocsRoutes(app);
  addUiRoutes(app, service, sessions);
  return app;
}

/**
 * An issue of the schema in the original's form and, where it has them, its words.
 * @param known Fields of which one may be meant.
 */
function toProblem(
  target: string,
  issue: {
    readonly code?: string;
    readonly path: readonly PropertyKey[];
    readonly message: string;
    input?: unknown;
    keys?: unknown;
  },
  known: readonly string[],
): RequestProblem {
  const place = target === "param" ? "path" : target === "json" ? "body" : target;
  const loc = [place, ...issue.path.map((part) => typeof part === "number" ? part : String(part))];
  const missing = issue.code === "invalid_type" && /received undefined$/.test(issue.message);
  if (issue.code === "unrecognized_keys") {
    const what = place === "query" ? "parameter" : "field";
    const meant = (issue.keys as string[]).slice(0, MOST_MEANT).flatMap((key) => similar(key, known) ?? []);
    const hint = meant.length === 0 ? "" : `; did you mean ${meant.join(", ")}?`;
    return {
      loc,
      msg: `unknown ${what} ${JSON.stringify(issue.keys)}${hint}; /docs has those that there are`,
      type: "value_error",
    };
  }
  return missing
    ? { loc, msg: "field required", type: "value_error.missing" }
    : { loc, msg: issue.message, type: "value_error" };
}
