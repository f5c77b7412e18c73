# The starter: what an allocation runs, on each of its nodes. It plays sshd: it begins a shell for each link that
# knocks, outside the step of that link, and ends what runs there when the allocation does. POSIX
# sh (dash, bash, busybox ash).
# Set before: c_role (batch, node or keep), c_dir (experiment directory), c_body (this text, but for a keeper).
#
# In DIRECTORY/.cms/slurm, which the login host may share: JOB.NODE/at, where the fifos are; JOB.NODE/closing, made when
# Slurm says that the end is near; JOB.NODE/fence, made by who must know that nothing runs here any more;
# JOB.NODE.ended, written when nothing does; JOB.NODE.booted, when the node was booted since the allocation began there,
# written by who finds that: the next starter there, or a link. The fifos are the node's own.
#
# Nothing that is a job carries a variable of ours but CMS_ALLOCATION (job, restarts, start), which is how all that
# belongs to the allocation is found: an agent, its wrappers, and jobs, which carry the mark of their attempt as well.

# Seconds between TERM and KILL. Slurm waits 30 by default before it kills us.
c_grace=8

c_pause() { sleep 0.1 || sleep 1; }

# c_ours: pids of what belongs to the allocation: jobs in c_w, what serves them in c_v.
c_ours() {
  c_v='' c_w=''
  c_all=$(grep -lsF "CMS_ALLOCATION=$c_id" /proc/[0-9]*/environ 2>/dev/null)
  [ -n "$c_all" ] || return 0
  c_jobs=" $(echo $(grep -lsF CLOUDMESH_MARK= $c_all 2>/dev/null)) "
  for c_i in $c_all; do
    c_p=${c_i#/proc/} c_p=${c_p%/environ}
    case $c_jobs in *" $c_i "*) c_w="$c_w $c_p" ;; *) c_v="$c_v $c_p" ;; esac
  done
}

# c_finish SECONDS: ends all of it. What serves jobs goes first: no job starts any more, and no wrapper takes the end
# that comes now for the job's own. Then the note.
c_finish() {
  c_z=0
  while c_ours; [ -n "$c_v" ] && [ "$c_z" -lt 50 ]; do
    kill -KILL $c_v
    c_z=$((c_z + 1))
    c_pause
  done
  [ -z "$c_w" ] || { kill -TERM $c_w; kill -CONT $c_w; }
  c_z=0
  while [ "$c_z" -lt $(($1 * 10)) ]; do
    c_ours
    [ -n "$c_v$c_w" ] || break
    c_z=$((c_z + 1))
    c_pause
  done
  c_z=0
  while c_ours; [ -n "$c_v$c_w" ] && [ "$c_z" -lt 100 ]; do
    kill -KILL $c_v $c_w
    c_z=$((c_z + 1))
    c_pause
  done
  [ -n "$c_v$c_w" ] || printf '%s\n' "$c_id" >"$c_mine.ended"
  rm -rf "$c_mine" "$c_place"
} 2>/dev/null

# What a link's shell does before it is one. Its ends are opened as relay.sh says.
c_begin='cd
exec 4<>"$1/in" 5<>"$1/out" 6<>"$1/err" && exec <"$1/in" >"$1/out" 2>"$1/err" || exit 1
echo
exec 4>&- 5>&- 6>&-
exec sh'

# c_door: begins a shell for each that knocks.
c_door() {
  trap - TERM HUP
  trap : USR1
  exec 8>&-
  while read -r c_l <&9; do
    case $c_l in '' | *[!A-Za-z0-9._-]*) continue ;; esac
    CMS_ALLOCATION=$c_id setsid sh -c "$c_begin" cms "$c_place/$c_l" 9>&- </dev/null >/dev/null 2>&1 &
    # Those that have ended are forgotten.
    jobs >/dev/null
  done
}

