# The agent, third part: the start of jobs and their wrappers. agent.sh says the rules.

# c_cause FILE: why FILE cannot be written, in c_why.
c_cause() {
  c_file "$1" || { c_why="cannot write $1: it is no regular file"; return; }
  c_why=$({ true >>"$1"; } 2>&1)
  c_why=${c_why##*: }
  c_why="cannot write $1: ${c_why:-no space left on the device}"
}

# c_refuse JOB ATTEMPT REASON [LINK]: nothing was started, and this attempt never will be.
c_refuse() {
  [ -z "${4-}" ] || { c_file "$4" && printf 'R %s\n' "$3" >>"$4"; } || c_give_up "$4"
  c_event "R$c_plus" "$1" "$2" "$3"
}

# c_give_up LINK: nobody waits for this claim any more.
c_give_up() { c_file "$1.no" && true >"$1.no"; }

# c_useless JOB ATTEMPT: it has no directory here.
c_useless() {
  c_why=$(mkdir "$c_home" 2>&1)
  c_refuse "$1" "$2" "cannot use the directory $c_home: ${c_why##*: }"
}

# c_off JOB ATTEMPT: was it forbidden? The claim that says so may be gone with the directory before a wrapper, or the
# ticket of a backlog, has its turn.
c_off() {
  [ -e "$c_own/f/$2" ] || return
  c_event "N$c_plus" "$1" "$2" forbidden
  return 0
}

# c_empty FILE: files of jobs are opened for append, so that all who write into them add to them.
c_empty() { [ ! -s "$1" ] || true >"$1"; }

# c_heed: bash on the end of a child. Only now its list of jobs says how that ended.
c_heed() {
  [ -z "$c_rc" ] || return 0
  wait "$!"
  c_rc=$?
  [ "$c_rc" -le 128 ] || c_how=$(jobs -l)
}

# c_wait: waits for the job c_p. Its exit code in c_rc; c_cut is set if a signal ended it. `wait` gives 128+n for a
# signal and for the job's own code alike. The shell's list of jobs tells them apart: there an exit has its code. The
# pipe of a here-document holds that list, so that no file is needed. (A fork has no list of its own.)
c_wait() {
  wait "$c_p"
  c_z=$? c_cut=''
  c_rc=${c_rc:-$c_z}
  [ "$c_rc" -gt 128 ] && [ "$c_rc" -le 192 ] || return 0
  [ -n "$c_bash" ] || {
    jobs -l >/proc/self/fd/9
    while read -r c_l; do c_how="$c_how $c_l$c_nl"; done <&9
  } 9<<X
X
  c_how=${c_how#*" $c_p "}
  case ${c_how%%"$c_nl"*} in *"$c_rc"*) ;; *) c_cut=1 ;; esac
}

# c_run JOB ATTEMPT SHELL OUTPUT LOG GPU SCRIPT [LIMIT [VARIABLES [WORKDIR [TRY]]]]: a job's wrapper, a fork of the
# agent without an exec. VARIABLES are quoted words of `export`, CMS_SLOT last; TRY is the earlier try whose files are
# here. It holds nothing of the link. Its four phases take these words. Where a phase returns 1 the attempt ends there,
# and an event says why. src/simulation/wrapper.ts has the same phases.
c_run() { c_take "$@" && c_lay_out "$@" && c_launch "$@" && c_finish "$@"; }

