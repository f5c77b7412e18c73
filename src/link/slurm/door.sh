# The door to a node of an allocation: runs on the login host, sent as one line of stdin (see transport.ts). POSIX sh
# (dash, bash, busybox ash). After it come lines: the job's id, the node, the experiment directory, srun or ssh, the
# text of relay.sh in one line. For ssh that line is the node's, and so are three more, see relay.sh. What follows is
# for the shell over there.
#
# Exit statuses: 69 where there is no way to the node, 75 where it is to be tried again; one line on stderr says why.
IFS= read -r c_job && IFS= read -r c_node && IFS= read -r c_dir && IFS= read -r c_way || exit 3
[ "$c_way" = ssh ] || IFS= read -r c_relay || exit 3
# Who is in an allocation has variables of it, and of what he asks of Slurm by default.
for c_i in $(env | sed -n 's/^\(S[A-Z]*_[A-Za-z0-9_]*\)=.*/\1/p'); do
  case $c_i in
  SLURM_CONF) ;;
  SLURM_* | SBATCH_* | SRUN_* | SALLOC_* | SQUEUE_* | SCANCEL_* | SINFO_*) unset "$c_i" ;;
  esac
done
for c_i in squeue "$c_way" scontrol; do
  command -v "$c_i" >/dev/null || { echo "there is no command $c_i here" >&2; exit 69; }
