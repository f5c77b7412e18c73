# The agent, fourth part: backlogs. agent.sh says the rules.
#
# A prefetched job waits here for a slot as a ticket of a backlog: a file with the call that runs it. Tickets are let in
# in order, as many as there are free slots. A wrapper that is done with a job of a backlog takes the next ticket
# itself, with no fork, after its last event, which a `+` marks. Where there is none, the slot is free again. So there
# are never more jobs of a backlog at once than slots were put in, whoever counts wrongly. A wrapper that is killed
# takes its slot with it: the manager sees no `+`, and ends the backlog.
#
# A backlog is a descriptor from 5 to 8 and a directory with: l, a fifo that holds one empty line, which whoever changes
# the state takes out and puts back; s, the state, one line: next ticket to be let in, next ticket to be given out, the
# numbers of free slots; 0 to 127, tickets, each written over the one before it of that number: a `return` keeps what is
# left of that from being read; on, until nobody is to be let in any more.
#
# Slots have numbers, which the manager gives, and a wrapper has one, c_slot: who is let in has that of whoever was
# done.

# c_backlog NUMBER: its directory, in c_ld. Here and below the descriptors stand one by one: a shell takes no variable
# for them, and eval costs more.
c_backlog() {
  case $1 in
  5) c_ld=$c_own/t.$$.5.$c_epoch5 ;;
  6) c_ld=$c_own/t.$$.6.$c_epoch6 ;;
  7) c_ld=$c_own/t.$$.7.$c_epoch7 ;;
  8) c_ld=$c_own/t.$$.8.$c_epoch8 ;;
  esac
}
c_lock() {
  case $1 in
  5) read -r c_l <&5 ;;
  6) read -r c_l <&6 ;;
  7) read -r c_l <&7 ;;
  8) read -r c_l <&8 ;;
  esac && read -r c_ln c_li c_lf <"$c_ld/s"
}
c_unlock() {
  printf '%s %s %s\n' "$c_ln" "$c_li" "$c_lf" 1<>"$c_ld/s"
  case $1 in
  5) printf '\n' >&5 ;;
  6) printf '\n' >&6 ;;
  7) printf '\n' >&7 ;;
  8) printf '\n' >&8 ;;
  esac
}
# c_pass: gives the slot c_slot to the first that waits, under the lock: its number in c_lk. Else the slot is free.
c_pass() {
  if [ "$c_ln" -lt "$c_li" ]; then
    c_lk=$((c_ln % 128)) c_ln=$((c_ln + 1))
  else
    c_lk='' c_lf="$c_slot $c_lf"
  fi
}

# c_chain [CALL]: a wrapper of the backlog c_fd: CALL, or the ticket c_lk, and then one ticket after the other.
c_chain() {
  c_plus=+
  if [ $# -gt 0 ]; then eval "$1"; else . "$c_ld/$c_lk"; fi
  while [ -e "$c_ld/on" ] && c_lock "$c_fd"; do
    c_pass
    c_unlock "$c_fd"
    [ -n "$c_lk" ] && [ -e "$c_ld/on" ] || return
    . "$c_ld/$c_lk"
  done
}

# c_over: no job of the backlog in c_ld starts any more. Its agent is this one, or dead, perhaps in the middle of
# something: nothing is waited for.
c_over() {
  [ -e "$c_ld/on" ] || return 0
  rm -f "$c_ld/on"
  # Whoever waits for the lock of somebody who is dead.
  printf '\n' 1<>"$c_ld/l"
}

# c_sweep: removes backlogs that are over.
c_sweep() {
  for c_ld in "$c_own"/t.*; do
    [ ! -d "$c_ld" ] || [ -e "$c_ld/on" ] || rm -rf "$c_ld"
  done
}

# cms_backlog NUMBER =SLOTS: a new backlog with these free slots; +SLOTS: these too; -: over. Where there can be none,
# the event Q says so.
cms_backlog() {
  c_fd=$1
  case $2 in
  -)
    c_backlog "$1"
    c_over
    eval "exec $1>&-"
    ;;
  +*)
    c_backlog "$1"
    for c_slot in ${2#+}; do
      c_lock "$1" || break
      c_pass
      c_unlock "$1"
      if [ -n "$c_lk" ]; then c_apart c_chain & fi
    done
    ;;
  *)
    c_backlog "$1"
    c_over
    c_sweep
    eval "c_epoch$1=\$((c_epoch$1 + 1))"
    c_backlog "$1"
    c_ln=0 c_li=0 c_lf=${2#=}
    if mkdir "$c_ld" && mkfifo "$c_ld/l" && [ -p "$c_ld/l" ] && true >"$c_ld/s" && true >"$c_ld/on"; then
      set -- "$c_ld/l"
      eval "exec $c_fd<>\"\$1\""
      c_unlock "$c_fd"
    else
      rm -rf "$c_ld"
      c_event Q "$c_fd" -
    fi
    ;;
  esac
}

# cms_queue NUMBER JOB ATTEMPT CALL: cms_start for a job that takes its turn in a backlog; CALL is the call of c_run.
cms_queue() {
  c_ready "$c_shell"
  c_fd=$1 c_lk=''
  c_backlog "$c_fd"
  c_lock "$c_fd" || return
  if [ -n "$c_lf" ]; then
    c_slot=${c_lf%% *} c_lf=${c_lf#"$c_slot"} c_lf=${c_lf# } c_ln=$((c_ln + 1)) c_li=$((c_li + 1))
    c_unlock "$c_fd"
    c_apart c_chain "$4" &
  elif [ $((c_li - c_ln)) -lt 128 ] && printf '%s\nreturn\n' "$4" 1<>"$c_ld/$((c_li % 128))"; then
    c_li=$((c_li + 1))
    c_unlock "$c_fd"
  else
    c_unlock "$c_fd"
    c_refuse "$2" "$3" "cannot write in $c_ld: no space left on the device"
  fi
}