# c_take: the job's directory, and the claim in it.
c_take() {
  c_job=$1 c_why='' c_limited=${8--}
  [ -n "$c_plus" ] || case ${9-} in *CMS_SLOT=*) c_slot=${9##*CMS_SLOT=} ;; *) c_slot='' ;; esac
  c_off "$1" "$2" && return 1
  # A wrapper of a backlog knows who it is since its first job, and the time since the end of the last.
  [ -n "$c_mine" ] || c_self
  c_mine=1
  # It may just have been moved away, to be removed.
  if ! c_enter "$1"; then
    c_useless "$1" "$2"
    return 1
  fi
  c_script=$1.${3##*/}
  c_z=0 c_y=0
  while :; do
    c_off "$1" "$2" && return 1
    c_walk "$1" "$2"
    if [ -n "$c_alien" ] && [ -z "$c_found" ]; then
      c_y=$((c_y + 1))
      [ "$c_y" -lt 20 ] && c_next_to "$1" "$2" && continue
      c_useless "$1" "$2"
      return 1
    fi
    if [ -n "$c_open" ] && [ "$c_z" -lt 20 ]; then
      c_z=$((c_z + 1))
      c_pause
      c_same "$1"
      continue
    fi
    if [ -n "$c_found$c_open" ]; then
      c_state "$1" "$2"
      case $c_is in
      'forbidden '*) c_event "R$c_plus" "$1" "$2" "${c_is#* }" ;;
      *) c_event "N$c_plus" "$1" "$2" "$c_is" ;;
      esac
      return 1
    fi
    [ -z "$c_high" ] || c_why="a later attempt ($c_high) was there before"
    [ -z "$c_live" ] || c_why="another attempt of the job runs there ($c_live)"
    c_place "$4"; c_to=$c_at
    c_place "$5"; c_into=$c_at
    case $4$5 in *"$c_nl"*) c_why='the name of an output or log file has a line break' c_to=$c_job.out c_into=$c_job.log ;; esac
    c_claim "$1" "$2" "$c_me" "$c_me0" "$c_script" "$c_into" "$c_to" "${c_why:+R $c_why}"
    if c_stays "$1"; then
      [ -z "$c_won" ] || break
    elif [ "$c_y" -lt 20 ]; then
      continue
    fi
    if [ ! -e "$c_next" ] || [ "$c_y" -ge 20 ]; then
      c_cause "$c_next"
      c_refuse "$1" "$2" "$c_why"
      return 1
    fi
  done
  if [ "$c_won" = full ]; then
    c_give_up "$c_next"
    c_event "R$c_plus" "$1" "$2" "cannot write $c_next: no space left on the device"
    return 1
  fi
  if [ -n "$c_why" ]; then
    c_event "R$c_plus" "$1" "$2" "$c_why"
    return 1
  fi
  # Somebody took us for dead while the claim was empty, see cms_forbid. We wrote it before we look, they mark it before
  # they look again: one of us sees the other.
  if [ -e "$c_next.no" ]; then
    c_refuse "$1" "$2" 'its claim took too long' "$c_next"
    return 1
  fi
}

# c_aside JOB TRY: what an earlier try wrote stays, as FILE.TRY.
c_aside() {
  for c_at in "$c_into" "$1-nohup.log" "$c_to"; do
    [ ! -f "$c_at" ] || [ -e "$c_at.$2" ] || mv "$c_at" "$c_at.$2"
  done
}

