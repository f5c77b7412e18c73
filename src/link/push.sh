# The far end of a push by tar: sent as one line of stdin behind put.sh, see push.ts. POSIX sh (dash, bash, busybox
# ash). After it comes a line with the directory, then a tar stream. It is unpacked beside, so that what breaks off
# leaves no half of a file.
IFS= read -r d || exit 3
case $d in
/*) ;;
.) d=$HOME ;;
'~' | '~/'*) d=$HOME${d#'~'} ;;
*) d=$HOME/$d ;;
esac
p=$d/.cms-push.$$
mkdir -p "$d" && mkdir "$p" && cd "$p" || exit 3
trap 'cd / && { rm -rf "$p" || { chmod -R u+rwx "$p" && rm -rf "$p"; }; }' EXIT
trap 'exit 3' HUP INT TERM PIPE
tar -x -p -o -f - || exit 3
put "$p" "$d"
