# Takes rigs down. Arguments: rig directories. Safe to run twice, also at once. A host's process 1 is only ended if its
# start time is the recorded one; with it goes everything in the host. The directory goes last: what is left over is
# found by it.
is_alive() { # PID START
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  start=$2
  set -- ${stat##*) }
  [ "$1" != Z ] && [ "${20}" = "$start" ]
}
for rig; do
  pids=
  for file in "$rig"/*/pid; do
    [ -f "$file" ] || continue
    read -r pid start <"$file"
    if is_alive "$pid" "$start"; then kill -KILL "$pid"; pids="$pids $pid:$start"; fi
  done
  bridge=cmsr${rig##*-}
  for end in $(ip -o link show 2>/dev/null | sed -n "s/^[0-9]*: \($bridge[^:@]*\).*/\1/p"); do
    ip link del "$end" 2>/dev/null
  done
  for each in $pids; do
    left=500
    while [ $left -gt 0 ] && is_alive "${each%:*}" "${each#*:}"; do sleep 0.01; left=$((left - 1)); done
  done
  rm -rf "$rig"
done
