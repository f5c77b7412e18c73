# The agent, second part: whose a directory is, and which attempts have been claimed there. agent.sh says the rules.

# Owners. A job's directory is JOB; where that belongs to another queue, it is JOB.QUEUE, beside it. A directory belongs
# to the queue whose claims are in it, and as a claim is made with O_EXCL, to one only (older versions shared them). A
# claim of the same job by another queue is ours, too: the experiment was moved. Every request finds out anew what is
# whose, and touches nothing of another's.

# c_visit JOB: goes into the directory that the job has here, c_home; makes nothing. c_beside: it is JOB.QUEUE.
c_visit() {
  c_home=$c_here/$1.$c_qid c_beside=1
  [ -d "$c_home" ] || c_home=$c_here/$1 c_beside=''
  cd "$c_home"
}

# c_logged JOB ATTEMPT: the end of c_walk where no claim tells whose the directory is. A power cut can take fresh
# claims; then the log counts, which names its attempt. JOB.QUEUE says itself whose it is: its log may be that of a job
# of ours that was replaced. c_old: there is a log.
c_logged() {
  [ -e "$1.log" ] || return 0
  c_old=1
  c_ended "$1.log" ''
  case $c_e4 in '') ;; "${2%.*}".*) c_kin=1 ;; *) [ -n "$c_beside" ] || c_alien=1 ;; esac
}

# c_theirs, after c_walk: does the current directory belong to another queue?
c_theirs() { [ -n "$c_alien" ] && [ -z "$c_kin" ]; }

# c_enter JOB: as c_visit, but makes what is missing.
c_enter() {
  c_visit "$1" || { cms_dirs "$1"; c_visit "$1"; } || return
  # Where JOB is the manager's own, each start takes what stands there by then.
  [ -z "$c_beside" ] || [ -e .cms ] || { { [ -n "$c_keep" ] || c_fill "$1"; } && cd "$c_home" && true >.cms; }
}

# c_next_to JOB ATTEMPT: JOB is another queue's: goes into JOB.QUEUE. Another agent of this queue may have seen JOB free
# just now: it looks for JOB.QUEUE after its claim in JOB, we look for that claim after we made JOB.QUEUE. One of us
# sees the other.
c_next_to() {
  mkdir "$c_here/$1.$c_qid"
  if cd "$c_here/$1"; then
    c_walk "$1" "$2"
    [ -n "$c_alien" ] || rmdir "$c_here/$1.$c_qid"
  fi
  c_enter "$1"
}

# c_wipe FILE: removes what earlier tries have left of it.
c_wipe() { rm -f "$1".[0-9] "$1".[0-9][0-9] "$1".[0-9][0-9][0-9]; }

