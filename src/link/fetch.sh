# The far end of queue fetch: sent as one line of stdin, see fetch.ts. POSIX sh (dash, bash, busybox ash).
#
# After it come lines: the experiment directory, the queue's id, a token; then for each job its directory, name, id, its
# workdir or an empty line, its patterns and an empty line; an empty line ends them. It answers with the files that fit.
# Then come for each job its directory, name, id, workdir, its number, the blocks of a record of tar, and the paths that
# are wanted; it answers with a block that names the job, and tar streams.
IFS=
read -r d && read -r q && read -r t || exit 3
case $d in
/*) ;;
.) d=$HOME ;;
*) d=$HOME/$d ;;
esac
# theirs NAME ID: do the claims in the current directory say that it is another queue's? See the agent's claims.sh.
theirs() {
  a=
  for f in "$1.run" "$1.run".*; do
    l=
    [ ! -f "$f" ] || read -r l <"$f"
    case $l in
    '') ;;
    "$2".* | *" $q/"*) return 1 ;;
    *) a=1 ;;
    esac
  done
  [ -n "$a" ]
}
# go DIRECTORY NAME ID WORKDIR: to where its files stand.
go() {
  case $4 in
  '') cd "$d/$1" && ! theirs "$2" "$3" ;;
  /*) cd "$4" ;;
  '~' | '~/'*) cd "$HOME${4#'~'}" ;;
  *) cd "$HOME/$4" ;;
  esac 2>/dev/null
}
sizes() { stat -c 'F %s %Y %n' "$@" 2>/dev/null; }
printf '\nbegin %s\n' "$t"
while read -r j && [ -n "$j" ] && read -r k && read -r i && read -r w; do
  echo J
  there=
  if go "$j" "$k" "$i" "$w"; then there=1; else echo N; fi
  set --
  while read -r g && [ -n "$g" ]; do
    [ -n "$there" ] || continue
    m=
    for f in ./$g; do
      if [ -L "$f" ]; then
        printf 'L %s\n' "$f"
      elif [ -d "$f" ]; then
        find "$f" -type f -exec stat -c 'F %s %Y %n' {} + 2>/dev/null
        find "$f" -type l -exec printf 'L %s\n' {} \; 2>/dev/null
      elif [ -f "$f" ]; then
        set -- "$@" "$f"
        [ $# -lt 100 ] || { sizes "$@"; set --; }
      else
        continue
      fi
      m=1
    done
    [ -n "$m" ] || printf 'M %s\n' "$g"
  done
  [ $# -eq 0 ] || sizes "$@"
done
printf 'end %s\n' "$t"
# The last record is filled up with zeros. busybox, which knows no records, fills up nothing.
b_t=
tar -b 1 -cf /dev/null /dev/null 2>/dev/null && b_t=1
pack() { tar ${b_t:+-b "$b"} -cf - "$@" 2>/dev/null; }
while read -r j && [ -n "$j" ] && read -r k && read -r i && read -r w && read -r n && read -r b; do
  printf '%-512s' "cms-job $t $n"
  there=
  if go "$j" "$k" "$i" "$w"; then there=1; fi
  set --
  while read -r f && [ -n "$f" ]; do
    set -- "$@" "$f"
    [ $# -lt 100 ] || { [ -z "$there" ] || pack "$@"; set --; }
  done
  [ $# -eq 0 ] || [ -z "$there" ] || pack "$@"
done
printf '%-512s' "cms-end $t"
