# Boots a node of a test Slurm, as root on its host. Argument: its name. Returns when the node has written its pid.
set -eu
cd /run/slurm
rm -f "$1.pid"
setsid unshare --pid --uts --ipc --mount --fork --kill-child sh ./node_init.sh "$1" </dev/null >>"$1.log" 2>&1 &
while [ ! -e "$1.pid" ]; do sleep 0.01; done