# c_lay_out: the script and the log.
c_lay_out() {
  # The log is ours now: nobody may write the end of an earlier attempt into it.
  [ -z "$c_last" ] || [ -e "$c_last.fin" ] || true >"$c_last.fin"
  [ -z "$c_beside" ] || c_event D "$1" "$2" "${c_home##*/}"
  # Where there were no claims c_walk has looked for the log of that name.
  case $c_kin$c_alien:$c_into in :"$c_home/$1.log") ;; *) [ ! -e "$c_into" ] || c_old=1 ;; esac
  [ -z "$c_ran$c_old" ] || c_event U "$1" "$2"
  [ "$c_shell" = "$3" ] || { c_path=$(command -v "$3") && c_shell=$3 || c_shell=''; }
  if [ "$c_shell" != "$3" ]; then
    c_refuse "$1" "$2" "there is no shell \"$3\"" "$c_next"
    return 1
  fi
  for c_at in "$c_to" "$c_into"; do
    c_v=${c_at%/*}
    [ "$c_v" = "$c_home" ] || [ -d "$c_v/" ] || mkdir -p "$c_v/"
  done
  # What may be no file but /dev/null is the output alone.
  for c_at in "$c_script" "$c_into" "$1-nohup.log" "$c_to"; do
    c_new "$c_at" || [ "$c_at:$c_to" = /dev/null:/dev/null ] || {
      c_cause "$c_at"
      c_refuse "$1" "$2" "$c_why" "$c_next"
      return 1
    }
  done
  if [ -n "$c_beside" ] && [ -n "$c_keep" ] && ! c_why=$(c_fill "$1" 2>&1); then
    c_refuse "$1" "$2" "cannot copy the input files to $c_home: ${c_why##*: }" "$c_next"
    return 1
  fi
  c_wd=${10-}
  if [ -n "$c_wd" ]; then
    case $c_wd in
    /*) ;;
    '~' | '~/'*) c_wd=$HOME${c_wd#'~'} ;;
    *) c_wd=$HOME/$c_wd ;;
    esac
    if ! c_why=$({ { [ -d "$c_wd/" ] || mkdir -p "$c_wd"; } && cd "$c_wd"; } 2>&1); then
      c_refuse "$1" "$2" "cannot use the workdir $c_wd: ${c_why##*: }" "$c_next"
      return 1
    fi
  fi
  [ -z "${11-}" ] || c_aside "$1" "${11}"
  # Marks of an earlier attempt would give this one a wrong end.
  [ "$c_n" -eq 0 ] || for c_at in "$1.kill".* "$1.limit".*; do
    [ ! -e "$c_at" ] || rm -f "$c_at"
  done
  c_date
  c_at=$c_script
  if ! { printf '%s' "$7" >"$c_at" && c_at=$c_into &&
    printf '# cloudmesh state: start\n# date: %s\n# attempt: %s\n' "$c_iso" "$2" >"$c_at" &&
    c_at=$1-nohup.log && c_empty "$c_at" && c_at=$c_to && c_empty "$c_at"; }; then
    c_cause "$c_at"
    c_refuse "$1" "$2" "$c_why" "$c_next"
    return 1
  fi
}

# c_launch: the job's process, its pid, the claim's last line, the event.
c_launch() {
  # Before the job: whoever is killed in between, no job runs without its limit.
  [ "$c_limited" = - ] || { c_p0='' && c_limit "$1" "$2" "$c_limited"; }
  c_o1=$c_to c_o2=$1-nohup.log c_pour=''
  case $7 in */dev/std* | */dev/fd/* | */proc/*/fd/*) c_pipes "$7" ;; esac
  c_rc='' c_how=''
  [ -z "$c_bash" ] || trap c_heed CHLD
  # Neither the launcher nor setsid makes a process of its own here: $! is the job, its process group and its session.
  # Its stdin is /dev/null, see c_apart.
  {
    {
      trap - INT QUIT
      CLOUDMESH_JOB=$2 CLOUDMESH_MARK="$2 $c_qid/$1" CMS_JOB=$1 CMS_ATTEMPT=${2##*.}
      export CLOUDMESH_JOB CLOUDMESH_MARK CMS_JOB CMS_ATTEMPT
      # Here and not before the fork: a wrapper of a backlog runs one job after the other.
      [ -z "${9-}" ] || eval "export $9"
      [ -z "$c_plus" ] || export CMS_SLOT="$c_slot"
      case $6 in =*) export "CUDA_VISIBLE_DEVICES=${6#=}" ;; esac
      [ -z "$c_wd" ] || { cd "$c_wd" && c_script=$c_home/$c_script; } || exit 126
      [ -z "$c_pour" ] || exec 3>&- 4>&-
      case $c_path in
      */*) [ ! -x "$c_go" ] || exec "$c_go" "$c_path" "$c_script" 5>&- 6>&- 7>&- 8>&- ;;
      esac
      # A locale of the job's own stays.
      case ${c_quick:+C}${LC_ALL+own} in
      C) export LC_ALL=C ;;
      C?*) c_plain=${c_plain% -u LC_ALL} ;;
      esac
      exec "$c_setsid" $c_plain "$c_path" "$c_script" 5>&- 6>&- 7>&- 8>&-
    } &
  } >>"$c_o1" 2>>"$c_o2" && c_at=''
  [ -z "$c_pour" ] || exec 3>&- 4>&-
  [ -z "$c_at" ] || ! true >>"$c_at" || c_at=$1-nohup.log
  if [ -n "$c_at" ]; then
    [ "$c_limited" = - ] || c_timers "$1" "$2" kill
    c_cause "$c_at"
    c_refuse "$1" "$2" "$c_why" "$c_next"
    return 1
  fi
  c_p=$!
  c_now
  if [ -n "$c_fast" ]; then
    c_t0=$c_up
  else
    # Some shells collect a child as soon as it has ended; 0 is nobody's start time, so that it counts as dead.
    c_stat "$c_p" || c_t0=0
  fi
  # By now the job may have put fifos in place of these.
  ! c_file "$c_next" || printf 'P %s %s %s %s .\n' "$c_p" "$c_t0" "$c_ms" "$c_slot" >>"$c_next"
  ! c_new "$1.pid" || printf '%s\n' "$c_p" >"$1.pid"
  c_event B "$1" "$2" "$c_p" "$c_ms" $c_slot
  return 0
}

