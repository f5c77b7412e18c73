# The floor: what it costs a host to start jobs and to make their files, with nobody who manages them.
# Arguments: directory, number of jobs, how many at once, shell of the scripts, command of each.
#
# It makes the same files with the same text in them, so that only what makes them differs. It spares itself what can be
# spared: four loops side by side in place of a process for each job, one mkdir for many directories, the time from
# /proc/uptime in place of date(1).

cd "$1" || exit 1
count=$2 slots=$3 shell=$4 command=$5 here=$PWD id=0123456789abcdef0123456789abcdef
read -r boot </proc/sys/kernel/random/boot_id
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
  clock
  printf '%s.1 %s %s %s %s %s .\n%s\n%s\n' "$id" "$boot" "$$" "$now" events "$1.$shell" "$here/$1/$1.log" "$here/$1/$1.out" >"$1.run"
  printf '#!/usr/bin/env %s\n%s\n' "$shell" "$command" >"$1.$shell"
  printf '# cloudmesh state: start\n# date: %s\n# attempt: %s\n' "$now" "$1" >"$1.log"
  setsid "$shell" "$1.$shell" </dev/null >"$1.out" 2>"$1-nohup.log" &
  printf 'P %s %s %s .\n' "$!" "$now" "$now" >>"$1.run"
  printf '%s\n' "$!" >"$1.pid"
  printf '@queue B %s %s.1 %s %s .\n' "$1" "$id" "$!" "$now" >>../events
  wait "$!"
  code=$?
  clock
  printf '# date: %s\n# exit: %s\n# cloudmesh state: end\n' "$now" "$code" >>"$1.log"
  printf '@queue E %s %s.1 end %s %s .\n' "$1" "$id" "$code" "$now" >>../events
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
    for job do : >"$job/.cms"; done
    for job do one "$job"; done
  done
}

slot=0
while [ "$slot" -lt "$slots" ]; do
  slot=$((slot + 1))
  loop "$slot" &
done
wait
