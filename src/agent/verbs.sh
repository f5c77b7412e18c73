# The agent, fifth part: what else a link may ask for. agent.sh says the rules.

# c_watch JOB ATTEMPT LINK: reports the end of a job whose wrapper is gone, writes to another events file, or is on
# another machine (then only while the agent is there). Looks once a second.
c_watch() {
  c_stat self
  ! c_file "$3.watch" || printf '%s %s %s\n' "$c_pid" "$c_t0" "$c_tag" >"$3.watch"
  while c_read "$3"; c_life "$3"; [ "$c_life" != gone ]; do
    if [ "$c_life" = away ]; then
      [ -e "$3" ] && c_alive $$ "$c_me0" || return
    fi
    sleep 1
  done
  c_state "$1" "$2"
  c_now
  case $c_is in ended*) c_is=${c_is#* } ;; *) c_is='crash - -' c_e5='' ;; esac
  c_e1=${c_is%% *} c_is=${c_is#* }
  c_event E "$1" "$2" "$c_e1" "${c_is%% *}" "$c_ms${c_e5:+ $c_e5}"
}

# c_regain JOB ATTEMPT, whose claim somebody has removed, perhaps with the directory. A job that runs is known by its
# mark, and gets a claim anew, whose wrapper is its parent; one that is over is known by its log.
c_regain() {
  c_y=''
  for c_i in $(c_marked "$2"); do
    c_stat "$c_i" && [ "$c_pid" = "$c_pg" ] && case $c_st in Z | X) false ;; esac && c_y=$c_i && break
  done
  if [ -z "$c_y" ]; then
    [ -n "$c_old" ] && c_ended "$1.log" "$2" && [ "$c_e4" = "$2" ] || return 0
    case $c_e1 in end | kill | crash) c_is="ended $c_e1 $c_e2 - $c_e3${c_e5:+ $c_e5}" ;; esac
    return
  fi
  c_now
  [ -z "$c_fast" ] || c_ms=$((c_base + c_t0 * 10))
  c_seat=$(c_environ "/proc/$c_y/environ" | sed -n 's/^CMS_SLOT=\([0-9]*\)$/\1/p')
  c_is="alive $c_y $c_ms 0${c_seat:+ s=$c_seat}"
  [ "$c_role" != onlooker ] || return 0
  set -- "$1" "$2" - - "P $c_y $c_t0 $c_ms $c_seat ."
  [ "$c_pp" -gt 1 ] && [ "/proc/$c_pp/exe" -ef "/proc/$$/exe" ] && c_stat "$c_pp" && set -- "$1" "$2" "$c_pid" "$c_t0" "$5"
  c_enter "$1" && c_walk "$1" "$2" || return 0
  ! c_theirs || return 0
  # The job may have started, with a claim of its own, after we looked for one.
  [ -n "$c_found$c_open" ] || c_claim "$1" "$2" "$3" "$4" - "$c_home/$1.log" "$c_home/$1.out" "$5$c_nl"
  c_state "$1" "$2"
}

# cms_ask NUMBER (JOB ATTEMPT)...
cms_ask() {
  c_ask=$1 c_z=0
  shift
  while [ $# -gt 1 ]; do
    c_is=none c_old=''
    ! c_visit "$1" || c_state "$1" "$2"
    [ "$c_is" != none ] || c_regain "$1" "$2"
    c_v=''
    case $c_role/$c_is in
    resident/alive*' 0' | resident/alive*' 0 s='*) [ "$c_q" = "$c_tag" ] || c_v=1 ;;
    resident/alive* | resident/away*) c_v=1 ;;
    esac
    if [ -n "$c_v" ]; then
      c_v='' c_d='' c_l=''
      [ ! -f "$c_found.watch" ] || read -r c_v c_d c_l <"$c_found.watch"
      [ "$c_l" = "$c_tag" ] && c_alive "$c_v" "$c_d" || c_apart c_watch "$1" "$2" "$c_found" &
    fi
    case $c_is in alive* | ended*) [ -z "$c_beside" ] || c_is="$c_is @${c_home##*/}" ;; esac
    c_say a "$c_ask" "$c_z" "$c_is"
    c_z=$((c_z + 1))
    shift 2
  done
  cd "$c_here"
  c_say z "$c_ask"
}

# cms_forbid NUMBER (JOB ATTEMPT)...: as cms_ask, after a claim of those that have none; f/ATTEMPT says so to wrappers.
# A link that stays empty for a second is that of a wrapper that was ended in this very moment, and is given up.
cms_forbid() {
  c_ask=$1
  shift
  c_z=$#
  while [ "$c_z" -gt 1 ]; do
    if c_enter "$1"; then
      c_tries=0 c_y=0
      while c_walk "$1" "$2"; [ -z "$c_found" ]; do
        if [ -n "$c_alien" ]; then
          c_y=$((c_y + 1))
          [ "$c_y" -lt 20 ] && c_next_to "$1" "$2" || break
        elif [ -n "$c_open" ]; then
          c_tries=$((c_tries + 1))
          [ "$c_tries" -ge 20 ] || { c_pause; c_same "$1"; continue; }
          c_give_up "$c_open" && [ "$c_tries" -lt 40 ] || break
        else
          c_claim "$1" "$2" - - - - - F
          c_stays "$1" || { [ "$c_y" -ge 20 ] || continue; break; }
          [ -z "$c_won" ] || true >"$c_own/f/$2"
          [ -z "$c_won" ] && [ -e "$c_next" ] || break
        fi
      done
    fi
    set -- "$@" "$1" "$2"
    shift 2
    c_z=$((c_z - 2))
  done
  cms_ask "$c_ask" "$@"
}

