/**
 * The examples of the user's document as transcripts, and how its two runs begin and end.
 *
 * @module
 */

/** What its last command prints. */
const WORKFLOW_LIST = `
  +-------+-----------+----------+-----+-----------+-----------+------------+
  | name  | status    | command  | gpu | output    | log       | experiment |
  +-------+-----------+----------+-----+-----------+-----------+------------+
  | job0  | undefined | hostname |     | job0.out  | job0.log  | experiment |
  | job1  | undefined | hostname |     | job1.out  | job1.log  | experiment |
  | job2  | undefined | hostname |     | job2.out  | job2.log  | experiment |
  | job3  | undefined | hostname |     | job3.out  | job3.log  | experiment |
  | job4  | undefined | hostname |     | job4.out  | job4.log  | experiment |
  | job5  | undefined | hostname |     | job5.out  | job5.log  | experiment |
  | job6  | undefined | hostname |     | job6.out  | job6.log  | experiment |
  | job7  | undefined | hostname |     | job7.out  | job7.log  | experiment |
  | job8  | undefined | hostname |     | job8.out  | job8.log  | experiment |
  | job9  | undefined | hostname |     | job9.out  | job9.log  | experiment |
  | job10 | undefined | hostname |     | job10.out | job10.log | experiment |
  +-------+-----------+----------+-----+-----------+-----------+------------+
`;

/** "Typical Workflow Example". */
export const WORKFLOW = `
  $ cms cluster create a
  $ cms cluster add a --id=host1 --name=red --user=pi --gpu=0
  INFO: Adding host host1 to cluster a
  $ cms cluster add a --id=host2 --name=red01 --user=pi --gpu=0
  INFO: Adding host host2 to cluster a
  $ cms cluster add a --id=host3 --name=red01 --user=pi --gpu=1
  INFO: Adding host host3 to cluster a
  $ cms cluster add a --id=host[4-6] --name=red02 --user=pi
  INFO: Adding host host4 to cluster a
  INFO: Adding host host5 to cluster a
  INFO: Adding host host6 to cluster a
  $ cms cluster list a
  +-------+-------+------+--------+-----+-------+----+------------------+
  | id    | name  | user | status | gpu | pyenv | ip | max_jobs_allowed |
  +-------+-------+------+--------+-----+-------+----+------------------+
  | host1 | red   | pi   | active | 0   |       |    | 1                |
  | host2 | red01 | pi   | active | 0   |       |    | 1                |
  | host3 | red01 | pi   | active | 1   |       |    | 1                |
  | host4 | red02 | pi   | active |     |       |    | 1                |
  | host5 | red02 | pi   | active |     |       |    | 1                |
  | host6 | red02 | pi   | active |     |       |    | 1                |
  +-------+-------+------+--------+-----+-------+----+------------------+
  $ cms queue create a
  $ cms queue add a --name=job[0-10] --command="'hostname'"
  INFO: Adding job job0 to queue a
  INFO: Adding job job1 to queue a
  INFO: Adding job job2 to queue a
  INFO: Adding job job3 to queue a
  INFO: Adding job job4 to queue a
  INFO: Adding job job5 to queue a
  INFO: Adding job job6 to queue a
  INFO: Adding job job7 to queue a
  INFO: Adding job job8 to queue a
  INFO: Adding job job9 to queue a
  INFO: Adding job job10 to queue a
  $ cms queue list a
${WORKFLOW_LIST}
`;

/** The examples of "Cluster". */
export const CLUSTER = `
  $ cluster create a
  $ cms cluster add a --id=host[1-4] --name=red --user=pi --gpu=0 --pyenv="'~/ENV3/bin/activate'"
  INFO: Adding host host1 to cluster a
  INFO: Adding host host2 to cluster a
  INFO: Adding host host3 to cluster a
  INFO: Adding host host4 to cluster a
  $ cluster add a --id=host[1-4] --name=red --user=pi --gpu=0 --pyenv='~/ENV3/bin/activate'
  INFO: Adding host host1 to cluster a
  INFO: Adding host host2 to cluster a
  INFO: Adding host host3 to cluster a
  INFO: Adding host host4 to cluster a
  $ cms cluster list a
  +-------+------+------+--------+-----+---------------------+----+------------------+
  | id    | name | user | status | gpu | pyenv               | ip | max_jobs_allowed |
  +-------+------+------+--------+-----+---------------------+----+------------------+
  | host1 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  | host2 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  | host3 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  | host4 | red  | pi   | active | 0   | ~/ENV3/bin/activate |    | 1                |
  +-------+------+------+--------+-----+---------------------+----+------------------+
  $ cms cluster delete a --id=host[3-4]
  INFO: Deleting hosts: ['host3', 'host4']
  $ cms cluster set a --id=host1 --key=name --value=red02
  INFO: Setting host: host1 key: name value: red02 in cluster a
  $ cluster deactivate a --id=host1
  INFO: Deactivating host host1 in cluster a
  $ cluster list a
  +-------+-------+------+----------+-----+---------------------+----+------------------+
  | id    | name  | user | status   | gpu | pyenv               | ip | max_jobs_allowed |
  +-------+-------+------+----------+-----+---------------------+----+------------------+
  | host1 | red02 | pi   | inactive | 0   | ~/ENV3/bin/activate |    | 1                |
  | host2 | red   | pi   | active   | 0   | ~/ENV3/bin/activate |    | 1                |
  +-------+-------+------+----------+-----+---------------------+----+------------------+
  $ cluster activate a --id=host[1-2]
  INFO: Activating host host1 in cluster a
  INFO: Activating host host2 in cluster a
`;

