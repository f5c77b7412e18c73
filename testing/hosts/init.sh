# Process 1 of a test host. Arguments: host name, rig directory, user name, home directory.
#
# It is started in namespaces of its own, prints its pid as the machine sees it, waits for a line with the host's
# address (by then the network end is there) and goes on. When its stdin ends, so does the host: a test process that is
# killed takes its hosts with it. It waits for ever, and so reaps what is left without a parent. What the machine and
# the other hosts must not see (homes, temp files, logs) is mounted over.
set -eu
name=$1 rig=$2 user=$3 home=$4
exec 2>>"$rig/$name/log"
# Still the machine's /proc: this is our pid out there.
read -r outer _ </proc/self/stat
echo "$outer"
exec 3<&0 </dev/null >&2
read -r address <&3
echo "$name" >/proc/sys/kernel/hostname
mount -t proc proc /proc
ip -batch - <<END
link set lo up
addr add $address/22 dev eth0
link set eth0 up
END
for file in passwd shadow group hosts; do mount --bind "$rig/etc/$file" "/etc/$file"; done
mount -t tmpfs -o mode=0755 tmpfs /home
mkdir "/home/$user"
mount --bind "$home" "/home/$user"
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/sshd /run/lock
cp "$rig/etc/sshd_config" "$rig/etc/host_key" /run/sshd/
for directory in /dev/shm /var/tmp /var/log; do mount -t tmpfs -o mode=1777 tmpfs "$directory"; done
# Last, because the rig directory itself is in /tmp.
mount -t tmpfs -o mode=1777 tmpfs /tmp
cd /
trap 'exit 0' TERM
(while read -r _; do :; done; kill -TERM 1) <&3 &
watch=$!
exec 3<&-
env -i PATH="$PATH" "$(command -v sshd)" -D -e -f /run/sshd/sshd_config &
set +e
while wait; do kill -0 "$watch" || exit 1; done