# c_group SIGNAL: to the job's process group, unless its number belongs to somebody else by now.
c_group() {
  ! c_stat "$c_p" || [ "$c_t0" -le "$c_p0" ] || return 1
  kill "-$1" "-$c_p"
}

# c_crowd: is anybody alive in the job's group? Zombies, which some machines keep for a while, are not.
c_crowd() {
  c_group 0 || return 1
  for c_i in "/proc/$c_p" /proc/[0-9]*; do
    c_stat "${c_i#/proc/}" && [ "$c_pg" = "$c_p" ] && case $c_st in Z | X) false ;; esac && return 0
  done
  return 1
}

# c_kill JOB ATTEMPT GRACE [WHY]: TERM to the group; KILL to it, to the session, and to all that carry the job's mark;
# then its log.
c_kill() {
  c_z=0 c_is=none c_old=''
  while c_visit "$1" && c_state "$1" "$2"; [ "$c_is" = claimed ] && [ "$c_z" -lt 100 ]; do
    c_z=$((c_z + 1))
    c_pause
  done
  [ "$c_is" != none ] || c_regain "$1" "$2"
  case $c_is in alive*) ;; *) return ;; esac
  # A moment after its start it may not have its session yet, and no signal to the group would reach it.
  c_z=0
  while [ "$c_z" -lt 40 ] && c_stat "$c_p" && [ "$c_pg" != "$c_p" ] && [ "$c_st" != Z ]; do
    c_z=$((c_z + 1))
    c_pause
  done
  # Before the first signal: the wrapper tells by it a kill of ours from a crash. The first who ends it says why.
  [ -e "$1.kill.$2" ] || printf '%s\n' "${4-}" >"$1.kill.$2" || { c_allow "./$1.kill.$2" && printf '%s\n' "${4-}" >"$1.kill.$2"; }
  c_group TERM
  c_now
  c_till=$((c_ms + $3))
  while [ "$c_ms" -lt "$c_till" ] && c_crowd; do
    c_pause
    c_now
  done
  c_group KILL
  ! c_stat "$c_p" || [ "$c_t0" -le "$c_p0" ] && pkill -KILL -s "$c_p"
  c_z=0
  while [ "$c_z" -lt 20 ] && c_v=$(c_marked "$2") && [ -n "$c_v" ]; do
    kill -KILL $c_v
    c_z=$((c_z + 1))
    c_pause
  done
  c_z=0
  while [ "$c_z" -lt 200 ] && c_read "$c_found" && { { [ -z "$c_done" ] && c_alive "$c_w" "$c_w0"; } || c_alive "$c_p" "$c_p0"; }; do
    c_z=$((c_z + 1))
    c_pause
  done
  c_state "$1" "$2"
}

