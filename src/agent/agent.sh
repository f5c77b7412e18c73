# The agent: what runs at the far end of a link. POSIX sh (dash, bash, busybox ash), sent on stdin of `sh`, never
# stored.
#
# After this text come requests on the same stdin, each ONE compound statement `{ cms_VERB 'arg' ...\n}\n`: a request
# that is cut off is a syntax error at the end of the input and runs nothing. Nothing here may read stdin. Comment lines
# are left out on the way.
#
# Answers go to stdout (fd 3), written by this shell alone, each line beginning with the link's token. What others have
# to tell (the forked wrappers of jobs, slow requests) they append to the events file, and one `tail -f` sends that on
# stderr (fd 4).
#
# Every name of a variable begins with c_: a job inherits our environment, and an exported name of the user's must not
# change. Set before: c_tok (token), c_dir (experiment directory), c_qid (queue id), c_role (resident, visitor or
# onlooker), c_as (the machine's name, of a node of a Slurm allocation; else empty), c_bare (no launcher; else empty).

c_say() { printf '%s\n' "$c_tok $*" >&3; }
c_event() { printf '%s\n' "$c_mark $* ." >>"$c_ev"; }
# c_apart COMMAND...: for what goes on beside this shell. A redirection at the call would not do: shells keep the old
# descriptor while a function runs, and the link would stay open as long as the job.
c_apart() {
  exec 3>&- </dev/null
  "$@"
}
c_pause() { sleep 0.05 || sleep 1; }
# c_file FILE: may FILE be opened? A job may put a fifo where a log or a claim stood: who opens that waits for ever.
c_file() { [ -f "$1" ] || [ ! -e "$1" ]; }
# c_new FILE: as c_file, for one that is hardly ever there.
c_new() { [ ! -e "$1" ] || [ -f "$1" ]; }

# c_stat PID: state letter in c_st, parent in c_pp, process group in c_pg, start time in c_t0, the pid itself in c_pid.
# A program's name may hold ')' and line breaks.
c_stat() {
  c_s='' c_st='' c_t0=''
  { while read -r c_l; do c_s="$c_s $c_l"; done; } <"/proc/$1/stat" || return 1
  c_pid=${c_s# } c_pid=${c_pid%% *}
  set -- ${c_s##*) }
  [ $# -ge 20 ] || return 1
  c_st=$1 c_pp=$2 c_pg=$3
  shift 19
  c_t0=$1
}

# c_alive PID UNTIL: a pid counts only if its process was started at UNTIL or before, a time (in ticks since the boot)
# at which it was ours: one that got the number later is another. A zombie is dead.
c_alive() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  c_stat "$1" && [ "$c_t0" -le "$2" ] && case $c_st in Z | X) false ;; esac
}

# c_self: our own pid in c_me and a time for c_alive in c_me0, in a fork too, where $$ is not ours. A shell reads
# /proc/PID/stat byte by byte: some 300 calls. Where ticks and uptime are one clock (c_fast, see hello) the uptime will
# do. Leaves the directory.
c_self() {
  if [ -n "$c_fast" ] && cd -P /proc/self; then
    c_me=${PWD##*/}
    c_now
    c_me0=$c_up
  else
    c_stat self
    c_me=$c_pid c_me0=$c_t0
    c_now
  fi
}

# Milliseconds since the epoch in c_ms, without an exec: the clock of hello plus the uptime since then. Ticks since the
# boot in c_up.
c_now() {
  read -r c_u c_l </proc/uptime
  c_up=$((${c_u%.*} * 100 + 1${c_u#*.} - 100))
  c_ms=$((c_base + c_up * 10))
}

# c_ms as a date in c_iso, made once in a second: days to year, month, day by the arithmetic of the Gregorian calendar
# (400 years are 146097 days).
c_date() {
  [ "$c_x" != $((c_ms / 1000)) ] || return 0
  c_x=$((c_ms / 1000)) c_d=$((c_ms / 86400000 + 719468))
  c_e=$((c_d / 146097)) c_o=$((c_d % 146097))
  c_y=$(((c_o - c_o / 1460 + c_o / 36524 - c_o / 146096) / 365))
  c_o=$((c_o - 365 * c_y - c_y / 4 + c_y / 100))
  c_m=$(((5 * c_o + 2) / 153))
  c_d=$((c_o - (153 * c_m + 2) / 5 + 1))
  c_m=$((c_m < 10 ? c_m + 3 : c_m - 9))
  c_y=$((c_y + c_e * 400 + (c_m <= 2)))
  c_two() { c_v=$1; [ "$c_v" -gt 9 ] || c_v=0$c_v; }
  c_iso=$c_y
  c_two $c_m; c_iso=$c_iso-$c_v
  c_two $c_d; c_iso=$c_iso-$c_v
  c_two $((c_x / 3600 % 24)); c_iso=${c_iso}T$c_v
  c_two $((c_x / 60 % 60)); c_iso=$c_iso:$c_v
  c_two $((c_x % 60)); c_iso=$c_iso:${c_v}Z
}

# c_place FILE: where an output or log stands, in c_at. The current directory is the job's.
c_place() {
  case $1 in
  /*) c_at=$1 ;;
  '~/'*) c_at=$HOME/${1#'~/'} ;;
  *) c_at=$c_home/$1 ;;
  esac
}