done
# c_within COMMAND...: under a time limit, where there is a program for it.
if command -v timeout >/dev/null; then c_within() { timeout 20 "$@"; }; else c_within() { "$@"; }; fi
later() { echo "$1" >&2; exit 75; }
# over STATE: all that ran there is gone. What is known of it stands in the files.
over() {
  cd || exit 75
  [ "$1" != CANCELLED ] || whose
  [ "$c_way" != ssh ] || for c_z in 1 2 3 4; do IFS= read -r c_l; done
  CMS_ALLOCATION=over.$1${c_who-} exec sh
}
# whose: who cancelled it, in c_who. Only the site's accounting knows, where there is one; it is some seconds late.
whose() {
  for c_z in 1 2 3 4; do
    c_v=$(c_within sacct -n -X -P -j "$c_job" -o State 2>/dev/null </dev/null) || return 0
    case $c_v in
    'CANCELLED by '*)
      c_v=${c_v#CANCELLED by } c_v=${c_v%%[!0-9]*}
      [ -n "$c_v" ] || return 0
      c_l=$(id -un "$c_v" 2>/dev/null) || c_l=$c_v
      case $c_l in '' | *[!A-Za-z0-9._-]*) c_l=$c_v ;; esac
      c_who=+by+$c_l
      return
      ;;
    '' | *RUNNING* | *COMPLETING*) sleep 1 ;;
    *) return 0 ;;
    esac
  done
}
# field NAME TEXT: the number behind NAME= in what scontrol says, or 0.
field() {
  c_v=${2#*"$1="}
  [ "$c_v" != "$2" ] || c_v=0
  c_v=${c_v%%[!0-9]*}
  [ -n "$c_v" ] || c_v=0
}
# node: asks Slurm of the node. c_is: its state, `none` if there is no such node, empty if nobody knows; c_since and
# c_boot: since when its slurmd runs, and it itself, 0 if nobody knows.
node() {
  c_is='' c_since=0 c_boot=0
  c_said=$(c_within scontrol -o show node "$c_node" 2>&1 </dev/null)
  case $c_said in
  *' State='*)
    c_is=${c_said#*' State='} c_is=${c_is%%' '*}
    field SlurmdStartTime "$c_said"
    c_since=$c_v
    field BootTime "$c_said"
    c_boot=$c_v
    ;;
  *'not found'*) c_is=none ;;
  esac
}
# is_booted: the node was booted after the allocation began, by Slurm's own clock. Nothing of it is left there.
is_booted() { [ "$c_boot" -gt "$c_start" ] && [ "$c_since" -gt "$c_start" ]; }
# lost: what Slurm takes for over, or has forgotten, lives on where nobody can end it.
lost() {
  # The starter looks for this, where it is alive.
  [ ! -d "$c_mine" ] || true >"$c_mine/fence"
  later "node $c_node is lost; what ran there may live until it is back"
}
# ended STATE: Slurm says so. The starter has said so, too, or Slurm reaches the node.
ended() {
  [ -e "$c_mine/at" ] && [ ! -e "$c_mine.ended" ] && [ ! -e "$c_mine.booted" ] || over "$1"
  node
  case $c_is in
  '' | DOWN* | *NOT_RESPONDING* | *'*'*) lost ;;
  *) over "$1" ;;
  esac
}
case $c_dir in
/*) c_mine=$c_dir ;;
.) c_mine=$HOME ;;
*) c_mine=$HOME/$c_dir ;;
esac
c_mine=$c_mine/.cms/slurm/$c_job.$c_node
export SLURM_TIME_FORMAT=%s
c_said=$(c_within squeue -h -r --states=all -j "$c_job" -O 'JobID:|,State:|,StartTime:|,EndTime:|' 2>&1 </dev/null)
c_rc=$?
case $c_rc/$c_said in
*'Invalid job id'*) ended GONE ;;
0/*'|'*'|'*'|'*'|'*) ;;
*) later "Slurm does not say how job $c_job stands${c_said:+: ${c_said##*: }}" ;;
esac
# The id of one task is that of its array, too: then all tasks are listed. Those that wait have that id as well.
c_state=GONE c_start='' c_end=''
while IFS='|' read -r c_i c_v c_l c_z; do
  [ "$c_i" = "$c_job" ] || continue
  c_state=$c_v c_start=$c_l c_end=${c_z%%|*}
  case $c_v in RUNNING | COMPLETING) break ;; esac
done <<X
$c_said
X
case $c_start in '' | *[!0-9]*) c_start=9999999999 ;; esac
case $c_end in '' | *[!0-9]*) c_end=9999999999 ;; esac
case $c_state in
RUNNING | RESIZING | SIGNALING | STAGE_OUT)
  [ ! -e "$c_mine.booted" ] || over NODE_FAIL
  [ "$c_way" = srun ] || {
    # Where Slurm has not noticed it yet, ssh would not be let in.
    node
    ! is_booted || over NODE_FAIL
    exec ${CMS_SSH:-ssh} -T -o BatchMode=yes -o ConnectTimeout=10 -o ControlPath=none \
      -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o LogLevel=ERROR -o ClearAllForwardings=yes \
      -o RemoteCommand=none -- "$c_node" "exec sh -c 'IFS= read -r s && eval \"\$(printf %b \"\$s\")\"'"
  }
  # The step takes nothing of what the allocation has. Its end ends no other step.
  exec srun --quiet --jobid="$c_job" --overlap --wait=0 --kill-on-bad-exit=0 --nodes=1 --ntasks=1 --nodelist="$c_node" \
    --export=HOME,PATH sh -c "$(printf %b "$c_relay")" relay "$c_dir"
  ;;
NODE_FAIL) ;;
BOOT_FAIL | CANCELLED | COMPLETED | DEADLINE | FAILED | GONE | LAUNCH_FAILED | OUT_OF_MEMORY | PREEMPTED | RECONFIG_FAIL | REVOKED | TIMEOUT)
  ended "$c_state"
  ;;
*) later "job $c_job is $c_state" ;;
esac
# Slurm has lost the node, and does not know what runs there. Gone is it if the starter has said so, or if the node was
# booted since, or its slurmd started since: it ends what was left then.
[ ! -e "$c_mine.ended" ] && [ ! -e "$c_mine.booted" ] || over NODE_FAIL
node
case $c_is in
'' | none | DOWN* | *NOT_RESPONDING* | *'*'*) ;;
*)
  ! is_booted || over NODE_FAIL
  # A moment for slurmd to end them.
  [ "$c_since" -le "$c_end" ] || [ "$(date +%s)" -lt $((c_since + 10)) ] || over NODE_FAIL
  ;;
esac
lost