# c_sweep: what allocations have left here that could not end themselves, and old notes.
c_sweep() {
  for c_i in "$c_marks"/*."$SLURMD_NODENAME"/at; do
    { IFS= read -r c_l && read -r c_p c_v; } 2>/dev/null <"$c_i" || continue
    [ -n "$c_v" ] && [ -n "$c_boot" ] || continue
    if [ "$c_v" != "$c_boot" ]; then true >"${c_i%/at}.booted"; elif kill -0 "$c_p" 2>/dev/null; then continue; fi
    [ ! -p "$c_l/knock" ] || rm -rf "$c_l"
    rm -rf "${c_i%/at}"
  done
  find "$c_marks" \( -name '*.ended' -o -name '*.booted' \) -mtime +1 -exec rm -f {} + 2>/dev/null
}

# c_tell: says to all runs that no more jobs are taken, by the events of their agents here.
c_tell() {
  for c_i in "${c_marks%/slurm}"/*/"$SLURMD_NODENAME.$SLURM_JOB_ID".slurm*/events; do
    [ -f "$c_i" ] || continue
    c_v=${c_i%/*/events}
    printf '@%s L .\n' "${c_v##*/}" >>"$c_i"
  done
} 2>/dev/null

# c_serve: on each node.
c_serve() {
  c_over='' c_s=''
  trap 'c_over=1; [ -z "$c_s" ] || kill "$c_s"' TERM
  trap 'true >"$c_mine/closing"; [ -z "$c_s" ] || kill "$c_s"' USR1
  trap : HUP
  read -r c_boot </proc/sys/kernel/random/boot_id
  # What another of this id may have left.
  rm -rf "$c_mine" "$c_mine.ended" "$c_mine.booted"
  mkdir -p "$c_mine" || exit 1
  c_place=$(mktemp -d "${TMPDIR:-/tmp}/cms.XXXXXX") && mkfifo "$c_place/knock" "$c_place/life" || exit 1
  c_sweep
  exec 9<>"$c_place/knock"
  # The keeper ends all when this shell is killed before it could. Slurm does not know it: it is not in our tree.
  printf '%s\n' 'c_role=keep c_dir=$1 c_id=$2 c_place=$3' "$c_body" >"$c_place/keeper" || exit 1
  (setsid sh "$c_place/keeper" "$c_dir" "$c_id" "$c_place" 9>&- </dev/null >/dev/null 2>&1 &)
  exec 8>"$c_place/life"
  c_door &
  c_doorman=$!
  echo "$c_doorman" >"$c_place/door"
  exec 9>&-
  printf '%s\n' "$c_place" "$$ $c_boot" >"$c_mine/at.new" && mv "$c_mine/at.new" "$c_mine/at"
  while [ -z "$c_over" ] && [ ! -e "$c_mine/fence" ] && kill -0 "$c_doorman" 2>/dev/null; do
    # Again and again: a run may open a link meanwhile.
    [ ! -e "$c_mine/closing" ] || c_tell
    sleep 5 8>&- &
    c_s=$!
    wait "$c_s"
  done
  kill -KILL "$c_doorman" 2>/dev/null
  c_finish "$c_grace"
}

case $c_dir in
/*) c_marks=$c_dir/.cms/slurm ;;
.) c_marks=$HOME/.cms/slurm ;;
*) c_marks=$HOME/$c_dir/.cms/slurm ;;
esac
c_mine=$c_marks/$SLURM_JOB_ID.$SLURMD_NODENAME
cd || exit 1
case $c_role in
keep)
  # Nobody writes here: this ends with who holds the other end.
  read -r c_l <"$c_place/life"
  [ -d "$c_place" ] || exit 0
  read -r c_p <"$c_place/door" && kill -KILL "$c_p"
  c_finish 0
  ;;
node) c_serve ;;
*)
  c_id=$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.$(date +%s)
  # What sbatch was asked to export is nothing that an srun of a job's should heed.
  unset SLURM_EXPORT_ENV SLURM_GET_USER_ENV
  if [ "${SLURM_NNODES:-1}" -le 1 ]; then
    c_serve
  else
    c_p=''
    # Slurm itself sends TERM to all nodes, and USR1 to us alone.
    trap : TERM HUP
    trap 'for c_i in "$c_marks/$SLURM_JOB_ID".*/; do true >"$c_i/closing"; done' USR1
    srun --nodes="$SLURM_NNODES" --ntasks="$SLURM_NNODES" --ntasks-per-node=1 --overlap --wait=0 --kill-on-bad-exit=0 \
      --cpu-bind=none --export=ALL --input=none \
      sh -c 'c_role=node c_dir=$1 c_id=$2 c_body=$3; eval "$c_body"' cms "$c_dir" "$c_id" "$c_body" &
    c_p=$!
    while kill -0 "$c_p" 2>/dev/null; do wait "$c_p"; done
  fi
  ;;
esac