# c_linger: where Slurm ends an allocation it signals us as well as the job, one by one, and the starter ends us before
# all else. So who is still here a moment later knows that the end was the job's own; else nothing is said of it, and
# its reason is what Slurm says of the allocation.
c_linger() { if [ -n "$c_cut" ]; then sleep 3; else sleep 0.3 || sleep 1; fi; }

# c_finish: waits for the end. The log comes before the event, so that whoever asks after a broken link finds in the log
# what the event would have said.
c_finish() {
  c_wait
  [ -z "$c_pour" ] || c_drain
  c_e1=end c_e5=''
  if [ -e "$1.kill.$2" ]; then
    c_e1=kill
    [ ! -f "$1.kill.$2" ] || read -r c_e5 <"$1.kill.$2"
  elif [ -n "$c_cut" ]; then
    c_e1=crash
  fi
  [ "$c_limited" = - ] || [ -n "$c_e5" ] || c_timers "$1" "$2" kill
  c_now
  c_date
  [ -n "$c_e5" ] || [ -e "$1.kill.$2" ] || [ "$c_rc" -eq 0 ] || [ -z "${CMS_ALLOCATION-}" ] || c_linger
  # A full disk must not cost a job its end: for an hour it is tried again, while the directory is there. Where it is
  # for want of a right, or the job has put something else in place of its log, the event alone reports the end.
  c_z=0
  c_e4=${c_e5:+# time limit: ${c_e5#limit=}$c_nl}
  until ! c_file "$c_into" || printf '# date: %s\n# exit: %s\n%s# cloudmesh state: %s\n' "$c_iso" "$c_rc" "$c_e4" "$c_e1" >>"$c_into"; do
    [ -d "${c_into%/*}/" ] && [ "$c_z" -lt 720 ] && c_allow "$c_into" || break
    [ "$c_z" -eq 0 ] || sleep 5
    c_z=$((c_z + 1))
  done
  # This wrapper may live on, with another job.
  [ -z "$c_plus" ] || ! c_file "$c_next" || printf 'E\n' >>"$c_next" || { c_allow "./$c_next" && printf 'E\n' >>"$c_next"; }
  c_event "E$c_plus" "$1" "$2" "$c_e1" "$c_rc" "$c_ms${c_e5:+ $c_e5}"
}

# cms_start: see c_run. What all wrappers need alike is found out here, now and then: the date of this second, and where
# the shell is (a path spares each start the search). The shell's table of jobs is emptied now and then (`jobs` forgets
# those that ended).
cms_start() {
  c_ready "$3"
  c_apart c_run "$@" &
}

c_ready() {
  [ $((c_count % 8)) -ne 0 ] || c_now
  c_date
  [ "$c_shell" = "$1" ] || { c_path=$(command -v "$1") && c_shell=$1 || c_shell=''; }
  c_count=$((c_count + 1))
  [ $((c_count % 64)) -ne 0 ] || jobs
}
