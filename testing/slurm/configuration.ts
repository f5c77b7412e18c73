/**
 * The configuration of a test Slurm. It decides fast, as tests wait for it, and otherwise as a site's would: no
 * accounting, no cgroups, jobs that are not requeued unless they ask for it.
 *
 * @module
 */

/** What a test may choose about its Slurm. */
export interface SlurmOptions {
  /** Names of the nodes. @default ["n1", "n2"] */
  readonly nodes?: readonly string[];
  /** CPUs of each node, whatever the machine has. @default 8 */
  readonly cpus?: number;
  /** Seconds from TERM to KILL. @default 10 */
  readonly killWait?: number;
}

/** The options, with the defaults filled in. */
export type FullSlurmOptions = Required<SlurmOptions>;

const FIRST_PORT = 6818;
/** GPUs of each node; plain files stand for the devices. */
const GPUS = 2;

/** The text of each file of `/etc/slurm`, by name. @param host The name of the test host that carries it. */
export function slurmFiles(host: string, { nodes, cpus, killWait }: FullSlurmOptions): Record<string, string> {
  const lines = [
    "ClusterName=test",
    `SlurmctldHost=${host}(127.0.0.1)`,
    "SlurmUser=root",
    "AuthType=auth/munge",
    // Also how long a requeued job waits.
    "AuthInfo=cred_expire=5",
    "StateSaveLocation=/run/slurm/state",
    "SlurmdSpoolDir=/run/slurm/spool.%n",
    "SlurmctldPidFile=/run/slurm/slurmctld.pid",
    "SlurmdPidFile=/run/slurm/slurmd.%n.pid",
    "SlurmctldLogFile=/run/slurm/slurmctld.log",
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "JobAcctGatherType=jobacct_gather/none",
    "AccountingStorageType=accounting_storage/none",
    "JobCompType=jobcomp/none",
    "SwitchType=switch/none",
    "MaxArraySize=10001",
    // What is over stays listed as long as a test file takes.
    "MinJobAge=3600",
    // A node that was booted is for so long as it was, for all that Slurm knows.
    "BatchStartTimeout=60",
    "MpiDefault=none",
    "MailProg=/bin/true",
    "SlurmdParameters=config_overrides",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_CPU_Memory",
    "SchedulerType=sched/backfill",
    "SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1",
    "PreemptType=preempt/partition_prio",
    "PreemptMode=CANCEL",
    "GresTypes=gpu",
    "EnforcePartLimits=ALL",
    `KillWait=${killWait}`,
    "CompleteWait=0",
    "EpilogMsgTime=1",
    "SlurmctldTimeout=10",
    "SlurmdTimeout=10",
    "MessageTimeout=5",
    "TCPTimeout=2",
    "ReturnToService=2",
    ...nodes.map((name, at) =>
      `NodeName=${name} NodeHostname=${name} NodeAddr=127.0.0.1 Port=${FIRST_PORT + at} ` +
      `CPUs=${cpus} RealMemory=4000 Gres=gpu:${GPUS}`
    ),
    // What lies in "low" is cancelled when "main" needs its place.
    `PartitionName=main Nodes=${nodes.join(",")} Default=YES PriorityTier=10 DefMemPerCPU=100 MaxTime=1-0 State=UP`,
    `PartitionName=low Nodes=${nodes.join(",")} PriorityTier=1 DefMemPerCPU=100 MaxTime=1-0 State=UP`,
  ];
  const gpus = Array.from({ length: GPUS }, (_, at) => `Name=gpu File=/run/slurm/gpu${at} Flags=nvidia_gpu_env`);
  return { "slurm.conf": [...lines, ""].join("\n"), "gres.conf": [...gpus, ""].join("\n") };
}
