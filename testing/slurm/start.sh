# Starts munged, slurmctld and the nodes of a test Slurm on a test host, as root. Arguments: the names of the nodes.
# /run/slurm holds the configuration; all that is written lies there and in /run/munge*, and goes with the host.
set -eu
here=/run/slurm
# Its owner is the host: what is mounted here nobody else sees.
mkdir -p /etc/slurm
mount -t tmpfs -o mode=0755 tmpfs /etc/slurm
cp "$here"/*.conf /etc/slurm/
touch "$here/gpu0" "$here/gpu1"
# The key where only root may look, the socket where all may.
mkdir -m 0700 /run/munge.key
mkdir -m 0755 -p /run/munge "$here/state"
mungekey --create --keyfile=/run/munge.key/key
munged --force --socket=/run/munge/munge.socket.2 --num-threads=4 \
  --key-file=/run/munge.key/key --pid-file=/run/munge.key/pid --log-file=/run/munge.key/log --seed-file=/run/munge.key/seed
slurmctld -i
for name; do sh "$here/node.sh" "$name"; done
