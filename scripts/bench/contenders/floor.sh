# The floor: what it costs a host to start jobs and to make their files, with nobody who manages them.
# Arguments: directory, number of jobs, how many at once, shell of the scripts.
#
# It spares itself what can be spared: four loops side by side in place of a process for each job, one mkdir for many
# directories, the time from /proc/uptime in place of date(1).

cd "$1" || exit 1
count=$2 slots=$3 shell=$4
read -r up _ </proc/uptime
base=$(($(date +%s) - ${up%.*}))

# In `now`: seconds since 1970.
clock() {
  read -r up _ </proc/uptime
  now=$((base + ${up%.*}))
}

# one JOB: its files and its process, in its directory.
one() {
  cd "$1" || exit 1
  printf '#!/usr/bin/env %s\ntrue\n' "$shell" >"$1.$shell"
  clock
  printf '# cloudmesh state: start\n# date: %s\n' "$now" >"$1.log"
  setsid "$shell" "$1.$shell" </dev/null >"$1.out" 2>"$1-nohup.log" &
  printf '%s\n' "$!" >"$1.pid"
  wait "$!"
  code=$?
  clock
  printf '# date: %s\n# exit: %s\n# cloudmesh state: end\n' "$now" "$code" >>"$1.log"
  cd ..
}

# loop FIRST: every job whose number is FIRST plus a multiple of the slots, one after the other.
loop() {
  next=$1
  while [ "$next" -le "$count" ]; do
    set --
    while [ $# -lt 32 ] && [ "$next" -le "$count" ]; do
      set -- "$@" "job$next"
      next=$((next + slots))
    done
    mkdir "$@" || exit 1
    for job do one "$job"; done
  done
}

slot=0
while [ "$slot" -lt "$slots" ]; do
  slot=$((slot + 1))
  loop "$slot" &
done
wait