# c_fill JOB: copies input from JOB, which is another queue's, to JOB.QUEUE, c_home. What a person put into JOB is input
# for both: all that is there but for the program's own files, where JOB is the manager's own directory (c_keep) or was
# not made by us.
c_fill() {
  cd "$c_here/$1" && { [ -n "$c_keep" ] || [ ! -f .cms ]; } || return 0
  for c_i in * .[!.]* ..?*; do
    case $c_i in
    .cms | "$1.run" | "$1.run".* | "$1.kill".* | "$1.limit".*) ;;
    "$1.pid" | "$1.log" | "$1.out" | "$1-nohup.log" | "$1-nohup.log".[0-9]* | "$1.ended") ;;
    *) { [ ! -e "$c_i" ] && [ ! -L "$c_i" ]; } || cp -RP "./$c_i" "$c_home/" || return ;;
    esac
  done
  c_v=$1.run c_l=0
  while [ -e "$c_v" ]; do
    c_read "$c_v"
    for c_at in "$c_here/$1/$c_f" "$c_log" "$c_out"; do
      case $c_at in */../*) ;; "$c_here/$1/"?*) c_at=$c_home/${c_at#"$c_here/$1/"}; rm -f "$c_at"; c_wipe "$c_at" ;; esac
    done
    c_l=$((c_l + 1))
    c_v=$1.run.$c_l
  done
}

# Claims. The claims of a job are a chain of files, JOB.run, JOB.run.1, JOB.run.2 ..., each made with O_EXCL (set -C)
# and never removed but with the job's directory. An attempt starts only by making a link of the chain, and only after
# it has seen that
#   - no link before it is of the same attempt, or of a later attempt of the same job, and
#   - no attempt before it is alive (the dead stay dead). The next link's name follows from those seen, so of several
#   agents that saw the same chain one makes it and the others look again. Hence each attempt stands in the chain at
#   most once, however many agents, stale ones too, ask for it at once, and two attempts never run side by side. (A
#   power cut may empty a fresh link: the manager never repeats a start after a new boot.)
#
# A link: 1. attempt, boot, wrapper's pid and start time, agent's directory, script's name, a full stop; 2. log; 3.
# output; 4. `P pid start ms slot .` when the job runs (no slot in older claims), `R reason` when its start failed, `F`
# when it was forbidden, `F ATTEMPT` where files are put here for ATTEMPT, see cms_locate; 5. `E` when its wrapper is
# done with it and goes on to another job.
c_read() {
  c_a='' c_dot='' c_log='' c_out='' c_k='' c_r='' c_p='' c_p0='' c_t='' c_seat='' c_done=''
  [ -f "$1" ] || return 0
  {
    read -r c_a c_b c_w c_w0 c_q c_f c_dot
    IFS= read -r c_log
    IFS= read -r c_out
    read -r c_k c_r
    read -r c_done
  } <"$1"
  [ "$c_dot" = . ] || c_a=''
  [ "$c_k" = P ] || return 0
  set -- $c_r
  case ${4-}${5-} in
  . | [0-9]*.) c_p=$1 c_p0=$2 c_t=$3 c_seat=${4%.} ;;
  *) c_k='' ;;
  esac
}

# c_away LINK, just read and of another boot: of another machine, and nobody knows its end? Machines that share a home
# see each other's claims. A process over there can not be looked at, but its end is in the log; `.fin`: somebody who
# knew it was gone has written it.
c_away() {
  [ "${c_q##*/}" != "$c_name" ] && [ ! -e "$1.fin" ] || return 1
  c_ended "$c_log" "$c_a"
  case $c_e1 in end | kill | crash) return 1 ;; esac
}

# c_life LINK, just read: is it `claimed` (not yet started), `wrapper` (runs), `orphan` (runs, its wrapper is gone),
# `away` (lives on another machine, for all that can be known here), or `gone`?
c_life() {
  c_life=gone
  [ "$c_k" != F ] && [ "$c_k" != R ] && [ -z "$c_done" ] || return 0
  if [ "$c_b" != "$c_boot" ]; then
    ! c_away "$1" || c_life=away
    return 0
  fi
  if c_alive "$c_w" "$c_w0"; then
    c_life=wrapper
    [ "$c_k" = P ] || c_life=claimed
    return
  fi
  # The wrapper may have gone on between our reading and its end: only what is read now counts.
  c_read "$1"
  if [ -z "$c_k" ]; then
    # It was ended before it could write the job's pid. The job itself can still be known by its mark.
    for c_i in $(c_marked "$c_a"); do
      c_stat "$c_i" && c_now && c_k=P c_p=$c_i c_p0=$c_t0 c_t=$c_ms || continue
      c_seat=$(c_environ "/proc/$c_i/environ" | sed -n 's/^CMS_SLOT=\([0-9]*\)$/\1/p')
      [ "$c_role" = onlooker ] || { c_file "$1" && printf 'P %s %s %s %s .\n' "$c_p" "$c_p0" "$c_t" "$c_seat" >>"$1"; } || continue
      break
    done
  fi
  [ "$c_k" = P ] && c_alive "$c_p" "$c_p0" && c_life=orphan
  return 0
}

# c_environ FILE: one variable a line. A line break in a value is none here: what stands behind it is no variable.
c_environ() { tr '\n\0' ' \n' <"$1"; }

