# The agent, sixth part: the removal of directories. agent.sh says the rules.

# cms_remove NUMBER (JOB ATTEMPT)...: in the background; an event V for each, then Z. Nobody who asked for it is there
# to hear of it when the agent has ended: the rest is left alone.
cms_remove() { c_apart c_removes "$@" & }
c_removes() {
  c_ask=$1 c_rm=0
  shift
  c_left=$(c_marks)
  while [ $# -gt 1 ] && c_alive $$ "$c_me0"; do
    c_remove "$1" "$2"
    c_event V "$c_ask" "$c_rm" "$c_is"
    c_rm=$((c_rm + 1))
    shift 2
  done
  c_event Z "$c_ask"
}

# c_foreign JOB ATTEMPT: was an attempt of another job started here?
c_foreign() {
  c_v=$1.run c_n=0
  while [ -e "$c_v" ]; do
    c_read "$c_v"
    case $c_k in F | R) ;; *) [ -z "$c_a" ] || [ "${c_a%.*}" = "${2%.*}" ] || return 0 ;; esac
    c_n=$((c_n + 1))
    c_v=$1.run.$c_n
  done
  return 1
}

# c_files JOB ATTEMPT: for whom files were put here. c_held: for ATTEMPT; c_due: for a later attempt of the job, or for
# another job since the last claim of this one.
c_files() {
  c_v=$1.run c_l=0 c_held='' c_due='' c_o=''
  while [ -e "$c_v" ]; do
    c_read "$c_v"
    if [ "$c_k" != F ]; then
      [ "${c_a%.*}" != "${2%.*}" ] || c_o=''
    elif [ -z "$c_r" ]; then
      :
    elif [ "${c_r%.*}" != "${2%.*}" ]; then
      c_o=$c_r
    elif [ "${c_r##*.}" -gt "${2##*.}" ]; then
      c_due=$c_r
    else
      c_o=''
      [ "$c_r" != "$2" ] || c_held=1
    fi
    c_l=$((c_l + 1))
    c_v=$1.run.$c_l
  done
  c_due=$c_due$c_o
}

# c_ours JOB: is all that stands here ours?
c_ours() {
  c_v=$1.run c_n=0 c_o=$c_nl
  while [ -e "$c_v" ]; do
    c_read "$c_v"
    c_o=$c_o$c_f$c_nl${c_log#"$c_home/"}$c_nl${c_out#"$c_home/"}$c_nl
    c_n=$((c_n + 1))
    c_v=$1.run.$c_n
  done
  for c_i in * .[!.]* ..?*; do
    case $c_i in .cms | "$1.pid" | "$1-nohup.log" | "$1-nohup.log".[0-9]* | "$1.kill".* | "$1.limit".* | "$1.run" | "$1.run".*) continue ;; esac
    case $c_o in *"$c_nl$c_i$c_nl"*) continue ;; esac
    # Of an earlier try.
    case $c_i in *.[0-9] | *.[0-9][0-9] | *.[0-9][0-9][0-9]) case $c_o in *"$c_nl${c_i%.*}$c_nl"*) continue ;; esac ;; esac
    [ ! -e "$c_i" ] && [ ! -L "$c_i" ] || return 1
  done
}

# c_reap ATTEMPT: ends what this attempt of its job, those before it, and those in c_ids have left running: TERM, after
# a second KILL. The marks that stood there when the removal began spare all other jobs the search.
c_reap() {
  c_v=''
  for c_i in $c_ids; do
    case $c_left in *" $c_i "*) c_v=+ ;; esac
  done
  case $c_v$c_left in +* | *" ${1%.*}."*) ;; *) return ;; esac
  c_z=0 c_y=TERM
  while [ "$c_z" -lt 60 ]; do
    c_v=$(c_marks | while read -r c_i c_l c_d; do
      case $c_ids in
      *" $c_l "*) ;;
      *) [ "${c_l%.*}" = "${1%.*}" ] && [ "${c_l##*.}" -le "${1##*.}" ] || continue ;;
      esac
      printf '%s\n' "$c_i"
    done)
    [ -n "$c_v" ] || return 0
    [ "$c_z" -lt 20 ] || c_y=KILL
    [ "$c_z" -gt 0 ] && [ "$c_z" -lt 20 ] || kill "-$c_y" $c_v
    c_z=$((c_z + 1))
    c_pause
  done
}

