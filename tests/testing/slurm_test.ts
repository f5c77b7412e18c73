import assert from "node:assert/strict";
import { slurmTest } from "../../testing/need_slurm.ts";
import { waitUntil } from "../../testing/wait.ts";

slurmTest("a test Slurm runs jobs of a user on nodes that can be lost, and comes back to its first state", async ({
  login,
  slurm,
}) => {
  assert.equal(await slurm.ok("srun --nodes=2 --gpus-per-node=1 sh -c 'hostname; id -un' | sort"), "n1\nn2\npi\npi\n");
  const id = await slurm.ok("sbatch --parsable --no-requeue -w n2 -o /dev/null --wrap 'touch began; exec sleep 1000'");
  await waitUntil("the job", () => Deno.stat(`${login.home}/began`));
  assert.match(await slurm.onNode("n2", "ps -e -o args"), /^sleep 1000$/m);
  // What runs on one node is not seen on another.
  assert.doesNotMatch(await slurm.onNode("n1", "ps -e -o args"), /sleep 1000/);
  await slurm.crashNode("n2");
  await slurm.admin("scontrol update nodename=n2 state=down reason=test");
  await waitUntil("its end", async () => (await slurm.jobs()).includes(`${id.trim()} NODE_FAIL NodeDown`));
  await slurm.crashControl();
  await slurm.reset();
  assert.equal(await slurm.ok("srun -w n2 hostname"), "n2\n");
});