# c_marked ATTEMPT: pids of the processes whose environment carries it.
c_marked() {
  for c_i in $(grep -lF "CLOUDMESH_JOB=$1" /proc/[0-9]*/environ); do
    c_environ "$c_i" | grep -qxF "CLOUDMESH_JOB=$1" || continue
    c_i=${c_i#/proc/}
    printf '%s\n' "${c_i%/environ}"
  done
}

# c_marks: `PID ATTEMPT QUEUE/JOB` of each process that carries the mark of a job.
c_marks() {
  LC_ALL=C grep -szoH '^CLOUDMESH_MARK=.*' /proc/[0-9]*/environ | tr '\0' '\n' |
    sed 's|^/proc/\([0-9]*\)/environ:CLOUDMESH_MARK=|\1 |'
}

# c_runners JOB: the attempts that were started in the current directory, in c_ids: also of jobs of that name that were
# replaced.
c_runners() {
  c_v=$1.run c_n=0 c_ids=' '
  while [ -e "$c_v" ]; do
    c_read "$c_v"
    case $c_k in F | R) ;; *) c_ids="$c_ids$c_a " ;; esac
    c_n=$((c_n + 1))
    c_v=$1.run.$c_n
  done
}

# c_walk JOB ATTEMPT: goes through the chain. c_found: the attempt's link; c_next: the name of the next link; c_last:
# the last of another attempt that was started; c_live: another attempt that runs; c_high: a later one of the same job;
# c_open: the link that is being written; c_after: the attempt that was started after c_found; c_ran: another attempt
# was started here once; c_put: files were put here for an attempt; c_kin, c_alien: there are claims of this queue (or
# job), of others; c_old: see c_logged.
c_walk() {
  c_job=$1 c_found='' c_next=$1.run c_last='' c_live='' c_high='' c_open='' c_after='' c_ran='' c_put='' c_kin='' c_alien='' c_old='' c_n=0
  while [ -e "$c_next" ]; do
    c_read "$c_next"
    case $c_a:$c_q in
    :*) ;;
    "${2%.*}".*:* | *":$c_qid/"*) c_kin=1 ;;
    *) c_alien=1 ;;
    esac
    if [ -z "$c_a" ]; then
      # Empty: just being made; or its write failed, or was given up (.no); or it is older than the first hello of this
      # boot.
      [ -e "$c_next.no" ] || [ "$c_next" -ot "$c_own/boot" ] || c_open=$c_next
    elif [ "$c_a" = "$2" ]; then
      c_found=$c_next
    else
      [ "${c_a%.*}" = "${2%.*}" ] && [ "${c_a##*.}" -gt "${2##*.}" ] && c_high=$c_a
      c_life "$c_next"
      [ "$c_life" = gone ] || c_live=$c_a
      case $c_k in
      F) [ -z "$c_r" ] || c_put=1 ;;
      R) ;;
      *) c_ran=1 c_last=$c_next; [ -z "$c_found" ] || c_after=$c_a ;;
      esac
    fi
    c_n=$((c_n + 1))
    c_next=$1.run.$c_n
  done
  [ -n "$c_kin$c_alien" ] || c_logged "$1" "$2"
}

# c_claim JOB ATTEMPT PID START FILE LOG OUT [LINE4]: tries to make c_next. c_won: 1, empty (somebody else did), or
# `full`.
c_claim() {
  c_won=''
  set -C
  {
    c_won=1
    printf '%s %s %s %s %s %s .\n%s\n%s\n%s' "$2" "$c_boot" "$3" "$4" "$c_tag" "$5" "$6" "$7" "${8-}" || c_won=full
  } >"$c_next"
  set +C
}

