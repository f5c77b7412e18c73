# The agent, eighth part: who uses the GPUs. agent.sh says the rules.

# cms_gpus NUMBER: the event G for each process on a GPU: GPU, pid, the attempt whose mark it carries (`-`: none, `?`:
# nobody can see it from here), its memory in MiB; and for each GPU with `-` for the pid: its memory in use. X where
# nobody can say. In the background, as a driver takes its time.
cms_gpus() { c_apart c_gpus "$1" & }
c_gpus() {
  c_ask=$1 c_v=''
  if command -v nvidia-smi; then
    c_x=$(nvidia-smi --query-gpu=index,uuid,memory.used --format=csv,noheader,nounits 2>&1) &&
      c_v=$(nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory --format=csv,noheader,nounits 2>&1) ||
      { c_dumb "nvidia-smi: ${c_v:-$c_x}"; return; }
    printf '%s\n' "$c_x" | while IFS=', ' read -r c_i c_d c_m c_l; do
      c_event G "$c_ask" "$c_i" - - "$c_m"
      printf '%s\n' "$c_v" | while IFS=', ' read -r c_e c_k c_m c_l; do
        [ "$c_e" != "$c_d" ] || c_user "$c_i" "$c_k" "$c_m"
      done
    done
  elif command -v rocm-smi; then
    c_x=$(rocm-smi --showmeminfo vram 2>&1) && c_v=$(rocm-smi --showpidgpus 2>&1) ||
      { c_dumb "rocm-smi: ${c_v:-$c_x}"; return; }
    printf '%s\n' "$c_x" | sed -n 's/^GPU\[\([0-9]*\)\].*Used Memory (B): *\([0-9]*\).*/\1 \2/p' |
      while read -r c_i c_m; do c_event G "$c_ask" "$c_i" - - $((c_m / 1048576)); done
    printf '%s\n' "$c_v" | while read -r c_l; do
      case $c_l in
      'PID '*) c_k=${c_l#PID } c_k=${c_k%% *} ;;
      [0-9]*) for c_i in $c_l; do c_user "$c_i" "$c_k" 0; done ;;
      esac
    done
  else
    c_dumb 'neither nvidia-smi nor rocm-smi is there'
    return
  fi
  c_event Z "$c_ask"
}

# c_user GPU PID MIB
c_user() {
  case $2 in '' | *[!0-9]*) return ;; esac
  c_a=$(c_environ "/proc/$2/environ" | sed -n 's/^CLOUDMESH_JOB=//p')
  case $c_a in '' | *[!0-9a-zA-Z.]*) c_a=- ;; esac
  [ -d "/proc/$2" ] || c_a='?'
  case $3 in '' | *[!0-9]*) set -- "$1" "$2" 0 ;; esac
  c_event G "$c_ask" "$1" "$2" "$c_a" "$3"
}

# c_dumb TEXT: nobody says who uses them; the first line says why.
c_dumb() { c_event X "$c_ask" "${1%%"$c_nl"*}"; }
