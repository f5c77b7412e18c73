/**
 * How the hosts of a cluster are, and what runs on them.
 *
 * @module
 */

import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { checkHosts } from "../../operations/check_hosts.ts";
import { clusterStatus, type HostJob } from "../../operations/cluster_status.ts";
import { failures, jsonReply, operation } from "../operation.ts";
import { clusterAt } from "../places.ts";
import { ClusterPath, ExperimentQuery, nameArray, text } from "../schemas.ts";
import type { Service, ServiceEnv } from "../service.ts";

const words = (description: string, example: string) => z.string().openapi({ description, example });
const orNull = (description: string, example: number) => z.number().nullable().openapi({ description, example });

const HostCheckSchema = z.object({
  id: words("Id of the host.", "red01"),
  machine: words("What it names.", "pi@red01"),
  status: words("Only active hosts get jobs.", "active"),
  well: z.boolean().openapi({ description: "True if jobs can run there.", example: true }),
  connect_ms: orNull("Until its shell answered.", 120),
  clock_ms: orNull("Its clock against ours; positive if it is ahead.", 12),
  room: orNull("Room on the disk of the experiment, in KiB.", 4_000_000),
  gpus: nameArray("GPUs as the host sees them.", "GPU 0: NVIDIA A100"),
  shell: z.string().nullable().openapi({ description: "The program that is sh there.", example: "/usr/bin/dash" }),
  login_shell: z.string().nullable().openapi({ description: "The user's login shell.", example: "/bin/bash" }),
  missing: nameArray("Programs that it lacks.", "tar"),
  troubles: nameArray("What is to be mended.", "cannot be reached: connection refused"),
  notes: nameArray("Good to know.", "shares its home with red02"),
}).openapi("HostCheck");

const check = operation({
  method: "get",
  path: "/cluster/{cluster}/check",
  tags: ["more"],
  summary: "Cluster Check",
  description: "Asks all hosts at once whether jobs can run there. Changes nothing.",
  request: {
    params: ClusterPath,
    query: ExperimentQuery.extend({
      id: text("Only these hosts; a list such as host[1-4] too.", "host[1-4]").optional(),
    }),
  },
  responses: {
    ...jsonReply(
      "The hosts in file order.",
      z.object({
        well: z.boolean().openapi({ description: "True if all hosts are.", example: true }),
        hosts: z.array(HostCheckSchema),
      }).openapi("ClusterCheck"),
    ),
    ...failures(404),
  },
});

const HostJobsSchema = z.array(z.object({
  queue: words("Name of the queue.", "a"),
  job: words("Name of the job.", "job1"),
  started_ms: orNull("Since when it runs, epoch ms.", 1_769_860_800_000),
})).openapi({ description: "What runs there." });

const HostStatusSchema = z.object({
  id: words("Id of the host.", "red01"),
  machine: words("What it names.", "pi@red01"),
  status: words("Only active hosts get jobs.", "active"),
  slots: z.number().int().openapi({ description: "Jobs that it may run at once.", example: 2 }),
  used: z.number().int().openapi({ description: "Slots in use.", example: 1 }),
  link: z.enum(["up", "down"]).nullable().openapi({
    description: "Whether it answers a run; null where none uses it.",
    example: "up",
  }),
  jobs: HostJobsSchema,
  link_since_ms: orNull("Since when it answers, or does not, epoch ms.", 1_769_860_800_000),
  stand: z.string().nullable().openapi({
    description: "How it stands to jobs that wait, as the run on this cluster sees it; null where there is none.",
    example: "full (2 of 2)",
  }),
  allocations: z.object({
    running: z.number().int().openapi({ description: "Those that run.", example: 2 }),
    pending: z.number().int().openapi({ description: "Those that Slurm has not begun.", example: 1 }),
    reason: z.string().nullable().openapi({ description: "Why the first of them waits.", example: "Resources" }),
  }).nullable().openapi({ description: "Allocations of an entry of Slurm; null for a host, or without a run." }),
  nodes: z.array(z.object({
    machine: words("What it is called.", "pi@n1.117.slurm.login"),
    link: z.enum(["up", "down"]).nullable().openapi({ description: "Whether it answers a run.", example: "up" }),
    link_since_ms: orNull("Since when it answers, epoch ms.", 1_769_860_800_000),
    jobs: HostJobsSchema,
  })).openapi({ description: "Nodes of its allocations." }),
  gpus: z.array(z.object({
    device: z.number().int().openapi({ description: "Its number.", example: 0 }),
    jobs: nameArray("Jobs that have it, or a part of it.", "job1"),
  })).openapi({ description: "Its GPUs." }),
  last_hour: z.object({
    ended: z.number().int().openapi({ description: "Jobs that have ended.", example: 120 }),
    failed: z.number().int().openapi({ description: "Those that did not end well.", example: 2 }),
  }).openapi({ description: "What it did in the last hour." }),
}).openapi("HostStatus");

const status = operation({
  method: "get",
  path: "/cluster/{cluster}/status",
  tags: ["more"],
  summary: "Cluster Status",
  description: "The slots of the hosts, and what runs in them, of all queues of the experiment.",
  request: { params: ClusterPath, query: ExperimentQuery },
  responses: {
    ...jsonReply("The hosts in file order.", z.object({ hosts: z.array(HostStatusSchema) }).openapi("ClusterStatus")),
    ...failures(404),
  },
});

/** Adds the routes. */
export function addClusterHealthRoutes(app: OpenAPIHono<ServiceEnv>, service: Service): void {
  app.openapi(check, async (c) => {
    const { id, experiment } = c.req.valid("query");
    const cluster = await clusterAt(service, { ...c.req.valid("param"), experiment });
    const checks = await checkHosts(service.deps, { cluster, id });
    const hosts = checks.map(({ facts, troubles, notes, ...host }) => ({
      ...host,
      well: troubles.length === 0,
      connect_ms: facts?.connectMs ?? null,
      clock_ms: facts?.clockMs ?? null,
      room: facts?.roomKiB ?? null,
      gpus: [...facts?.gpus ?? []],
      shell: facts?.shell ?? null,
      login_shell: facts?.login ?? null,
      missing: [...facts?.missing ?? [], ...facts?.missingForInput ?? []],
      troubles: [...troubles],
      notes: [...notes],
    }));
    return c.json({ well: hosts.every(({ well }) => well), hosts }, 200);
  });

  app.openapi(status, async (c) => {
    const cluster = await clusterAt(service, { ...c.req.valid("param"), ...c.req.valid("query") });
    const hosts = await clusterStatus(service.deps, { cluster });
    return c.json({
      hosts: hosts.map(({ jobs, gpus, linkSinceMs, lastHour, nodes, ...host }) => ({
        ...host,
        link_since_ms: linkSinceMs,
        nodes: nodes.map(({ machine, link, linkSinceMs, jobs }) => ({
          machine,
          link,
          link_since_ms: linkSinceMs,
          jobs: jobs.map(hostJob),
        })),
        gpus: gpus.map(({ device, jobs }) => ({ device, jobs: [...jobs] })),
        last_hour: { ...lastHour },
        jobs: jobs.map(hostJob),
      })),
    }, 200);
  });
}

function hostJob({ queue, job, startedMs }: HostJob): { queue: string; job: string; started_ms: number | null } {
  return { queue, job, started_ms: startedMs };
}