# c_allow FILE: is it no permission that keeps us from writing FILE? One that a job took from its directory or from a
# file of ours comes back. False where it does not.
c_allow() {
  c_v=${1%/*}
  [ -x "$c_v" ] || chmod u+x "$c_v"
  if [ -e "$1" ]; then
    [ -r "$1" ] && [ -w "$1" ] || chmod u+rw "$1"
    [ -w "$1" ]
  else
    [ -w "$c_v" ] || chmod u+w "$c_v"
    [ -w "$c_v" ]
  fi
}

# c_same JOB: are we still in the job's directory? If not, it was moved away to be removed, with what was claimed in it:
# we go into the one that stands there now. c_y counts these moves.
c_same() {
  [ . -ef "$c_home" ] && return
  c_y=$((c_y + 1))
  c_enter "$1" || c_y=100
  return 1
}

# c_stays JOB, after a claim: as c_same; and no other agent of this queue has made JOB.QUEUE meanwhile. If one has, the
# claim is void, and we go there.
c_stays() {
  c_same "$1" || return
  [ -z "$c_beside" ] && [ -d "$c_here/$1.$c_qid" ] || return 0
  [ -z "$c_won" ] || ! c_file "$c_next" || printf 'R %s\n' 'its directory is another' >>"$c_next"
  c_y=$((c_y + 1))
  c_enter "$1" || c_y=100
  return 1
}

# c_ended LOG ATTEMPT: the last state of a log in c_e1, exit code in c_e2, last date in c_e3, `limit=TEXT` in c_e5 where
# a time limit ended it. After a power cut it may be that of an earlier attempt: then it says nothing.
c_ended() {
  c_e1='' c_e2='-' c_e3='-' c_e4='' c_e5=''
  [ -f "$1" ] || return 0
  while read -r c_l; do
    case $c_l in
    '# cloudmesh state: '*) c_e1=${c_l#*: } ;;
    '# exit: '*) c_e2=${c_l#*: } ;;
    '# date: '*) c_e3=${c_l#*: } ;;
    '# attempt: '*) c_e4=${c_l#*: } ;;
    '# time limit: '*) c_e5=limit=${c_l#*: } ;;
    esac
  done <"$1"
  case $c_e4 in '' | "$2") ;; *) c_e1='' c_e2='-' c_e3='-' c_e5='' ;; esac
}

# c_close LINK, just read: writes the end that no wrapper wrote; the first who comes does it, but no onlooker. The state
# in c_e1.
c_close() {
  c_e1=crash c_e2='-' c_e5='' c_won=''
  [ ! -e "$c_job.kill.$c_a" ] || { c_e1=kill; [ ! -f "$c_job.kill.$c_a" ] || read -r c_e5 <"$c_job.kill.$c_a"; }
  [ "$c_role" != onlooker ] && [ ! -e "$1.fin" ] || return 0
  set -C
  { c_won=1; } >"$1.fin"
  set +C
  [ -n "$c_won" ] && c_file "$c_log" || return 0
  c_now
  c_date
  printf '# date: %s\n%s# cloudmesh state: %s\n' "$c_iso" "${c_e5:+# time limit: ${c_e5#limit=}$c_nl}" "$c_e1" >>"$c_log"
}

# c_state JOB ATTEMPT: in c_is. The current directory is the job's. Life is looked at before the log: the other way
# round a job that ends between the two looks dead.
c_state() {
  c_walk "$1" "$2"
  if [ -z "$c_found" ]; then
    c_is=none
    ! c_theirs || return 0
    [ -z "$c_high" ] || c_is="other $c_high 0"
    [ -z "$c_live" ] || c_is="other $c_live 1"
    [ -z "$c_open" ] || c_is=claimed
    return
  fi
  c_read "$c_found"
  case $c_k in
  F) c_is=forbidden; return ;;
  R) c_is="forbidden $c_r"; return ;;
  esac
  # The log is that of the last attempt that was started, and tells nothing of those before.
  if [ -n "$c_after" ]; then
    c_is="other $c_after 0"
    [ -z "$c_live" ] || c_is="other $c_live 1"
    return
  fi
  c_life "$c_found"
  case $c_life in
  claimed) c_is=claimed ;;
  away) c_is="away ${c_q##*/}" ;;
  wrapper) c_is="alive $c_p $c_t 0${c_seat:+ s=$c_seat}" ;;
  orphan) c_is="alive $c_p $c_t 1${c_seat:+ s=$c_seat}" ;;
  gone)
    c_e1='' c_e5=''
    [ "$c_k" != P ] || c_ended "$c_log" "$2"
    if [ -e "$c_next" ]; then
      # Another attempt came while we looked, and the log may be its own.
      c_state "$1" "$2"
      return
    fi
    case $c_e1 in end | kill | crash) ;; *) c_close "$c_found" ;; esac
    c_is="ended $c_e1 $c_e2 ${c_t:--} $c_e3${c_e5:+ $c_e5}"
    ;;
  esac
}
