# Process 1 of a node of a test Slurm. Argument: its name. With it ends all that runs on the node, as in a power cut.
set -eu
# Still the host's /proc: this is our pid out there.
read -r outer _ </proc/self/stat
echo "$1" >/proc/sys/kernel/hostname
mount -t proc proc /proc
for directory in /tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs "$directory"; done
cat /proc/sys/kernel/random/uuid >/tmp/boot_id
mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id
echo "$outer" >"$1.pid.new"
mv "$1.pid.new" "$1.pid"
cd /
set +e
slurmd -D -N "$1" &
# It reaps what is left without a parent, and goes on without slurmd, as a node would.
while wait; do sleep 0.1; done