# cms_kill NUMBER GRACE (JOB ATTEMPT)...: side by side and in the background; the event Z says that all are done.
cms_kill() { c_apart c_kills "$@" & }
c_kills() {
  c_ask=$1 c_grace=$2
  shift 2
  while [ $# -gt 1 ]; do
    c_kill "$1" "$2" "$c_grace" &
    shift 2
  done
  wait
  c_event Z "$c_ask"
}

# cms_shared NUMBER FILE: is FILE, which the manager has just made in its own experiment directory, in ours? Then both
# are the same, and what is not ours in the directories JOB is a person's. (In JOB.QUEUE that is a copy, or a result.)
cms_shared() {
  if [ -e "$c_here/$2" ]; then
    c_keep=1
    c_say z "$1"
  else
    c_say n "$1"
  fi
}

# cms_locate NUMBER (JOB ATTEMPT)...: makes the directories and names them: files are about to be put there for these
# attempts. A claim that never starts, of a number that no attempt has, says so: it makes each directory this queue's,
# and a removal that was asked for earlier leaves it. As the removal, too, takes the next link first, one of the two
# sees the other.
cms_locate() {
  c_ask=$1 c_z=0
  shift
  while [ $# -gt 1 ]; do
    c_y=0 c_tries=0 c_won=''
    c_enter "$1" || c_y=100
    while [ "$c_y" -lt 20 ]; do
      c_walk "$1" "$2"
      c_held=$c_found
      [ -z "$c_put" ] || [ -n "$c_held" ] || c_files "$1" "$2"
      if [ -n "$c_alien" ]; then
        c_y=$((c_y + 1))
        c_next_to "$1" "$2" || c_y=100
      elif [ -n "$c_open" ] && [ "$c_tries" -lt 20 ]; then
        c_tries=$((c_tries + 1))
        c_pause
        c_same "$1"
      elif [ -n "$c_held" ]; then
        break
      else
        c_claim "$1" "${2%.*}.0" - - - - - "F $2"
        c_stays "$1" || continue
        [ "$c_won" != full ] && [ -e "$c_next" ] || c_y=100
        [ "$c_won" != full ] || c_give_up "$c_next"
        # Somebody else has made a link, which may be that of a removal.
        [ -n "$c_won" ] || c_tries=0
      fi
    done
    [ "$c_y" -ge 20 ] || c_say w "$c_ask" "$c_z" "${c_home##*/}"
    c_z=$((c_z + 1))
    shift 2
  done
  cd "$c_here"
  c_say z "$c_ask"
}

# cms_marks NUMBER: which processes carry the marks of jobs.
cms_marks() {
  c_marks | sed "s/^/$c_tok m $1 /" >&3
  c_say z "$1"
}

# cms_read NUMBER JOB ATTEMPT FILE SIZE [FROM]: the last SIZE bytes of a file, or SIZE bytes after the first FROM, in
# base64 (od where there is none), in lines of the answer. Of a directory that is another queue's, nothing.
cms_read() {
  c_alien=''
  c_visit "$2" && c_walk "$2" "$3"
  cd "$c_here"
  c_job=$2
  set -- "$1" "$2" "$4" "$5" "${6-}"
  c_place "$3"
  case $c_at in "$c_home/"*) ! c_theirs || c_at='' ;; esac
  if [ ! -f "$c_at" ]; then
    c_say n "$1"
  elif [ ! -r "$c_at" ]; then
    c_say x "$1" "cannot read $c_at"
  elif [ "$4" -gt 65536 ] && command -v base64 && command -v fold && command -v tr; then
    # Long lines, as each costs the manager as much as a thousand bytes. fold keeps groups of four whole.
    { c_part "$4" "$5" | base64 | tr -d '\n'; echo; } | fold -w 6000 | sed "s/^/$c_tok b $1 /" >&3
    c_say z "$1"
  elif command -v base64; then
    c_part "$4" "$5" | base64 | sed "s/^/$c_tok b $1 /" >&3
    c_say z "$1"
  else
    c_part "$4" "$5" | od -An -v -tx1 | sed "s/^/$c_tok h $1 /" >&3
    c_say z "$1"
  fi
}

# c_part SIZE FROM: that part of the file c_at.
c_part() {
  case $2 in
  '') tail -c "$1" "$c_at" </dev/null ;;
  *) tail -c "+$(($2 + 1))" "$c_at" </dev/null | head -c "$1" ;;
  esac
}

# cms_ping NUMBER: an answer says that requests are carried out and that events can arrive.
cms_ping() {
  [ -w "$c_ev" ] && c_alive "$c_tail" "$c_tail0" || exit 0
  jobs
  c_say p "$1"
}

# cms_dirs JOB...: makes the directories that are not there, with one mkdir, and marks them as made by us. They are
# nobody's until there is a claim.
cms_dirs() {
  # Somebody removed our directory: no event could arrive. A new agent makes it anew.
  [ -e "$c_ev" ] || exit 0
  for c_job do
    shift
    [ -d "$c_here/$c_job" ] || [ -d "$c_here/$c_job.$c_qid" ] || set -- "$@" "$c_here/$c_job"
  done
  [ $# -gt 0 ] || return 0
  mkdir "$@"
  for c_at do
    [ ! -d "$c_at" ] || true >"$c_at/.cms"
  done
}

# c_bare DIRECTORY: was it made by us, and is nothing in it but the mark?
c_bare() {
  for c_at in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    case $c_at in "$1/.cms") ;; *) [ ! -e "$c_at" ] && [ ! -L "$c_at" ] || return 1 ;; esac
  done
  [ -f "$1/.cms" ]
}

# cms_undirs JOB...: removes what cms_dirs made and nobody has used. As c_remove does: the first link of the chain keeps
# everybody else out, then the directory is moved away whole. Nobody sees it without its mark, as if it were a person's.
cms_undirs() {
  set -C
  for c_job do
    shift
    c_won=''
    ! c_bare "$c_here/$c_job" || { c_won=1; } >"$c_here/$c_job/$c_job.run" || c_won=''
    [ -z "$c_won" ] || set -- "$@" "$c_here/$c_job"
  done
  set +C
  c_v=$c_own/x.$$.$c_me0
  [ $# -gt 0 ] && mkdir "$c_v" && mv "$@" "$c_v" || return 0
  set -- "$c_v"/*
  for c_at do
    shift
    set -- "$@" "$c_at/.cms" "$c_at/${c_at##*/}.run"
  done
  rm -f "$@"
  rmdir "$c_v"/*
  for c_at in "$c_v"/*; do
    [ -d "$c_at" ] || continue
    # A claim of who was about to start here, and goes elsewhere; or what a person has just put there.
    rm -f "$c_at/${c_at##*/}".run*
    rmdir "$c_at" || { true >"$c_at/.cms" && mv "$c_at" "$c_here"; }
  done
  rmdir "$c_v"
}
