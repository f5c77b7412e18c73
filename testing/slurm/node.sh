# Boots a node of a test Slurm, as root on its host. Argument: its name. Returns when the node has written its pid.
set -eu
cd /run/slurm
rm -f "$1.pid"
# Its clock since boot begins anew, as that of a machine does.
read -r up _ </proc/uptime
setsid unshare --time --boottime="-${up%.*}" --pid --uts --ipc --mount --fork --kill-child sh ./node_init.sh "$1" </dev/null >>"$1.log" 2>&1 &
while [ ! -e "$1.pid" ]; do sleep 0.01; done
