# The far end of queue clean --keep: sent as one line of stdin, see clean.ts. POSIX sh (dash, bash, busybox ash).
#
# After it come lines: the experiment directory, a token; then for each job its directory, its name, patterns and an
# empty line; an empty line ends them. For each job it answers with the number of files that stay.
IFS=
read -r d && read -r t || exit 3
case $d in
/*) ;;
.) d=$HOME ;;
*) d=$HOME/$d ;;
esac
cd "$d" || exit 3
# The manager has just made this file in its own directory: what stands here may be a person's.
if [ -e "$t" ]; then
  printf '\n%s same\n' "$t"
  exit 0
fi
# stays PATH PATTERN...: a pattern fits it, or a directory that it is in.
stays() {
  f=$1
  shift
  for g; do
    case $f in
    ./$g | ./$g/*) return 0 ;;
    esac
  done
  return 1
}
printf '\n'
while read -r j && [ -n "$j" ] && read -r n; do
  set --
  while read -r g && [ -n "$g" ]; do set -- "$@" "${g%/}"; done
  k=$(
    cd "$j" || exit
    # A line that is a part of a name with a line end begins otherwise, or is judged as the file of that name is.
    find . ! -type d | while read -r f; do
      case $f in
      ./.cms | "./$n.pid" | "./$n.run" | "./$n.run."* | "./$n.log") continue ;;
      ./*) ;;
      *) continue ;;
      esac
      if stays "$f" "$@"; then echo x; fi
    done | wc -l
  )
  k=$((${k:-0}))
  [ $k -eq 0 ] || (
    cd "$j" || exit
    find . ! -type d | while read -r f; do
      case $f in
      ./.cms | "./$n.pid" | "./$n.run" | "./$n.run."* | "./$n.log") continue ;;
      ./*) stays "$f" "$@" || rm -f "$f" ;;
      esac
    done
    find . -depth -type d -exec rmdir {} + 2>/dev/null
  )
  printf '%s %s\n' "$t" "$k"
done
printf '%s end\n' "$t"
