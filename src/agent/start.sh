# The agent, second part: the start of jobs and their wrappers. Sent after agent.sh, which says the rules.

# c_cause FILE: why FILE cannot be written, in c_why.
c_cause() {
  c_why=$({ true >>"$1"; } 2>&1)
  c_why=${c_why##*: }
  c_why="cannot write $1: ${c_why:-no space left on the device}"
}

# c_refuse JOB ATTEMPT REASON [LINK]: nothing was started, and this attempt never will be.
c_refuse() {
  [ -z "${4-}" ] || printf 'R %s\n' "$3" >>"$4" || true >"$4.no"
  c_event R "$1" "$2" "$3"
}

# c_run JOB ATTEMPT SHELL OUTPUT LOG GPU SCRIPT: a job's wrapper, a fork of the agent without an exec. It holds nothing of the link.
# Order: claim, script, log, start, pid and claim's last line, event; at the end the log before the event, so that whoever asks
# after a broken link finds in the log what the event would have said.
c_run() {
  c_job=$1 c_why=''
  c_self
  if ! cd "$c_here/$1"; then
    c_why=$(mkdir "$c_here/$1" 2>&1)
    c_refuse "$1" "$2" "cannot use the directory $c_here/$1: ${c_why##*: }"
    return
  fi
  c_place "$4"; c_to=$c_at
  c_place "$5"; c_into=$c_at
  c_script=$1.${3##*/}
  case $4$5 in *"$c_nl"*) c_why='the name of an output or log file has a line break' c_to=$c_job.out c_into=$c_job.log ;; esac
  c_z=0
  while :; do
    c_walk "$1" "$2"
    if [ -n "$c_open" ] && [ "$c_z" -lt 20 ]; then
      c_z=$((c_z + 1))
      c_pause
      continue
    fi
    if [ -n "$c_found$c_open" ]; then
      c_state "$1" "$2"
      case $c_is in
      'forbidden '*) c_event R "$1" "$2" "${c_is#* }" ;;
      *) c_event N "$1" "$2" "$c_is" ;;
      esac
      return
    fi
    [ -z "$c_high" ] || c_why="a later attempt ($c_high) was there before"
    [ -z "$c_live" ] || c_why="another attempt of the job runs there ($c_live)"
    c_claim "$1" "$2" "$c_me" "$c_me0" "$c_script" "$c_into" "$c_to" "${c_why:+R $c_why}"
    [ -z "$c_won" ] || break
    if [ ! -e "$c_next" ]; then
      c_cause "$c_next"
      c_refuse "$1" "$2" "$c_why"
      return
    fi
  done
  if [ "$c_won" = full ]; then
    true >"$c_next.no"
    c_event R "$1" "$2" "cannot write $c_next: no space left on the device"
    return
  fi
  if [ -n "$c_why" ]; then
    c_event R "$1" "$2" "$c_why"
    return
  fi
  # The log is ours now: nobody may write the end of an earlier attempt into it.
  [ -z "$c_last" ] || true >"$c_last.fin"
  if [ "$c_n" -gt 0 ] || [ -e "$c_into" ]; then c_event U "$1" "$2"; fi
  if [ "$c_shell" != "$3" ]; then
    c_refuse "$1" "$2" "there is no shell \"$3\"" "$c_next"
    return
  fi
  for c_at in "$c_to" "$c_into"; do
    [ -d "${c_at%/*}/" ] || mkdir -p "${c_at%/*}/"
  done
  # Marks of an earlier attempt would give this one a wrong end.
  for c_at in "$1.ended" "$1.kill"; do
    [ ! -e "$c_at" ] || rm -f "$c_at"
  done
  c_date
  c_at=$c_script
  if printf '%s' "$7" >"$c_at" && c_at=$c_into &&
    printf '# cloudmesh state: start\n# date: %s\n' "$c_iso" >"$c_at" && c_at=$1-nohup.log && true >"$c_at"; then
    c_at=$c_to
    case $6 in =*) CUDA_VISIBLE_DEVICES=${6#=}; export CUDA_VISIBLE_DEVICES ;; esac
    # setsid makes no process of its own here: $! is the job, its process group and its session.
    { CLOUDMESH_JOB=$2 "$c_setsid" "$c_path" "$c_script" & } </dev/null >"$c_to" 2>"$1-nohup.log" && c_at=''
  fi
  if [ -n "$c_at" ]; then
    c_cause "$c_at"
    c_refuse "$1" "$2" "$c_why" "$c_next"
    return
  fi
  c_p=$!
  c_now
  if [ -n "$c_fast" ]; then
    c_t0=$c_up
  else
    # Some shells collect a child as soon as it has ended; 0 is nobody's start time, so that it counts as dead.
    c_stat "$c_p" || c_t0=0
  fi
  printf 'P %s %s %s .\n' "$c_p" "$c_t0" "$c_ms" >>"$c_next"
  printf '%s\n' "$c_p" >"$1.pid"
  c_event B "$1" "$2" "$c_p" "$c_ms"
  wait "$c_p"
  c_rc=$?
  c_e1=end
  # From 129 to 192 the code alone does not tell a signal from the script's own exit: a script that came to its end left JOB.ended.
  if [ -e "$1.kill" ]; then
    c_e1=kill
  elif [ "$c_rc" -gt 128 ] && [ "$c_rc" -le 192 ] && [ ! -e "$1.ended" ]; then
    c_e1=crash
  fi
  c_now
  c_date
  # A full disk must not cost a job its end: for an hour it is tried again, while the directory is there.
  c_z=0
  until printf '# date: %s\n# exit: %s\n# cloudmesh state: %s\n' "$c_iso" "$c_rc" "$c_e1" >>"$c_into"; do
    [ -d "${c_into%/*}/" ] && [ "$c_z" -lt 720 ] || break
    c_z=$((c_z + 1))
    sleep 5
  done
  c_event E "$1" "$2" "$c_e1" "$c_rc" "$c_ms"
}

# cms_dirs JOB...: makes the directories that are not there, with one mkdir, and marks them as made by us.
cms_dirs() {
  # Somebody removed our directory: no event could arrive. A new agent makes it anew.
  [ -e "$c_ev" ] || exit 0
  for c_job do
    shift
    [ -d "$c_here/$c_job" ] || set -- "$@" "$c_here/$c_job"
  done
  [ $# -gt 0 ] || return 0
  mkdir "$@"
  for c_at do
    [ ! -d "$c_at" ] || true >"$c_at/.cms"
  done
}

# cms_undirs JOB...: removes what cms_dirs made, where nothing but its mark is in it.
cms_undirs() {
  for c_job do
    shift
    for c_at in "$c_here/$c_job"/*; do
      [ -e "$c_at" ] || [ ! -f "$c_here/$c_job/.cms" ] || set -- "$@" "$c_here/$c_job"
      break
    done
  done
  [ $# -gt 0 ] || return 0
  for c_at do
    shift
    set -- "$@" "$c_at/.cms"
  done
  rm -f "$@"
  for c_at do
    shift
    set -- "$@" "${c_at%/.cms}"
  done
  rmdir "$@"
}

# cms_start: see c_run. What all wrappers need alike is found out here, once: the date of this second, and where the shell is (a path spares
# each start the search).
# The shell's table of jobs is emptied now and then (`jobs` forgets those that ended).
cms_start() {
  c_now
  c_date
  [ "$c_shell" = "$3" ] || { c_path=$(command -v "$3") && c_shell=$3 || c_shell=''; }
  c_apart c_run "$@" &
  c_count=$((c_count + 1))
  [ $((c_count % 64)) -ne 0 ] || jobs
}