const ADDED = range("job", 1, 10).map((job) => `  INFO: Adding job ${job} to queue a`).join("\n");

const TEN_JOBS = `
  +-------+--------+----------+-----+-----------+-----------+------------+
  | name  | status | command  | gpu | output    | log       | experiment |
  +-------+--------+----------+-----+-----------+-----------+------------+
  | job1  | ready  | sleep 10 | 0   | job1.out  | job1.log  | experiment |
  | job2  | ready  | sleep 10 | 0   | job2.out  | job2.log  | experiment |
  | job3  | ready  | sleep 10 | 0   | job3.out  | job3.log  | experiment |
  | job4  | ready  | sleep 10 | 0   | job4.out  | job4.log  | experiment |
  | job5  | ready  | sleep 10 | 0   | job5.out  | job5.log  | experiment |
  | job6  | ready  | sleep 10 | 0   | job6.out  | job6.log  | experiment |
  | job7  | ready  | sleep 10 | 0   | job7.out  | job7.log  | experiment |
  | job8  | ready  | sleep 10 | 0   | job8.out  | job8.log  | experiment |
  | job9  | ready  | sleep 10 | 0   | job9.out  | job9.log  | experiment |
  | job10 | ready  | sleep 10 | 0   | job10.out | job10.log | experiment |
  +-------+--------+----------+-----+-----------+-----------+------------+
`;

/** The examples of "Queue" up to "Deleting a Job". */
export const QUEUE = `
  $ queue create a
  $ cms queue add a --name=job[1-10] --command="'sleep 10'" --user=pi --host=red --gpu=0 --pyenv=~/ENV3/bin/activate
${ADDED}
  $ queue add a --name=job[1-10] --command='sleep 10' --user=pi --host=red --gpu=0 --pyenv=~/ENV3/bin/activate
${ADDED}
  $ cms queue list a
${TEN_JOBS}
  $ queue list a
${TEN_JOBS}
  $ cms queue delete a --name=job[9-10]
  INFO: Deleting jobs: ['job9', 'job10']
`;

/** "Reset Jobs in a Queue". */
export const RESET = `
  $ queue reset a --status=end
${range("job", 1, 8).map((job) => `  ${job} \t old_status:end \t new_state:ready`).join("\n")}
`;

/** What a fifo run prints, up to where the document trims its example. */
export const FIFO_BEGINS = `INFO: Running job: job1 on pi@red

# ----------------------------------------------------------------------
# Run: job1
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1']
INFO: Running job: job2 on pi@red

# ----------------------------------------------------------------------
# Run: job2
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2']
INFO: Running job: job3 on pi@red

# ----------------------------------------------------------------------
# Run: job3
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2', 'job3']
INFO: Running job: job4 on pi@red

# ----------------------------------------------------------------------
# Run: job4
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2', 'job3', 'job4']
INFO: Waiting. At max_parallel jobs=4.
`;

/** The same for fifo_multi. */
export const FIFO_MULTI_BEGINS = `INFO: Starting job: job1 on host:pi@red

# ----------------------------------------------------------------------
# Run: job1
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1']
INFO: Starting job: job2 on host:pi@red01

# ----------------------------------------------------------------------
# Run: job2
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2']
INFO: Starting job: job3 on host:pi@red02

# ----------------------------------------------------------------------
# Run: job3
# ----------------------------------------------------------------------

INFO: Running Jobs: ['job1', 'job2', 'job3']
INFO: Waiting. All hosts running max jobs.
`;

/** How both runs end. */
export const ENDS = `
INFO: Ran Jobs: ['job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'job8']
INFO: Completed Jobs: ['job1', 'job2', 'job3', 'job4', 'job5', 'job6', 'job7', 'job8']
`;

/** `range("job", 1, 3)` is job1, job2, job3. */
export function range(prefix: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${prefix}${first + i}`);
}
