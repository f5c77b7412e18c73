# The relay: runs in a step of an allocation, on the node, and joins the streams of `srun` with those of a shell that
# the allocation's starter (src/slurm/starter.sh) begins outside the step. With the step nothing ends but this. POSIX
# sh (dash, bash, busybox ash), given to `sh -c`. Argument: the experiment directory.
#
# Over ssh in place of srun it has no argument; then three lines of stdin are that directory, the job's id and the node.
c_here=${1-} c_job=${SLURM_JOB_ID-} c_node=${SLURMD_NODENAME-}
if [ $# -eq 0 ]; then
  IFS= read -r c_here && IFS= read -r c_l && IFS= read -r c_node || exit 3
  # The site takes sessions into jobs of Slurm (pam_slurm_adopt): it says into which, and the kernel knows it, too.
  case ${c_job:+set}/$(cat /proc/self/cgroup 2>/dev/null) in
  set/* | */job_[0-9]*) ;;
  *) echo "ssh $c_node leads outside of job $c_l: the site takes no ssh session into an allocation" >&2; exit 69 ;;
  esac
  c_job=$c_l
fi
case $c_here in
/*) ;;
.) c_here=$HOME ;;
*) c_here=$HOME/$c_here ;;
esac
c_at=$c_here/.cms/slurm/$c_job.$c_node/at
c_z=0
# It is an allocation's first act to write this.
while [ ! -s "$c_at" ]; do
  [ "$c_z" -lt 100 ] || { echo "no starter of cms runs in job $c_job on $c_node ($c_at is missing)" >&2; exit 75; }
  c_z=$((c_z + 1))
  sleep 0.1 || sleep 1
done
{ IFS= read -r c_place && read -r c_l c_boot; } <"$c_at"
read -r c_l </proc/sys/kernel/random/boot_id || c_l=$c_boot
# Slurm may not have noticed yet. Nothing of the allocation is left here, and the door finds that said.
[ -z "$c_boot" ] || [ "$c_l" = "$c_boot" ] || {
  true >"${c_at%/at}.booted"
  echo "node $c_node was booted since job $c_job began there" >&2
  exit 75
}
c_d=$(mktemp -d "$c_place/l.XXXXXX") && mkfifo "$c_d/in" "$c_d/out" "$c_d/err" || exit 75
# Each opens all ends both ways first, which never waits, and shuts what is not its own when the other is there.
exec 4<&0 5<>"$c_d/in" 6<>"$c_d/out" 7<>"$c_d/err" 9<>"$c_place/knock"
printf '%s\n' "${c_d##*/}" >&9
read -r c_l <&6
exec 3>"$c_d/in" 8<"$c_d/out" 9<"$c_d/err" 5>&- 6>&- 7>&-
rm -rf "$c_d"
cat <&4 >&3 8<&- 9<&- &
c_in=$!
exec 3>&- 4<&-
cat <&9 >&2 8<&- &
c_err=$!
exec 9<&-
cat <&8
wait "$c_err"
kill "$c_in" 2>/dev/null
exit 0
