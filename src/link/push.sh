# The far end of a push by tar: sent as one line of stdin, see push.ts. POSIX sh (dash, bash, busybox ash).
# After it comes a line with the directory, then a tar stream.
IFS= read -r d || exit 3
case $d in
/*) ;;
.) d=$HOME ;;
'~' | '~/'*) d=$HOME${d#'~'} ;;
*) d=$HOME/$d ;;
esac
mkdir -p "$d" && cd "$d" || exit 3
exec tar -x -p -o -f -
