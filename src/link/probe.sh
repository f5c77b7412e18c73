# What `cluster check` asks of a machine: POSIX sh, sent on stdin of `sh`, never stored. Requests come on that stdin,
# each ONE compound statement; answers are lines that begin with the token. It leaves nothing: the one file that it
# makes goes when its shell ends. Variables begin with c_, as those of the agent do.

c_say() { printf '%s\n' "$c_tok $*"; }

# c_lacks PROGRAM...: those that are missing, in c_v.
c_lacks() {
  c_v=''
  for c_i; do command -v "$c_i" >/dev/null || c_v="$c_v $c_i"; done
  [ -n "$c_v" ]
}

# cms_probe TOKEN DIRECTORY NUMBER: all that this machine can say by itself.
cms_probe() {
  c_tok=$1 c_here=$2
  # A banner may have ended in the middle of a line.
  printf '\n'
  c_say here
  # The agent looks there too, where the login's PATH has too little.
  c_need='setsid tail mkdir rmdir rm mv date sleep grep tr sed'
  c_lacks $c_need && PATH=${PATH:-/usr/bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
  c_say clock "$(date '+%s.%N' 2>/dev/null)"
  c_lacks $c_need && c_say missing $c_v
  c_lacks tar && c_say missing_for_input $c_v
  [ -r /proc/self/stat ] && [ -r /proc/uptime ] || c_say no_proc
  c_boot='' c_host=''
  read -r c_boot </proc/sys/kernel/random/boot_id
  read -r c_host </proc/sys/kernel/hostname
  c_say machine "$c_host/$c_boot"
  c_say login "${SHELL:-}"
  c_say shell "$(readlink /proc/$$/exe 2>/dev/null)"
  case $c_here in
  /*) ;;
  .) c_here=$HOME ;;
  *) c_here=$HOME/$c_here ;;
  esac
  # What is not made yet would be made there.
  c_d=$c_here
  while [ ! -d "$c_d" ] && [ -n "${c_d%/*}" ] && [ "${c_d%/*}" != "$c_d" ]; do c_d=${c_d%/*}; done
  [ -d "$c_d" ] || c_d=/
  c_mine=$c_d/.cms-check.$c_tok.$3
  trap 'rm -f "$c_mine"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  c_v=$({ printf 'x\n' >"$c_mine"; } 2>&1)
  [ -s "$c_mine" ] || c_say unwritable "$c_d ${c_v##*: }"
  c_v=$(df -Pk "$c_d" 2>/dev/null | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9][0-9]*% .*/\1/p')
  c_say room "$c_v"
  for c_i in "$c_here"/.cms/*/; do
    [ -d "$c_i" ] || continue
    c_v=${c_i%/} c_x=0
    for c_v in "$c_v"/*/agent; do
      [ -f "$c_v" ] || continue
      c_p=''
      read -r c_p c_rest <"$c_v"
      case $c_rest in *"$c_boot"*) [ ! -d "/proc/$c_p" ] || c_x=1 ;; esac
    done
    c_i=${c_i%/}
    c_say queue "${c_i##*/}" "$c_x"
  done
  # Last: it may take long, and hangs where its driver does.
  if ! command -v nvidia-smi >/dev/null && command -v rocm-smi >/dev/null; then
    rocm-smi --showid 2>/dev/null </dev/null | sed -n 's/^GPU\[\([0-9]*\)\].*/\1/p' | sort -un |
      while IFS= read -r c_v; do c_say gpu "AMD GPU $c_v"; done
  elif command -v nvidia-smi >/dev/null; then
    nvidia-smi -L 2>/dev/null </dev/null | grep '^GPU ' | while IFS= read -r c_v; do c_say gpu "${c_v%% (UUID*}"; done
  else
    for c_i in /dev/nvidia[0-9]*; do [ ! -e "$c_i" ] || c_say gpu "${c_i#/dev/}"; done
  fi
  c_say told
}

# cms_look: whose files stand beside ours? Those machines share this directory.
cms_look() {
  for c_i in "$c_d/.cms-check.$c_tok".*; do [ ! -e "$c_i" ] || c_say sees "${c_i##*.}"; done
  c_say looked
}
