# Whether nodes see the experiment directory of the login host: a job of a second looks for a file. Run on the login
# host by `sh -s`. POSIX sh. Arguments: the directory, a token, the text of the job's script, options of sbatch. Says
# `shared NODE`, `apart NODE`, or `unknown WHY`.
c_here=$1 c_token=$2 c_text=$3
shift 3
case $c_here in
/*) ;;
.) c_here=$HOME ;;
*) c_here=$HOME/$c_here ;;
esac
# The directories that are not there yet go again.
c_d=$c_here c_job=''
while [ ! -d "$c_d/" ]; do c_d=${c_d%/*}; done
c_leave() {
  [ -z "$c_job" ] || scancel --quiet "$c_job" 2>/dev/null
  rm -f "$c_here/.cms-check.$c_token"
  while [ "$c_here" != "$c_d" ] && rmdir "$c_here"; do c_here=${c_here%/*}; done
}
trap c_leave EXIT
trap 'exit 1' HUP INT TERM PIPE
mkdir -p "$c_here" || exit 1
true >"$c_here/.cms-check.$c_token" || exit 1
c_job=$(printf '%s\n' "$c_text" | sbatch --parsable "$@") || exit 1
c_job=${c_job%%;*} c_said=''
for c_z in 1 1 2 4; do
  sleep "$c_z"
  c_said=$(squeue -h -j "$c_job" --states=all -O 'State:|,NodeList:|,Reason:|' 2>/dev/null)
  c_state=${c_said%%|*} c_said=${c_said#*|}
  case $c_state in
  COMPLETED) echo "shared ${c_said%%|*}"; exit ;;
  FAILED) echo "apart ${c_said%%|*}"; exit ;;
  PENDING) c_said=${c_said#*|} c_said="the job that looks waits (${c_said%%|*})" ;;
  *) c_said="the job that looks is ${c_state:-not to be seen}" ;;
  esac
done
echo "unknown $c_said"