# c_remove JOB ATTEMPT: the directory, unless it is another queue's, or something later than ATTEMPT was started there,
# or is about to be, with files that were put there for it: by now it is that one's. Phases as in
# src/simulation/helpers.ts. c_is says what came of it.
c_remove() {
  c_is=absent c_z=0 c_ids=''
  c_visit "$1" || { if [ -d "$c_home" ]; then c_is=kept; else c_reap "$2"; fi; return 0; }
  c_is=kept
  { [ -r . ] && [ -w . ]; } || [ ! -f .cms ] || chmod u+rw .
  c_seal "$1" "$2" || return 0
  [ -z "$c_left" ] || c_runners "$1"
  c_reap "$2"
  c_clear "$1" "$2"
}

# c_seal JOB ATTEMPT: takes the next link, so that nothing starts there any more. Who waits for the link then goes to a
# new directory.
c_seal() {
  while :; do
    # Somebody else removes it.
    [ . -ef "$c_home" ] || return 1
    c_walk "$1" "$2"
    if c_theirs; then
      c_is=absent
      c_reap "$2"
      return 1
    fi
    # Shared with another queue, as older versions had it.
    [ -z "$c_alien" ] || return 1
    if [ -n "$c_open" ]; then
      c_z=$((c_z + 1))
      [ "$c_z" -ge 20 ] || { c_pause; continue; }
      # Its wrapper refuses then, if it is there still.
      c_give_up "$c_open" && [ "$c_z" -lt 40 ] || return 1
      continue
    fi
    c_life=gone
    [ -z "$c_found" ] || { c_read "$c_found"; c_life "$c_found"; }
    if [ "$c_life" != gone ]; then
      c_is=alive
      [ "$c_life" != away ] || c_is=away
      return 1
    fi
    if [ -n "$c_high$c_after" ]; then
      c_is=later
      return 1
    fi
    if [ -n "$c_live" ]; then
      c_is=alive
      return 1
    fi
    # What a link leads to is somebody else's, also what lies there of ours.
    [ ! -L "$c_home" ] || return 1
    c_due=''
    [ -z "$c_put" ] || c_files "$1" "$2"
    if [ -n "$c_due" ] || { [ -z "$c_found" ] && c_foreign "$1" "$2"; }; then
      c_is=later
      return 1
    fi
    set -C
    c_won=''
    { c_won=1; } >"$c_next"
    set +C
    # On a full disk no link can be made, and nothing starts.
    [ -z "$c_won" ] && [ -e "$c_next" ] || return 0
  done
}

# c_clear JOB ATTEMPT: moves the directory away at once, and removes it.
c_clear() {
  [ . -ef "$c_home" ] || return 0
  # Who had to wait for our link for too long has put files here.
  c_v=${c_next#"$1.run"}
  if [ -e "$1.run.$((${c_v#.} + 1))" ] && c_files "$1" "$2" && [ -n "$c_due" ]; then
    c_give_up "$c_next"
    c_is=later
    return
  fi
  c_at=''
  [ ! -f .cms ] || c_at=.cms
  if [ -n "$c_at" ] && { [ -z "$c_keep" ] || [ -n "$c_beside" ] || c_ours "$1"; }; then
    c_v=$c_own/x.$$.$c_me0.$c_ask.$c_rm
    if cd "$c_here" && mv "./${c_home##*/}" "$c_v"; then
      c_is=removed
      # A start that was waiting may just have made its claim there.
      rm -rf "$c_v" || { chmod -R u+rwx "$c_v"; rm -rf "$c_v"; }
    else
      rm -f "$c_home/$c_next"
    fi
  else
    # Not made by us: only what we put there. A mark that was not there is that of an agent that has just made it.
    [ -z "$c_at" ] || rm -f .cms
    c_v=$1.run c_n=0
    while [ -e "$c_v" ]; do
      c_read "$c_v"
      for c_at in "$c_home/$c_f" "$c_log" "$c_out"; do
        case $c_at in
        */../*) ;;
        "$c_home/"?*) [ ! -f "$c_at" ] || rm -f "$c_at"; c_wipe "$c_at" ;;
        esac
      done
      c_n=$((c_n + 1))
      c_v=$1.run.$c_n
    done
    c_wipe "$1-nohup.log"
    rm -f "$1.pid" "$1-nohup.log" "$1.kill".* "$1.limit".* "$1.run" "$1.run".*
  fi
}
