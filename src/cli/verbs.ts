/**
 * The verbs of both groups, with all their options.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Context } from "./context.ts";
import { addActivate } from "./cluster/activate.ts";
import { addAdd as addClusterAdd } from "./cluster/add.ts";
import { addClusterCheck } from "./cluster/check.ts";
import { addCreate as addClusterCreate } from "./cluster/create.ts";
import { addDelete as addClusterDelete } from "./cluster/delete.ts";
import { addDrain } from "./cluster/drain.ts";
import { addList as addClusterList } from "./cluster/list.ts";
import { addPush } from "./cluster/push.ts";
import { addSet } from "./cluster/set.ts";
import { addClusterStatus } from "./cluster/status.ts";
import { addAdd } from "./queue/add.ts";
import { addCheck } from "./queue/check.ts";
import { addCreate } from "./queue/create.ts";
import { addDelete } from "./queue/delete.ts";
import { addEdit } from "./queue/edit.ts";
import { addHold } from "./queue/hold.ts";
import { addHistory } from "./queue/history.ts";
import { addKill } from "./queue/kill.ts";
import { addList } from "./queue/list.ts";
import { addClean } from "./queue/clean.ts";
import { addFetch } from "./queue/fetch.ts";
import { addFollow, addLog } from "./queue/log.ts";
import { addMove } from "./queue/move.ts";
import { addPause, addResume } from "./queue/pause.ts";
import { addPlan } from "./queue/plan.ts";
import { addRefresh } from "./queue/refresh.ts";
import { addReset } from "./queue/reset.ts";
import { addRun } from "./queue/run.ts";
import { addQueueSet } from "./queue/set.ts";
import { addExplain, addShow } from "./queue/show.ts";
import { addStatus } from "./queue/status.ts";
import { addWait } from "./queue/wait.ts";
import { addStop } from "./queue/stop.ts";
import { addWatch } from "./queue/watch.ts";
import { addService } from "./queue/service.ts";

type AddVerb = (group: CommandUnknownOpts, context: Context) => void;
/** What adds verbs to the two groups. */
export interface Verbs {
  readonly queue: readonly AddVerb[];
  readonly cluster: readonly AddVerb[];
}

/** The verbs of a group in the order of its help, each with the names that it is called by. */
type Named = readonly (readonly [names: readonly string[], add: AddVerb])[];

const QUEUE_VERBS: Named = [
  [["create"], addCreate],
  [["list", "info"], addList],
  [["refresh"], addRefresh],
  [["check"], addCheck],
  [["status"], addStatus],
  [["history"], addHistory],
  [["watch"], addWatch],
  [["plan"], addPlan],
  [["show"], addShow],
  [["explain"], addExplain],
  [["log"], addLog],
  [["follow"], addFollow],
  [["fetch"], addFetch],
  [["clean"], addClean],
  [["add"], addAdd],
  [["set"], addQueueSet],
  [["edit"], addEdit],
  [["move"], addMove],
  [["delete"], addDelete],
  [["run"], addRun],
  [["reset"], addReset],
  [["wait"], addWait],
  [["kill"], addKill],
  [["hold", "release"], addHold],
  [["pause"], addPause],
  [["resume"], addResume],
  [["stop"], addStop],
  [["service"], addService],
];
const CLUSTER_VERBS: Named = [
  [["create"], addClusterCreate],
  [["list", "info"], addClusterList],
  [["add"], addClusterAdd],
  [["delete"], addClusterDelete],
  [["activate", "deactivate"], addActivate],
  [["drain"], addDrain],
  [["set"], addSet],
  [["push"], addPush],
  [["check"], addClusterCheck],
  [["status"], addClusterStatus],
];

/**
 * The verbs that the words need. Where they name one, all others are left out: making them takes a good part of a short
 * command's time.
 */
export function verbsFor([group, name = ""]: readonly string[]): Verbs {
  const named = (verbs: Named) => verbs.filter(([names]) => names.includes(name)).map(([, add]) => add);
  const queue = group === "queue" ? named(QUEUE_VERBS) : [];
  const cluster = group === "cluster" ? named(CLUSTER_VERBS) : [];
  if (queue.length + cluster.length > 0) return { queue, cluster };
  return { queue: QUEUE_VERBS.map(([, add]) => add), cluster: CLUSTER_VERBS.map(([, add]) => add) };
}
