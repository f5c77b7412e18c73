# The agent, seventh part: time limits. A job that has one has a timer, a fork of its wrapper that sleeps and then ends
# it, whoever is gone by then. A job without a limit has nothing of this.
#
# JOB.limit.ATTEMPT: the limit as MILLISECONDS/GRACE/TEXT (`-`: none any more), then a line `PID START` for each timer.
# A timer that finds another limit there when its time has come does nothing.

# c_limit JOB ATTEMPT LIMIT [WATCH]: makes the timer of a job. The current directory is the job's; c_p, c_p0 and c_t are
# of its claim; c_p0 is empty if it is about to start. WATCH: nobody will end the timer with the job.
c_limit() {
  c_file "$1.limit.$2" || rm -f "$1.limit.$2"
  printf '%s\n' "$3" >"$1.limit.$2"
  (
    exec 3>&- 5>&- 6>&- 7>&- 8>&- </dev/null
    c_timer "$@" &
    c_now
    [ -n "$c_fast" ] || { c_stat "$!" && c_up=$c_t0; }
    printf '%s %s\n' "$!" "$c_up" >>"$1.limit.$2"
  )
}

c_timer() {
  c_sl=''
  trap '[ -z "$c_sl" ] || kill "$c_sl"; exit' TERM
  if [ -n "$c_p0" ]; then
    c_till "${3%%/*}"
    c_sleep "${4-}"
  else
    # The job is about to start. When it did stands in its claim.
    c_now
    c_till=$((c_ms + ${3%%/*}))
    c_sleep ''
    c_visit "$1" && c_state "$1" "$2"
    case $c_is in alive*) c_till "${3%%/*}"; c_sleep '' ;; esac
  fi
  # The end of the job must not end us now: what has left its group is still to be ended.
  trap '' TERM
  c_l='' c_f=${3#*/}
  [ ! -f "$1.limit.$2" ] || read -r c_l <"$1.limit.$2"
  case $c_l in '' | "$3") c_kill "$1" "$2" "${c_f%%/*}" "limit=${c_f#*/}" ;; esac
}

# c_till MS: when the job was started plus so much, in c_till.
c_till() {
  c_now
  c_till=$((c_t + $1))
  # Nobody sets the uptime.
  [ -z "$c_fast" ] || c_till=$((c_ms - (c_up - c_p0) * 10 + $1))
}

# c_sleep [WATCH]: until c_till. WATCH: not longer than the job lives.
c_sleep() {
  while c_now; [ "$c_ms" -lt "$c_till" ]; do
    c_z=$(((c_till - c_ms) / 1000)) c_v=3600
    if [ -n "$1" ]; then
      c_alive "$c_p" "$c_p0" || exit 0
      c_v=10
    fi
    [ "$c_z" -le "$c_v" ] || c_z=$c_v
    if [ "$c_z" -gt 0 ]; then
      sleep "$c_z" &
      c_sl=$!
      wait "$c_sl"
      c_sl=''
    else
      c_pause
    fi
  done
}

# c_timers JOB ATTEMPT [kill]: is there a timer? With `kill` it ends.
c_timers() {
  [ -f "$1.limit.$2" ] || return
  c_z=1
  while read -r c_v c_d; do
    case $c_v in *[!0-9]*) continue ;; esac
    c_alive "$c_v" "$c_d" || continue
    c_z=0
    [ -z "${3-}" ] || kill "$c_v"
  done <"$1.limit.$2"
  return "$c_z"
}

# cms_limit NUMBER (JOB ATTEMPT LIMIT)...: the time limit of jobs that run is another now; `-`: they have none any more.
cms_limit() {
  c_ask=$1
  shift
  while [ $# -gt 2 ]; do
    if c_visit "$1"; then
      c_state "$1" "$2"
      c_l=''
      [ ! -f "$1.limit.$2" ] || read -r c_l <"$1.limit.$2"
      case $c_is in alive*)
        if [ "$c_l" != "$3" ] || ! c_timers "$1" "$2"; then
          c_timers "$1" "$2" kill
          if [ "$3" = - ]; then ! c_file "$1.limit.$2" || printf '%s\n' - >"$1.limit.$2"; else c_limit "$1" "$2" "$3" 1; fi
        fi
        ;;
      esac
    fi
    shift 3
  done
  cd "$c_here"
  c_say z "$c_ask"
}
