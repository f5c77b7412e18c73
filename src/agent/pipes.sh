# The agent, ninth part: pipes between a job and its files. agent.sh says the rules.
#
# A job's output and errors are files, and whoever opens /dev/stderr with > would empty his. A pipe cannot be emptied:
# where the script names one of them, that stream is a pipe, as under ssh, and a fork of the wrapper, which outlives it
# as the job does, adds to the file what comes. Other jobs have nothing of this.

# c_pipes SCRIPT: where the streams of the job lead, in c_o1 and c_o2; who takes from pipes, in c_pour: pids, none
# started after c_pour0. What is opened for append needs no pipe, and a job may count on the order in which it writes
# into a file. Where there can be no pipe the file itself has to do.
c_pipes() {
  c_y=$1 c_z=0
  for c_i in '>>/' '>> /' 'tee -a /'; do
    while [ "$c_z" -lt 100 ]; do
      case $c_y in *"$c_i"*) c_y="${c_y%%"$c_i"*} ${c_y#*"$c_i"}" ;; *) break ;; esac
      c_z=$((c_z + 1))
    done
  done
  case $c_y in */dev/stdout* | */dev/stderr* | */dev/fd/* | */proc/*/fd/*) ;; *) return 0 ;; esac
  command -v cat && command -v mkfifo || return 0
  case $c_y in */dev/stdout* | */fd/*) c_pipe 3 "$c_o1" && c_o1=/proc/self/fd/3 ;; esac
  case $c_y in */dev/stderr* | */fd/*) c_pipe 4 "$c_o2" && c_o2=/proc/self/fd/4 ;; esac
}

# c_pipe FD FILE: makes a pipe and who takes from it. On a full disk that one goes on, with what comes later, so that
# the job does. It ends when nobody holds the pipe any more.
c_pipe() {
  true >>"$2" && [ -f "$2" ] || return
  c_v=$c_own/o.$c_me
  rm -f "$c_v"
  mkfifo "$c_v" && [ -p "$c_v" ] || return
  eval "exec $1<>\"\$c_v\""
  rm -f "$c_v"
  c_v=$(
    {
      exec <"/proc/self/fd/$1" >>"$2" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&-
      until cat; do sleep 1; done
    } &
    printf '%s' "$!"
  )
  c_now
  [ -n "$c_fast" ] || { c_stat "$c_v" && c_up=$c_t0; }
  c_pour="$c_pour $c_v" c_pour0=$c_up
}

# c_drain: waits until the files have what the job wrote. That is so when nobody takes from its pipes any more; or,
# where a process that the job has left holds one, when whoever takes from it waits for more.
c_drain() {
  for c_i in $c_pour; do
    c_z=0 c_y=0
    while [ "$c_z" -lt 100 ] && [ "$c_y" -lt 3 ] && c_alive "$c_i" "$c_pour0"; do
      c_z=$((c_z + 1)) c_v=''
      c_pause
      read -r c_v c_l <"/proc/$c_i/task/$c_i/children"
      if c_stat "${c_v:-0}" && [ "$c_st" = S ]; then c_y=$((c_y + 1)); else c_y=0; fi
    done
  done
}
