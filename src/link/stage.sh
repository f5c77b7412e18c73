# The far end of a copy of input files: sent as one line of stdin, see stage.ts. POSIX sh (dash, bash, busybox ash).
#
# After it come lines: the experiment directory, the agent's own directory in it, a token, each job and its directory,
# an empty one; then a tar stream. `read` takes byte by byte from a pipe, so that tar finds its stream whole. Files go
# to a place of their own and are moved to the jobs when all have come: a copy that breaks off changes nothing.
IFS= read -r d && IFS= read -r o && IFS= read -r t || exit 3
case $d in
/*) ;;
.) d=$HOME ;;
*) d=$HOME/$d ;;
esac
cd "$d" || exit 3
set --
while IFS= read -r j && [ -n "$j" ] && IFS= read -r n; do set -- "$@" "$j" "$n"; done
# The manager has just made this file in its own directory: this is it, and a file must not be moved onto itself.
if [ -e "$t" ]; then
  printf '\nsame %s\n' "$t"
  exit 0
fi
# The agent has made its directory. Where it is missing the name leads to another machine now.
[ -d "$o" ] || { printf '\nelsewhere %s\n' "$t"; exit 0; }
start() { shift 19; s=$1; }
read -r s </proc/$$/stat && start ${s##*) }
p=$o/i.$$.$s
mkdir -p "$p" || exit 3
trap 'rm -rf "$p" || { chmod -R u+rwx "$p"; rm -rf "$p"; }' EXIT
trap 'exit 3' HUP INT TERM PIPE
# What the login shell wrote may end in the middle of a line.
printf '\nready %s\n' "$t"
(cd "$p" && exec tar -xof -) || exit 3
# The last of the stream.
[ -e "$p/$t" ] || { echo 'the copy broke off' >&2; exit 4; }

while [ $# -gt 1 ]; do
  # The agent has made the directory. If somebody has removed it since, the copy fails.
  [ ! -d "$p/$1" ] || put "$p/$1" "$2" || exit 3
  shift 2
done
echo "done $t"
