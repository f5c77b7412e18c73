# The agent, last part: hello and begin. Sent last, followed by the request `{ cms_hello\n}`. To a resident agent `{
# cms_begin\n}` is sent when its hello is here, with what it is to do first: another link may lead to the same
# machine, and nothing of that one is touched before.

# c_need LASTING TEXT: says what is missing and ends.
c_need() {
  c_say need "$1" "$2"
  exit 0
}

# c_denied TEXT PATH: ends with what could not be done, why, and, where that is a permission, whose the path is.
c_denied() {
  c_x=$2
  case $c_why in
  *[Dd]enied* | *'not permitted'*)
    while [ ! -e "$c_x" ] && [ "${c_x%/*}" != "$c_x" ]; do c_x=${c_x%/*}; done
    c_v=$(ls -ld "${c_x:-/}") && set -- "$1" $c_v && [ $# -gt 4 ] && c_why="$c_why (${c_x:-/} belongs to $4)"
    ;;
  esac
  c_need 0 "$1: ${c_why:-no space left on the device?}"
}

# c_put TEXT FILE: writes a line into a file of ours, or ends with the reason why it cannot.
c_put() {
  printf '%s\n' "$1" >"$2" && return
  c_why=$({ printf '%s\n' "$1" >"$2"; } 2>&1)
  # A write that fails says too little in some shells.
  case ${c_why##*: } in *[Dd]enied | *'not permitted'* | [Rr]ead-only*) c_why=${c_why##*: } ;; *) c_why='' ;; esac
  c_denied "cannot write in $c_own" "$2"
}

# c_tools: every program that we call; the first that is missing in c_why.
c_tools() {
  c_why=''
  for c_i in setsid tail mkdir rmdir rm mv date sleep grep tr sed; do
    command -v "$c_i" || { c_why=$c_i; return 1; }
  done
}

# c_replace: ends the resident agent before us, of a half-open link, and its tail. Its jobs and their wrappers go on.
c_replace() {
  [ -e "$c_own/agent" ] || return 0
  read -r c_v c_d c_x c_y c_b c_l <"$c_own/agent"
  [ "$c_l" = . ] && [ "$c_b" = "$c_boot" ] || return 0
  c_alive "$c_v" "$c_d" && kill -KILL "$c_v"
  c_alive "$c_x" "$c_y" && kill -KILL "$c_x"
  c_z=0
  while [ "$c_z" -lt 40 ] && c_alive "$c_v" "$c_d"; do
    c_z=$((c_z + 1))
    c_pause
  done
}

# c_plainly: how a job is started whose signals are as a login's, in c_plain. Shells let what runs beside them ignore
# SIGINT and SIGQUIT (bits 1 and 2). Some can undo that, as a job's start tries; else env can, unless it is busybox's.
# Without a locale (c_quick) setsid and env need look for none, which is more than half of their work; env then takes
# that variable out again. With a launcher (launch.sh) none of this is needed, but it may be gone one day.
c_plainly() {
  c_plain='' c_quick='' c_bash=${BASH_VERSION:+1}
  # Else the end of a child interrupts wait.
  [ -z "$c_bash" ] || set +o posix
  c_launcher
  c_heard && return
  c_i=$(command -v env)
  case $c_i in *[!A-Za-z0-9/._+-]*) c_i=env ;; esac
  c_plain="$c_i --default-signal=INT,QUIT"
  [ -n "${LC_ALL+1}" ] || c_quick=1 c_plain="$c_plain -u LC_ALL"
  c_heard || c_plain='' c_quick=''
}
c_heard() {
  case $({ trap - INT QUIT; exec $c_plain grep '^SigIgn:' /proc/self/status; } & wait) in *[0189]) ;; *) false ;; esac
}

cms_hello() {
  exec 3>&1 4>&2 >/dev/null 2>&1
  # A banner may have ended in the middle of a line.
  printf '\n' >&3
  unset IFS
  set +e +u
  c_keep='' c_count=0 c_base=0 c_x='' c_fast='' c_shell='' c_path='' c_plus='' c_slot='' c_mine=''
  c_epoch5=0 c_epoch6=0 c_epoch7=0 c_epoch8=0
  c_nl='
'
  [ "$((4194304 * 4194304))" = 17592186044416 ] || c_need 1 'its sh counts with 32 bits'
  [ -r /proc/self/stat ] && [ -r /proc/uptime ] || c_need 1 'it has no /proc (hosts are Linux machines)'
  # Logins without a terminal sometimes get a PATH with next to nothing on it.
  c_tools || PATH=${PATH:-/usr/bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
  c_tools || c_need 1 "it has no program \"$c_why\""
  c_setsid=$(command -v setsid)
  case $c_dir in
  /*) c_here=$c_dir ;;
  .) c_here=$HOME ;;
  *) c_here=$HOME/$c_dir ;;
  esac
  read -r c_boot </proc/sys/kernel/random/boot_id || c_need 1 'it does not tell its boot id'
  c_stat 1 || c_t0=0
  # Containers that were started in the same moment differ by their namespace of processes.
  c_x=$(ls -l /proc/self/ns/pid)
  c_x=${c_x##*[} c_x=${c_x%]*}
  case $c_x in '' | *[!0-9]*) c_x=0 ;; esac
  c_boot=$c_boot.$c_t0.$c_x
  c_host=localhost
  read -r c_host </proc/sys/kernel/hostname
  case $c_host in '' | .* | *[!A-Za-z0-9._-]*) c_host=localhost ;; esac
  # What a machine is, over its boots: its host name, and a part of its machine-id where it has one. Machines that share
  # a home directory must not share an events file: each has its own directory, by this name.
  c_x='' c_name=$c_host
  read -r c_x </etc/machine-id
  case $c_x in *[!0-9a-f]*) ;; ????????*) c_name=$c_host+${c_x%"${c_x#????????}"} ;; esac
  # A node of a Slurm allocation goes by the manager's name for it, and its boot is the allocation. When that is over,
  # a shell elsewhere stands for it, which has another boot.
  if [ -n "$c_as" ]; then
    [ -n "${CMS_ALLOCATION-}" ] || c_need 1 'its shell is in no allocation'
    c_name=$c_as c_boot=slurm-$CMS_ALLOCATION
  fi
  c_tag=$c_qid/$c_name
  c_own=$c_here/.cms/$c_tag
  if [ "$c_role" = onlooker ]; then
    cd "$c_here" || cd /
  else
    c_why=$(mkdir -p "$c_own" 2>&1) || { c_why=${c_why##*: }; c_denied "cannot make $c_own" "$c_own"; }
    cd "$c_here" || c_need 0 "cannot use $c_here"
    [ -w "$c_own" ] || { c_why='Permission denied'; c_denied "cannot write in $c_own" "$c_own"; }
    # Takes a block of the disk, as the events file will.
    [ "$c_role" = visitor ] || c_put '' "$c_own/room"
  fi
  # Others end nobody's agent: they begin at once, and say hello when they have.
  if [ "$c_role" = resident ]; then c_greet; else cms_begin && c_greet; fi
}
c_greet() {
  c_say hello 1 "$c_name/$c_boot" "$c_host" "$(id -un || printf '%s\n' "${LOGNAME:-unknown}")" "$(pwd -P)"
}

cms_begin() {
  c_x=$(date '+%s %N')
  c_now
  case ${c_x#* } in
  [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]) c_f=${c_x#* } c_f=1${c_f%??????} ;;
  *) c_f=1000 ;;
  esac
  c_base=$((${c_x%% *} * 1000 + c_f - 1000 - c_ms))
  # Written once in a boot, before any claim of this boot is made: see c_walk.
  c_x=''
  set -- "$c_own"/f/*
  [ $# -lt 4096 ] || [ "$c_role" = onlooker ] || rm -rf "$c_own/f"
  [ -d "$c_own/f" ] || [ "$c_role" = onlooker ] || mkdir "$c_own/f"
  [ ! -e "$c_own/boot" ] || read -r c_x <"$c_own/boot"
  [ "$c_x" = "$c_boot" ] || [ "$c_role" = onlooker ] || c_put "$c_boot" "$c_own/boot"
  c_stat $$
  c_me0=$c_t0 c_mark=@$c_qid c_ev=$c_own/events
  # Events of visitors that are gone, and input files whose copy was ended.
  for c_i in "$c_own"/[vi].*; do
    c_x=${c_i##*/[vi].}
    [ ! -e "$c_i" ] || [ "$c_role" = onlooker ] || c_alive "${c_x%.*}" "${c_x#*.}" || rm -rf "$c_i"
  done
  case $c_role in
  resident)
    c_replace
    # Lines of an agent that could not end them itself.
    for c_ld in "$c_own"/t.*; do c_over; done
    c_sweep
    ;;
  visitor) c_ev=$c_own/v.$$.$c_me0 ;;
  *) c_ev=/dev/null ;; # An onlooker changes nothing here, and has no events.
  esac
  # Nothing is lost with the old events: the manager asks about what it has in flight after hello, and ends are in the
  # logs. The line is noise. It takes a block of the disk now: were that full, a request whose end is an event would
  # wait for ever.
  c_put '' "$c_ev"
  # What came on this stream before (banners, ssh's own words) is not the agent's.
  printf '\n%s\n' "$c_tok" >&4
  c_now
  c_o=$c_up
  tail -c +1 -f "$c_ev" 3>&- </dev/null >&4 &
  c_tail=$!
  exec 4>&-
  c_stat "$c_tail"
  c_tail0=$c_t0
  c_now
  # In some containers the uptime is the container's and the start times of processes are the machine's.
  [ "$c_o" -gt "$c_tail0" ] || [ "$c_tail0" -gt "$c_up" ] || c_fast=1
  if [ "$c_role" = resident ]; then
    c_plainly
    trap 'kill "$c_tail"; for c_ld in "$c_own/t.$$."*; do c_over; done' EXIT
    c_put "$$ $c_me0 $c_tail $c_tail0 $c_boot ." "$c_own/agent"
  elif [ "$c_role" = visitor ]; then
    trap 'kill "$c_tail"; rm -f "$c_ev"' EXIT
  else
    trap 'kill "$c_tail"' EXIT
  fi
  # Directories that an agent was about to remove when it ended.
  for c_i in "$c_own"/x.*; do
    [ -e "$c_i" ] && [ "$c_role" != onlooker ] || continue
    c_x=${c_i##*/x.}
    c_v=${c_x#*.}
    c_alive "${c_x%%.*}" "${c_v%%.*}" || c_apart rm -rf "$c_i" &
  done
}
